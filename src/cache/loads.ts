/**
 * Loading what is not there: one load per key at a time in this process, and by leases one among all processes.
 *
 * The versions of a key and its tags are noted before its load begins; whatever is invalidated meanwhile voids the load's set, in
 * L1 by the watch, in the shared store by the lease. Its callers still get the value: they asked before the invalidation.
 */
import type { Cancel, Clock, Random, Scheduler } from "../base/index.ts";
import { type Codec, encoded } from "./codec.ts";
import type { Counters } from "./counters.ts";
import { refreshesEarly } from "./early-refresh.ts";
import { aboutKey, CacheError } from "./errors.ts";
import { Flight } from "./flight.ts";
import type { L1, L1Entry } from "./l1.ts";
import type { Lookup, SharedStore, StoredValue } from "./store/store.ts";
import { jittered, type Terms, tagsOf } from "./terms.ts";
import { type Watch, Watches } from "./watches.ts";

/** What a loader gets. */
export interface LoadContext {
  readonly key: string;
  /** Aborted when the hard timeout has passed. */
  readonly signal: AbortSignal;
}

/** Makes the value of a key. */
export type Loader<V> = (context: LoadContext) => V | Promise<V>;

/** What loads are made of. */
export interface LoadParts {
  readonly clock: Clock;
  readonly scheduler: Scheduler;
  readonly random: Random;
  readonly l1: L1;
  readonly store: SharedStore | undefined;
  readonly codec: Codec;
  readonly counters: Counters;
  /** Longest time that L1 trusts what the store said, where there is one. */
  readonly l1MaxAgeMs: number;
  readonly newToken: () => string;
}

/** What comes with a value that goes into L1. */
export interface KeepTerms {
  readonly freshMs: number;
  readonly graceMs: number;
  readonly loadMs: number;
  readonly tags: readonly string[];
}

/**
 * A lease holds for so long and is renewed three times in it, so that it outlives a lost message and a busy moment, and ends soon after
 * its holder has died. (NSDI 2013 has 10 s without renewing: a slow load is joined by a second one, a dead one waited for.)
 */
const LEASE_MS = 2000;
const RENEWALS = 3;
/** Until it is renewed for the first time: nobody may hold it, since the answer to a lookup can be lost or come too late. */
const CLAIM_MS = 300;
/** Waits of those who did not win: 5 ms, doubled up to 80. */
const WAIT_MS_MIN = 5;
const WAIT_MS_MAX = 80;
/** After a failed load a stale value is served for so long before the next is tried. */
const RETRY_AFTER_MS = 1000;
/** Keys in that state; beyond, all may be tried again. */
const FAILED_MAX = 10_000;

/** The loads of one cache. */
export class Loads {
  readonly #parts: LoadParts;
  readonly #flights: Map<string, Flight> = new Map<string, Flight>();
  readonly #failedUntilMs: Map<string, number> = new Map<string, number>();
  readonly watches: Watches = new Watches();

  constructor(parts: LoadParts) {
    this.#parts = parts;
  }

  /** Loads under way. */
  get size(): number {
    return this.#flights.size;
  }

  isUnderWay(key: string): boolean {
    return this.#flights.has(key);
  }

