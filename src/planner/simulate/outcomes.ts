/**
 * How a visit to a node can end, as small numbers for the hot path and as words for everybody else.
 *
 * Words of the gateway are its own error codes; the others are those of a node that refused.
 */

/** Every outcome; "ok" is 0. */
export const OUTCOMES = [
  "ok",
  "connect-refused",
  "connect-timeout",
  "upstream-closed",
  "first-byte-timeout",
  "no-target",
  "queue-full",
  "queue-timeout",
  "client-timeout",
  "app-error",
  "app-overloaded",
  "pool-full",
  "pool-timeout",
  "database-overloaded",
  "primary-down",
  "no-server",
  "depth-max",
  "too-many-in-system",
] as const;

/** One of them. */
export type OutcomeName = (typeof OUTCOMES)[number];

/** Name -> number. */
export const OUTCOME: Readonly<Record<OutcomeName, number>> = Object.fromEntries(
  OUTCOMES.map((name, index) => [name, index]),
) as Record<OutcomeName, number>;

/** The name of a number. */
export function outcomeName(outcome: number): OutcomeName {
  return OUTCOMES[outcome] ?? "ok";
}

/** Counts by outcome, as words, without those that never happened. */
export function countsByName(counts: ArrayLike<number>): Record<string, number> {
  return Object.fromEntries(
    OUTCOMES.flatMap((name, index) =>
      index > 0 && (counts[index] ?? 0) > 0 ? [[name, counts[index] ?? 0]] : [],
    ),
  );
}
