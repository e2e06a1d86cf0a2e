/** What follows a recording, and how it learns what has become of it. */
import type { GatewayErrorCode } from "../../errors.ts";

/** A client's exchange that follows a recording. Calls come one at a time. */
export interface Follower {
  /** How much of the body it has had. */
  readonly offset: number;
  /** An interim response, `bytes[0, size)`; borrowed. */
  interim(bytes: Uint8Array, size: number): void;
  /** State or bytes are new. */
  moved(): void;
}

/** Where a recording stands; see the top of this file. */
export type RecordingState = "waiting" | "streaming" | "complete" | "revalidated" | "failed" | "cut";

/** Why there is no response. */
export interface FetchFailure {
  readonly code: GatewayErrorCode;
  readonly detail: string | undefined;
  readonly tried: readonly string[];
}
