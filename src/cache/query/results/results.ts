/** Where answers are kept. An answer lies there with the versions it was made under; whoever reads it compares them. */
import type { Answer } from "../answer.ts";

/** An answer with what it depends on. */
export interface StoredAnswer {
  /** In the order of the statement's `reads`. */
  readonly versions: readonly string[];
  readonly answer: Answer;
}

/** Keeps answers. Each call rejects when a store does not answer in time; losing an answer is no error. */
export interface ResultStore {
  readonly get: (key: string) => Promise<StoredAnswer | undefined>;
  /** Replaces what is under the key. `ttlMs` is the longest time to keep it, `bytes` about what it takes. */
  readonly set: (key: string, stored: StoredAnswer, ttlMs: number, bytes: number) => Promise<void>;
}
