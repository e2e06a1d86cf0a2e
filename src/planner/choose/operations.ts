/**
 * Operations by what they are about: how old an answer may be before an error is better.
 *
 * CAP says only this: while the machines cannot reach each other, an operation answers with an error or with what may
 * be old (Gilbert & Lynch 2002). So it is decided for each operation, by what a wrong answer costs.
 */
import type { Operation, OperationKind } from "./facts.ts";

/** What one sort of operation allows. */
export interface OperationRow {
  /** Oldest answer that is better than an error; 0 = an error is always better. */
  readonly oldestMs: number;
  readonly because: string;
}

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;

/** Every sort. The ages are judgements, and an age of one's own may stand for each. */
const OPERATIONS: Readonly<Record<OperationKind, OperationRow>> = {
  money: { oldestMs: 0, because: "money paid out twice does not come back" },
  stock: { oldestMs: 0, because: "the last piece is sold once" },
  name: { oldestMs: 0, because: "a name belongs to one" },
  permission: { oldestMs: 10_000, because: "who was locked out must not get in for long" },
  profile: { oldestMs: 10 * MINUTE_MS, because: "yesterday's picture harms nobody" },
  cart: { oldestMs: HOUR_MS, because: "two carts can be merged; an error loses the sale" },
  feed: { oldestMs: HOUR_MS, because: "an old feed is better than none" },
  counter: { oldestMs: HOUR_MS, because: "nobody counts after it, and sums can be merged" },
};

/** Their names. */
export const OPERATION_KINDS: readonly OperationKind[] = Object.keys(OPERATIONS) as OperationKind[];

/** The row of an operation; an age stands for itself. */
export function rowOf(operation: Operation): OperationRow {
  return typeof operation === "number" ? { oldestMs: operation, because: "said" } : OPERATIONS[operation];
}
