/** Where a store writes its changes down. The files are behind it, in src/store/io. */
import type { Call } from "../call.ts";
import type { Keyspace } from "../keyspace.ts";

export interface StoreLog {
  /** Why writes are refused, in the words of the reply; undefined when they are not. */
  readonly refusal: string | undefined;
  readonly isRewriting: boolean;
  readonly lastRewriteFailed: boolean;
  /** When the last rewrite ended, milliseconds since the epoch. */
  readonly lastRewriteMs: number;
  /** Bytes of the log, and of it after the last rewrite. */
  readonly bytes: number;
  readonly baseBytes: number;
  /** A call has changed something. */
  write(call: Call): void;
  /** A key has expired or was evicted. */
  writeDelete(space: Keyspace, key: Uint8Array): void;
  /** Begins to write down what there is, and forgets how it came about. */
  rewrite(): void;
}
