/**
 * What comes of a question to the planner: an answer, or what is wrong with the question, all of it at once.
 *
 * A problem is one sentence that explains and mends (see config's `Problem`); a wrong figure is never an answer.
 */
import type { Problem } from "../config/index.ts";

/** An answer, or the problems of the question. */
export type Outcome<T> =
  | { readonly kind: "ok"; readonly value: T }
  | { readonly kind: "problems"; readonly problems: readonly Problem[] };

/** The answer. */
export function ok<T>(value: T): Outcome<T> {
  return { kind: "ok", value };
}
