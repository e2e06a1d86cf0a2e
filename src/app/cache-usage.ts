/**
 * A look at all that is stored, off the request path: in the controller, which maps the workers' memory, in portions,
 * and for a bounded time. What that leaves unseen of a large store is told, and what was seen is a fair sample.
 */
import type { Clock, Scheduler } from "../base/index.ts";
import type { Snapshot } from "../config/index.ts";
import { type CacheUsage, type RuleOf, type Store, UsageTally } from "../edge/index.ts";
import { hasCache, keepersOf } from "./cache-key-rules.ts";

/** Age from which on a response is judged unless the question says otherwise: S3-FIFO's small queue is long done with it. */
export const SETTLE_S = 600;
/** A month. */
export const SETTLE_S_MAX: number = 30 * 86_400;

/** Looked at without a pause: other requests of the admin API wait no longer than a few milliseconds. */
const PORTION_MS = 4;
/** In all, pauses not counted: what it does not reach of a large store is told. */
const LOOK_MS = 1500;
/** Buckets between two looks at the clock: 256 responses at most. */
const BUCKETS = 8;

/** What is looked at. */
export interface LookedAt {
  readonly cache: Store | undefined;
  latest(): Snapshot | undefined;
}

/** Looks at what is stored, one question at a time. */
export class CacheUsageLook {
  readonly #plane: LookedAt;
  readonly #clock: Clock;
  readonly #scheduler: Scheduler;
  #last: Promise<unknown> = Promise.resolve();

  constructor(plane: LookedAt, clock: Clock, scheduler: Scheduler) {
    this.#plane = plane;
    this.#clock = clock;
    this.#scheduler = scheduler;
  }

  /** Null while there is no cache. One look at a time: the next waits. */
  look(settleS: number): Promise<CacheUsage | null> {
    const next = this.#last.then(() => this.#look(settleS));
    this.#last = next.catch(() => {}); // whoever asked is told
    return next;
  }

  async #look(settleS: number): Promise<CacheUsage | null> {
    const store = this.#plane.cache;
    const snapshot = this.#plane.latest();
    if (store === undefined || snapshot === undefined || !hasCache(snapshot)) return null;
    const tally = new UsageTally(settleS, this.#clock.wallMs() / 1000, ruleOf(snapshot));
    let spentMs = 0;
    for (let hasMore = true; hasMore && spentMs < LOOK_MS; ) {
      const startMs = this.#clock.nowMs();
      do hasMore = tally.look(store, BUCKETS);
      while (hasMore && this.#clock.nowMs() - startMs < PORTION_MS);
      spentMs += this.#clock.nowMs() - startMs;
      await this.#pause();
    }
    return tally.usage(store);
  }

  #pause(): Promise<void> {
    return new Promise((resolve) => void this.#scheduler.after(0, resolve));
  }
}

/** The rules that may have kept a response, by name; of several of them all. */
function ruleOf(snapshot: Snapshot): RuleOf {
  const keepers = keepersOf(snapshot);
  return ({ host, path, query }) => {
    const names = keepers({ host, target: path + query });
    return names.length === 0 ? "no rule any more" : [...new Set(names)].join(" or ");
  };
}