  /** Whether a load failed just now, so that a stale value is served without another try. */
  isBackingOff(key: string): boolean {
    const untilMs = this.#failedUntilMs.get(key);
    if (untilMs === undefined) return false;
    if (untilMs > this.#parts.l1.nowMs()) return true;
    this.#failedUntilMs.delete(key);
    return false;
  }

  /** Joins the load of the key, or begins it. `stale` is what to fall back on; `refresh` loads though it is fresh. */
  start(
    key: string,
    load: Loader<unknown>,
    terms: Terms,
    stale: L1Entry | undefined,
    refresh = false,
  ): Flight {
    const known = this.#flights.get(key);
    if (known !== undefined && this.#mayJoin(known)) return known;
    const { l1, scheduler, counters } = this.#parts;
    const watch = this.watches.begin(key, l1.generations.now);
    const flight = new Flight(watch, terms, scheduler, {
      answered: (outcome) => counters.outcomes[outcome]++,
      landed: (landed) => this.#remove(landed),
    });
    this.#flights.set(key, flight);
    if (stale !== undefined) flight.allowStale({ value: stale.value });
    void this.#fly(flight, load, refresh);
    return flight;
  }

  /** An invalidation of the key: who asks from now on does not join what began before. */
  void(key: string): void {
    this.watches.void(key);
    this.#flights.delete(key);
  }

  /** Nobody joins what is under way. */
  voidAll(): void {
    this.#flights.clear();
  }

  /** Who asks after an invalidation by tag or prefix does not join a load from before that it concerns, or may concern. */
  #mayJoin({ watch, terms }: Flight): boolean {
    const { generations } = this.#parts.l1;
    if (watch.since === generations.now) return true;
    return Array.isArray(terms.tags) && generations.isCurrent(watch.key, terms.tags, watch.since);
  }

  /** Puts a value into L1, unless it was invalidated since the watch began; whether it did. */
  keep({ key, since, isVoid }: Watch, value: unknown, terms: KeepTerms): boolean {
    if (isVoid || !this.#parts.l1.generations.isCurrent(key, terms.tags, since)) return false;
    this.#keep(key, value, terms, since);
    return true;
  }

  /** Puts a value into L1 that is newer than whatever was there. */
  keepOwn(key: string, value: unknown, terms: KeepTerms): void {
    this.#keep(key, value, terms, this.#parts.l1.generations.now);
  }

  #keep(key: string, value: unknown, { freshMs, graceMs, loadMs, tags }: KeepTerms, since: number): void {
    const { l1, store, l1MaxAgeMs } = this.#parts;
    const ttlMs = store === undefined ? freshMs : Math.min(freshMs, l1MaxAgeMs);
    l1.set(key, value, { ttlMs, graceMs, tags, since, loadMs });
  }

  async #fly(flight: Flight, load: Loader<unknown>, refresh: boolean): Promise<void> {
    const { key } = flight.watch;
    let again = false;
    try {
      again = await this.#run(flight, load, refresh);
    } catch (error) {
      this.#parts.counters.loadErrors++;
      this.#noteFailure(key);
      flight.fail(error, "error");
    } finally {
      this.watches.end(flight.watch);
      flight.land();
    }
    if (again && !this.#flights.has(key)) this.start(key, load, flight.terms, undefined, true);
  }

  #remove(flight: Flight): void {
    if (this.#flights.get(flight.watch.key) === flight) this.#flights.delete(flight.watch.key);
  }

  #noteFailure(key: string): void {
    if (this.#failedUntilMs.size >= FAILED_MAX) this.#failedUntilMs.clear();
    this.#failedUntilMs.set(key, this.#parts.l1.nowMs() + RETRY_AFTER_MS);
  }

  /** Asks the store, if there is one, until there is a value or it is ours to load. Whether to refresh it early right after. */
  async #run(flight: Flight, load: Loader<unknown>, refresh: boolean): Promise<boolean> {
    const { store, counters } = this.#parts;
    if (store === undefined) {
      await this.#load(flight, load, undefined);
      return false;
    }
    let mustRefresh = refresh;
    for (let waitMs = WAIT_MS_MIN; ; waitMs = Math.min(WAIT_MS_MAX, waitMs * 2)) {
      const found = await this.#lookup(store, flight, mustRefresh);
      if (found === undefined) {
        await this.#load(flight, load, undefined);
        return false;
      }
      if (found.kind === "hit") {
        const decoded = this.#parts.codec.decode(found.value.payload);
        if (decoded !== undefined) return this.#hit(flight, found.value, decoded.value);
        counters.unreadable++;
        mustRefresh = true;
        continue;
      }
      this.#offer(flight, found.stale, refresh);
      if (found.kind === "won") {
        await this.#load(flight, load, found.token);
        return false;
      }
      counters.waits++;
      if (flight.isAnswered) return false;
      mustRefresh = false;
      await this.#pause(waitMs);
    }
  }

