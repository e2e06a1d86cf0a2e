/**
 * A lease store: one record that is replaced by compare-and-set. It needs no clock and knows no leases; see watch.ts for how a
 * record that moves is one. What it must be: once a write was answered, every read that begins later sees it or a later one.
 */
import type { ClusterRecord } from "./record.ts";
import type { Stored } from "./watch.ts";

/** Why a store has not answered. The literals go to log and status as they are. */
export type StoreProblem =
  /** Nobody has written a record yet. */
  | "empty"
  | "unreachable"
  | "timeout"
  /** It answered, with an error of its own. */
  | "refused"
  /** What is there is no record: nobody may go on. */
  | "corrupt";

/** What became of a request. */
export type StoreReply =
  | { readonly kind: "stored"; readonly stored: Stored }
  /** The record is not of the revision that was to be replaced; what is there now. */
  | { readonly kind: "conflict"; readonly stored: Stored }
  /** A write may have happened all the same, unless the reason is "empty". `message` is for people. */
  | { readonly kind: "failed"; readonly reason: StoreProblem; readonly message: string };

/** One record in a store. No method rejects. */
export interface LeaseStore {
  /** What is there now: never something older than what was there when this was called. */
  read(): Promise<StoreReply>;
  /** Replaces the record of `revision`; 0 = makes the first one. Answers within the store's deadline. */
  write(record: ClusterRecord, revision: number): Promise<StoreReply>;
}
