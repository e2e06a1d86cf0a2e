/** What is counted, and why things did not stay or were not taken: the same literals in code, metrics and console. */
import type {
  BypassReason,
  RefusalReason,
  RevalidateReason,
  SliceRefusal,
  StaleReason,
} from "../policy/index.ts";

/** Why an object was not taken by the store. */
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

/** Why a response did not come as far as the store, each once: the policy's reasons, and a head that no record holds. */
const NOT_STORABLE: Readonly<Record<RefusalReason | SliceRefusal | "head-too-long", true>> = {
  method: true,
  "request-no-store": true,
  partial: true,
  "status-not-cacheable": true,
  "must-understand": true,
  "no-store": true,
  private: true,
  authorization: true,
  "set-cookie": true,
  "vary-star": true,
  "vary-too-long": true,
  "too-large": true,
  deception: true,
  "no-freshness": true,
  "no-cache": true,
  "already-stale": true,
  "head-too-long": true,
  "slice-no-validator": true,
  "slice-mismatch": true,
  "slice-changed": true,
  "slice-unsatisfiable": true,
  "slice-failed": true,
};

/** Why a response was not kept. */
export type NotKept = Refusal | RefusalReason | SliceRefusal | "head-too-long";

/** All reasons why a response is not kept; their numbers are in the table of uncacheable keys. */
// oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the keys are those of the type
export const NOT_KEPT: readonly NotKept[] = [
  ...new Set([...Object.keys(NOT_STORABLE), ...REFUSALS]),
] as NotKept[];

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

/** What is purged at once. */
export const PURGE_KINDS = ["url", "tag", "prefix", "all"] as const;

/** Why a target is asked about what is stored, each once. */
const ABOUT_STORED: Readonly<Record<RevalidateReason, true>> = {
  expired: true,
  "must-revalidate": true,
  "no-cache": true,
  "request-no-cache": true,
  "request-max-age": true,
  "request-min-fresh": true,
  purged: true,
  invalidated: true,
};
// oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the keys are those of the type
const REVALIDATED = Object.keys(ABOUT_STORED) as RevalidateReason[];

/** A target is asked without anything to ask about. */
const NOT_THERE = ["absent", "authorization", "head", "range", "unkeyed-header"] as const;

/** Another request asks already, and this one does not wait for it, or no longer. */
const NOT_WAITING = ["waited-too-long", "too-many-waiters"] as const;

/** Why a result comes about. */
interface Reasons {
  /** From the store, fresh; or from the disk below it. */
  readonly hit: "fresh" | "disk";
  /** From the store, past its time. */
  readonly stale: StaleReason | "stale-if-error" | "grace";
  /** From the store, after a target said that it has not changed; the reason says why it was asked. */
  readonly revalidated: RevalidateReason;
  /** By a target, whose response is kept where it may be; the reason says why it was asked. */
  readonly miss: (typeof NOT_THERE)[number] | RevalidateReason | (typeof NOT_WAITING)[number];
  /** By the fetch of another request. */
  readonly collapsed: "absent" | RevalidateReason;
  /** Around the cache: by a target, or with a 504 for who wants no fetch. */
  readonly bypass:
    | BypassReason
    | "only-if-cached"
    | "request-body"
    | "key-too-long"
    | "too-many-looks"
    | "too-many-slow-clients"
    | "lost";
}

/** How a request of a rule with a cache was answered. */
export type CacheResult = keyof Reasons;
/** Why a result came about. */
export type ReasonOf<R extends CacheResult> = Reasons[R];

/** All results with their reasons. */
const RESULTS: { readonly [R in CacheResult]: readonly Reasons[R][] } = {
  hit: ["fresh", "disk"],
  stale: ["stale-while-revalidate", "request-max-stale", "stale-if-error", "grace"],
  revalidated: REVALIDATED,
  miss: [...NOT_THERE, ...REVALIDATED, ...NOT_WAITING],
  collapsed: ["absent", ...REVALIDATED],
  bypass: [
    "method",
    "request-no-store",
    "precondition",
    "only-if-cached",
    "request-body",
    "key-too-long",
    "too-many-looks",
    "too-many-slow-clients",
    "lost",
  ],
};

const NAMES = [
  "answeredBytes",
  "servedBytes",
  "fetches",
  "fetchedBytes",
  "inserts",
  "insertBytes",
  "moves",
  "recoveries",
] as const;

/** Everything that is counted. */
export type Counter =
  | (typeof NAMES)[number]
  | { [R in CacheResult]: `${R} ${ReasonOf<R>}` }[CacheResult]
  | `refused ${NotKept}`
  | `evicted ${Eviction}`
  | `purged ${(typeof PURGE_KINDS)[number]}`;

const results = Object.entries(RESULTS).flatMap(([result, reasons]) =>
  reasons.map((reason) => ({ result, reason, name: `${result} ${reason}` })),
);

/** Counter -> its cell in a column. */
// oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the names are those of the type
export const COUNTER: Readonly<Record<Counter, number>> = Object.fromEntries(
  [
    ...NAMES,
    ...results.map(({ name }) => name),
    ...NOT_KEPT.map((reason) => `refused ${reason}`),
    ...EVICTIONS.map((reason) => `evicted ${reason}`),
    ...PURGE_KINDS.map((kind) => `purged ${kind}`),
  ].map((name, cell) => [name, cell]),
) as Record<Counter, number>;

/** How one request was answered. One object for each result and reason: a request points to it. */
export interface CachedAs {
  readonly result: CacheResult;
  readonly reason: string;
  /** Its cell in a column, so that a hit looks up no name. */
  readonly cell: number;
  /** Whether what the client got was in the store. */
  readonly isFromStore: boolean;
}

const FROM_STORE: readonly string[] = ["hit", "stale", "revalidated"] satisfies CacheResult[];

/** All of them, in the order of the table. */
// oxlint-disable-next-line typescript/no-unsafe-type-assertion -- made of the table's own names
export const CACHED_AS: readonly CachedAs[] = results.map(({ result, reason, name }) => ({
  result,
  reason,
  cell: (COUNTER as Readonly<Record<string, number>>)[name],
  isFromStore: FROM_STORE.includes(result),
})) as CachedAs[];

const BY_NAME: ReadonlyMap<string, CachedAs> = new Map(
  CACHED_AS.map((each) => [`${each.result} ${each.reason}`, each]),
);

/** The object for a result and its reason. */
export function cachedAs<R extends CacheResult>(result: R, reason: ReasonOf<R>): CachedAs;
/** The same for any reason; undefined when the table has none such. */
export function cachedAs(result: CacheResult, reason: string): CachedAs | undefined;
/** Looks the table up. */
export function cachedAs(result: CacheResult, reason: string): CachedAs | undefined {
  return BY_NAME.get(`${result} ${reason}`);
}