  /** Undefined when the store is down. */
  async #lookup(store: SharedStore, flight: Flight, refresh: boolean): Promise<Lookup | undefined> {
    const { newToken, counters } = this.#parts;
    const leaseMs = Math.min(CLAIM_MS, flight.terms.hardTimeoutMs);
    try {
      return await store.lookup(flight.watch.key, { token: newToken(), leaseMs, refresh });
    } catch {
      counters.storeErrors++;
      return undefined;
    }
  }

  #hit(flight: Flight, stored: StoredValue, value: unknown): boolean {
    const { counters, random } = this.#parts;
    counters.storeHits++;
    const { freshMs, staleMs, loadMs, tags } = stored;
    this.keep(flight.watch, value, { freshMs, graceMs: staleMs - freshMs, loadMs, tags });
    flight.succeed(value);
    const isEarly = refreshesEarly(freshMs, loadMs, flight.terms.beta, random);
    if (isEarly) counters.earlyRefreshes++;
    return isEarly;
  }

  /** A stale value from the store: to fall back on, or where somebody else loads it, good enough at once. */
  #offer(flight: Flight, stored: StoredValue | undefined, refresh: boolean): void {
    const stale = stored === undefined ? undefined : this.#parts.codec.decode(stored.payload);
    if (stored === undefined || stale === undefined) return;
    const isFresh = stored.freshMs > 0;
    if (flight.terms.graceMs === 0 && !isFresh) return;
    flight.allowStale(stale);
    if (refresh && isFresh) flight.settleForStale();
  }

  /** Runs the loader and keeps what it gives. Without a token the value goes into L1 alone. */
  async #load(flight: Flight, load: Loader<unknown>, token: string | undefined): Promise<void> {
    const { clock, random, store, codec, counters } = this.#parts;
    const { watch, terms } = flight;
    const startedMs = clock.nowMs();
    counters.loads++;
    const stopRenewing = token === undefined ? () => {} : this.#keepRenewing(flight, token);
    try {
      const value = await load({ key: watch.key, signal: flight.signal });
      const loadMs = clock.nowMs() - startedMs;
      counters.observeLoad(loadMs);
      const isAbsent = value === undefined || value === null;
      if (value === undefined && terms.negativeTtlMs === undefined)
        throw new CacheError("load-undefined", aboutKey(watch.key));
      const lifeMs = isAbsent ? (terms.negativeTtlMs ?? terms.ttlMs) : terms.ttlMs;
      const ttlMs = jittered(lifeMs, terms.jitter, random);
      const graceMs = isAbsent ? 0 : terms.graceMs;
      const tags = tagsOf(terms, value);
      this.#failedUntilMs.delete(watch.key);
      if (token === undefined || store === undefined) {
        if (!this.keep(watch, value, { freshMs: ttlMs, graceMs, loadMs, tags })) counters.voided++;
      } else {
        const payload = encoded(codec, value, watch.key);
        const isFilled = await store
          .fill(watch.key, token, { payload, ttlMs, graceMs, loadMs, tags })
          .catch(() => {
            counters.storeErrors++;
            return true; // nobody knows: L1 may have it for its own time
          });
        if (!isFilled || !this.keep(watch, value, { freshMs: ttlMs, graceMs, loadMs, tags }))
          counters.voided++;
      }
      flight.succeed(value);
    } catch (error) {
      if (token !== undefined) void store?.release(watch.key, token).catch(() => {});
      throw error;
    } finally {
      stopRenewing();
    }
  }

  /** Renews the lease until the load is given up or the returned function is called. */
  #keepRenewing(flight: Flight, token: string): Cancel {
    const { scheduler, store } = this.#parts;
    const renewLater = (leaseMs: number): Cancel =>
      scheduler.after(leaseMs / RENEWALS, () => {
        if (flight.signal.aborted) return;
        void store?.renew(flight.watch.key, token, LEASE_MS).catch(() => {}); // without it the lease ends
        cancel = renewLater(LEASE_MS);
      });
    let cancel = renewLater(CLAIM_MS);
    return () => cancel();
  }

  #pause(ms: number): Promise<void> {
    const { scheduler, random } = this.#parts;
    return new Promise((resolve) => void scheduler.after(ms * (0.5 + random()), resolve));
  }
}
