/**
 * The state store: where the controller keeps what must outlive it.
 *
 * The contract is that of etcd, cut to what a controller needs: keys to texts, one revision counter for the whole
 * store, writes that succeed only on an expected revision, and a watch that either delivers every change or says
 * that it could not. One shared suite (`testing/state-store-suite.ts`) runs against every implementation.
 */
import type { Cancel } from "../base/index.ts";

/** One key as it stands. */
export interface Entry {
  readonly key: string;
  readonly value: string;
  /** Revision of the store at which this value was written; grows with every write to any key. */
  readonly revision: number;
}

/** What a conditional write came to. */
export type WriteResult =
  | { readonly kind: "done"; readonly revision: number }
  /** The key is not at the expected revision; `actual` is where it is, 0 = it does not exist. */
  | { readonly kind: "conflict"; readonly actual: number };

/** What a watcher is told. */
export type Change =
  | { readonly kind: "put"; readonly entry: Entry }
  | { readonly kind: "delete"; readonly key: string; readonly revision: number }
  /** Changes since the asked revision are no longer known: list again and watch from `revision`. */
  | { readonly kind: "lost"; readonly revision: number };

/** What a writer expects of the key: its revision, 0 for "does not exist", or any state. */
export type Expected = number | "any";

export interface StateStore {
  get(key: string): Promise<Entry | undefined>;
  /** All keys that begin with `prefix`, in order of key, and the revision at which that was the whole truth. */
  list(prefix: string): Promise<{ readonly entries: readonly Entry[]; readonly revision: number }>;
  /** Writes when the key is as expected. Resolved "done" means durable; rejected means the store is unusable. */
  put(key: string, value: string, expected: Expected): Promise<WriteResult>;
  /** Deletes when the key is as expected. Deleting a key that does not exist with "any" is done at no cost. */
  delete(key: string, expected: Expected): Promise<WriteResult>;
  /** Calls `onChange` for each change after `fromRevision`, in order, each once, until cancelled. */
  watch(prefix: string, fromRevision: number, onChange: (change: Change) => void): Cancel;
  /** Waits for writes under way and lets go of the files. */
  close(): Promise<void>;
}
