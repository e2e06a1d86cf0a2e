/** How failover stands, as one agent tells it: for `tenfold db status`, the console and whoever asks over HTTP. */

import type { StoreProblem } from "./lease-store.ts";
import type { Loss, Phase } from "./record.ts";
import type { NoSwitchover, Role } from "./state.ts";

/** What an old primary had that is in no history, once it has come back. null = it cannot be told. */
export interface FoundLoss {
  readonly bytes: number | null;
  readonly commits: number | null;
}

/** What a switchover came to. */
export type SwitchoverOutcome =
  | { readonly kind: "done"; readonly tookMs: number }
  | { readonly kind: "refused"; readonly reason: NoSwitchover | "not-finished" };

/** One agent's word on its cluster. Positions are text. */
export interface FailoverStatus {
  readonly role: Role["kind"];
  /** What is known of the record; null = it was never read. */
  readonly record: {
    readonly term: number;
    readonly server: string;
    readonly phase: Phase;
    readonly flushed: string;
    /** Since it was seen to move. */
    readonly ageMs: number;
    /** Of the last failover; null = there was none, or nobody knows. */
    readonly loss: Loss | null;
    readonly quorum: { readonly names: readonly string[]; readonly votes: number } | null;
  } | null;
  /** The order that its server carries out. */
  readonly order: string | null;
  /** Why the lease store does not answer. */
  readonly storeProblem: StoreProblem | null;
  /** Why nobody is promoted, or the server was fenced; the last thing of that kind, and how long ago. */
  readonly last: { readonly event: string; readonly reason: string; readonly agoMs: number } | null;
  /** Of this server as an old primary. */
  readonly foundLoss: FoundLoss | null;
}
