/** What is counted, and why things did not stay or were not taken: the same literals in code, metrics and console. */

/** Why an object was not taken. */
export const REFUSALS = [
  "too-large",
  "key-too-long",
  "too-many-tags",
  "busy",
  "pinned",
  "no-pins",
  "purged",
  "recovering",
] as const;
/** One of `REFUSALS`. */
export type Refusal = (typeof REFUSALS)[number];

/** Why an object left. */
export const EVICTIONS = [
  "not-used-again",
  "least-used",
  "expired",
  "purge",
  "replaced",
  "removed",
  "variants",
  "bucket-full",
] as const;
/** One of `EVICTIONS`. */
export type Eviction = (typeof EVICTIONS)[number];

const NAMES = [
  "hits",
  "misses",
  "stale",
  "hitBytes",
  "inserts",
  "insertBytes",
  "moves",
  "recoveries",
] as const;

/** Everything that is counted. */
export type Counter = (typeof NAMES)[number] | `refused ${Refusal}` | `evicted ${Eviction}`;

/** Counter -> its cell in a column. */
// oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the names are those of the type
export const COUNTER: Readonly<Record<Counter, number>> = Object.fromEntries(
  [
    ...NAMES,
    ...REFUSALS.map((reason) => `refused ${reason}`),
    ...EVICTIONS.map((reason) => `evicted ${reason}`),
  ].map((name, cell) => [name, cell]),
) as Record<Counter, number>;
