/** Why a read would get what it gets: for a console, a log, a person who wonders. */
import type { L1 } from "./l1.ts";
import type { StoredValue } from "./store/store.ts";

/** What a read of the key would do now. */
export type ReadReason =
  | "fresh-in-l1"
  | "stale-in-l1"
  | "fresh-in-store"
  | "stale-in-store"
  | "store-down"
  | "not-there";

/** What is known of a key. Times are in ms and left out where there is no such thing. */
export interface Explanation {
  readonly key: string;
  readonly reason: ReadReason;
  /** One sentence. */
  readonly text: string;
  readonly isLoading: boolean;
  readonly ageMs?: number;
  /** Until it is stale; below zero, how long it has been. */
  readonly freshMs?: number;
  /** Until it is gone. */
  readonly staleMs?: number;
  readonly loadMs?: number;
  readonly tags?: readonly string[];
  /** How often it was used, in the measure of the eviction policy. */
  readonly uses?: number;
  readonly inStore?: { readonly freshMs: number; readonly staleMs: number; readonly bytes: number };
}

const TEXTS: Readonly<Record<ReadReason, string>> = {
  "fresh-in-l1": "is served from this process's memory",
  "stale-in-l1": "is past its time: it is loaded, and served stale if that is slow or fails",
  "fresh-in-store": "is served from the shared store, and kept in memory",
  "stale-in-store": "is past its time in the shared store too: one process loads it",
  "store-down":
    "is not in memory, and the shared store does not answer: it is loaded, and kept in memory alone",
  "not-there": "is nowhere: it was never set, has expired, was invalidated or evicted; it is loaded",
};

/** Explains a key from where it is. `inStore` is a text when the store failed. */
export function explainEntry(
  key: string,
  known: {
    readonly l1: L1;
    readonly nowMs: number;
    readonly inStore: StoredValue | string | undefined;
    readonly isLoading: boolean;
  },
): Explanation {
  const { l1, nowMs, inStore, isLoading } = known;
  const entry = l1.peek(key);
  const stored = typeof inStore === "string" ? undefined : inStore;
  const freshMs = entry === undefined ? undefined : entry.freshUntilMs - nowMs;
  const reason = reasonOf(freshMs, inStore);
  return {
    key,
    reason,
    text: `"${key}" ${TEXTS[reason]}`,
    isLoading,
    ...(entry === undefined || freshMs === undefined
      ? {}
      : {
          ageMs: nowMs - entry.details.setAtMs,
          freshMs,
          staleMs: entry.details.staleUntilMs - nowMs,
          loadMs: entry.details.loadMs,
          tags: entry.details.tags,
          uses: entry.uses,
        }),
    ...(stored === undefined
      ? {}
      : { inStore: { freshMs: stored.freshMs, staleMs: stored.staleMs, bytes: stored.payload.length } }),
  };
}

function reasonOf(freshMs: number | undefined, inStore: StoredValue | string | undefined): ReadReason {
  if (freshMs !== undefined && freshMs > 0) return "fresh-in-l1";
  if (typeof inStore === "string") return freshMs === undefined ? "store-down" : "stale-in-l1";
  if (inStore !== undefined) return inStore.freshMs > 0 ? "fresh-in-store" : "stale-in-store";
  return freshMs === undefined ? "not-there" : "stale-in-l1";
}
