/**
 * The app cache: L1 in this process, and where there is a shared store, L2 in it and a bus that tells of invalidations.
 *
 * A read goes L1 -> L2 -> loader. A read that finds something fresh in L1 does nothing else. What is stale but within its
 * grace is served when a load is slow or fails. An invalidation goes to L1 first, then to L2, which tells the other processes.
 */
import { renderMetrics } from "../base/index.ts";
import { type BatchLoader, batched } from "./batch.ts";
import { encoded, NO_PAYLOAD } from "./codec.ts";
import { type CacheStats, Counters, metricsOf, statsOf } from "./counters.ts";
import { refreshesEarly } from "./early-refresh.ts";
import { CacheError, keyProblem } from "./errors.ts";
import { type Explanation, explainEntry } from "./explain.ts";
import { KeyTurns } from "./key-turns.ts";
import type { L1Entry } from "./l1.ts";
import { type Loader, type LoadParts, Loads } from "./loads.ts";
import type { Invalidation } from "./store/store.ts";
import { jittered, parseTerms, type Terms, type TermsInput, tagsOf } from "./terms.ts";
import type { Watch } from "./watches.ts";

/** What is invalid from now on. `soft` keys may still be served stale while they are loaded anew. */
export interface InvalidationInput {
  readonly keys?: readonly string[];
  readonly tags?: readonly string[];
  readonly prefix?: string;
  readonly all?: boolean;
  readonly soft?: boolean;
}

/** Whether an invalidation has reached the shared store, or is owed to it until it is back. */
export type Reach = "everywhere" | "here";

/** Name of an event -> what it makes invalid. */
export type Events = Readonly<Record<string, (payload: never) => InvalidationInput>>;

/** What a cache is made of. */
export interface CacheParts extends Omit<LoadParts, "counters"> {
  readonly name: string;
  readonly terms: Terms;
  readonly events: Events;
  readonly counters?: Counters;
}

/** An early refresh this many load times before the end has a chance of e^-12, one in 160,000: no lot is drawn. */
const EARLIEST = 12;

/** One cache. Made by `createCache`. */
export class Cache {
  readonly name: string;
  readonly #parts: CacheParts;
  readonly #counters: Counters;
  readonly #loads: Loads;
  /** Writers of one key take turns. */
  readonly #writes: KeyTurns = new KeyTurns();
  #isClosed = false;

  constructor(parts: CacheParts) {
    this.name = parts.name;
    this.#parts = parts;
    this.#counters = parts.counters ?? new Counters();
    this.#loads = new Loads({ ...parts, counters: this.#counters });
    parts.store?.listen({
      invalidated: (invalidation) => {
        this.#counters.heard++;
        this.#forget(invalidation);
      },
      interrupted: () => {
        this.#counters.interruptions++;
        this.#forget({ kind: "all" });
      },
    });
  }

  /** Milliseconds since the Unix epoch. */
  readonly wallMs = (): number => this.#parts.clock.wallMs();

  // --- reading ------------------------------------------------------------------------------------------------

  /**
   * The value of the key, loaded when there is none. One load per key at a time, here and among all processes that share the
   * store. Rejects with the loader's error, or a `CacheError`: "load-timeout", "load-undefined", "cache-closed".
   */
  getOrSet<V>(key: string, load: Loader<V>, options?: TermsInput): Promise<V> {
    return this.#getOrSet(key, load, options) as Promise<V>;
  }

  #getOrSet(key: string, load: Loader<unknown>, options: TermsInput | undefined): Promise<unknown> {
    if (this.#isClosed) return Promise.reject(new CacheError("cache-closed", this.name));
    const problem = keyProblem(key);
    if (problem !== undefined) return Promise.reject(problem);
    const entry = this.#parts.l1.find(key);
    const leftMs = entry === undefined ? 0 : entry.freshUntilMs - this.#parts.l1.nowMs();
    if (entry !== undefined && leftMs > 0) {
      this.#counters.l1Hits++;
      if (entry.details.loadMs > 0 && leftMs < entry.details.loadMs * EARLIEST)
        this.#maybeRefresh(entry, leftMs, load, options);
      return Promise.resolve(entry.value);
    }
    if (entry !== undefined && this.#loads.isBackingOff(key)) {
      this.#counters.l1Stale++;
      return Promise.resolve(entry.value);
    }
    if (entry === undefined) this.#counters.l1Misses++;
    else this.#counters.l1Stale++;
    try {
      return this.#loads.start(key, load, parseTerms(options, this.#parts.terms), entry).answer;
    } catch (error) {
      return Promise.reject(error);
    }
  }

  #maybeRefresh(
    entry: L1Entry,
    leftMs: number,
    load: Loader<unknown>,
    options: TermsInput | undefined,
  ): void {
    const terms = parseTerms(options, this.#parts.terms);
    const { key } = entry.seat;
    if (this.#loads.isUnderWay(key)) return;
    if (!refreshesEarly(leftMs, entry.details.loadMs, terms.beta, this.#parts.random)) return;
    this.#counters.earlyRefreshes++;
    this.#loads.start(key, load, terms, undefined, true);
  }

  /** The fresh value, from L1 or the store; undefined when there is none. Never loads; a store that is down has nothing. */
  async get<V>(key: string): Promise<V | undefined> {
    const { l1, store, codec } = this.#parts;
    const problem = keyProblem(key);
    if (problem !== undefined) throw problem;
    const entry = l1.find(key);
    if (entry !== undefined && entry.freshUntilMs > l1.nowMs()) {
      this.#counters.l1Hits++;
      return entry.value as V;
    }
    this.#counters.l1Misses++;
    if (store === undefined) return undefined;
    return this.#watching(key, async (watch) => {
      const found = await store.peek(key).catch(() => {
        this.#counters.storeErrors++;
        return undefined;
      });
      if (found === undefined || found.freshMs <= 0) return undefined;
      const decoded = codec.decode(found.payload);
      if (decoded === undefined) return undefined;
      this.#counters.storeHits++;
      const { freshMs, staleMs, loadMs, tags } = found;
      this.#loads.keep(watch, decoded.value, { freshMs, graceMs: staleMs - freshMs, loadMs, tags });
      return decoded.value as V;
    });
  }

  /**
   * The values of many keys. With `loadMany` those that are missing are loaded together, each key by one caller at a
   * time; without it they are left out, as are keys for which `loadMany` has none.
   */
  async getMany<V>(
    keys: readonly string[],
    loadMany?: BatchLoader<V>,
    options?: TermsInput,
  ): Promise<Map<string, V>> {
    const load = loadMany === undefined ? undefined : batched(loadMany, this.#parts);
    const distinct = [...new Set(keys)];
    const values = await Promise.all(
      distinct.map((key) =>
        load === undefined ? this.get<V>(key) : this.getOrSet<V | null>(key, load, options),
      ),
    );
    const found = new Map<string, V>();
    distinct.forEach((key, index) => {
      const value = values[index];
      if (value !== undefined && value !== null) found.set(key, value);
    });
    return found;
  }

  // --- writing ------------------------------------------------------------------------------------------------

  /** Keeps a value, in L1 and in the store. Loads of the key that are under way are not kept. */
  async set(key: string, value: unknown, options?: TermsInput): Promise<Reach> {
    const { store, codec, random } = this.#parts;
    const problem = keyProblem(key);
    if (problem !== undefined) throw problem;
    const terms = parseTerms(options, this.#parts.terms);
    const tags = tagsOf(terms, value);
    // Before anything changes: a value that cannot be written leaves all as it was.
    const payload = store === undefined ? NO_PAYLOAD : encoded(codec, value, key);
    this.#counters.sets++;
    this.#loads.void(key);
    const ttlMs = jittered(terms.ttlMs, terms.jitter, random);
    const { graceMs } = terms;
    // L1 first: what another process writes from now on is heard of later than this, and takes it out again.
    this.#loads.keepOwn(key, value, { freshMs: ttlMs, graceMs, tags, loadMs: 0 });
    return this.#toStore(() => store?.put(key, { payload, ttlMs, graceMs, tags, loadMs: 0 }));
  }

  /** Forgets a key, here and everywhere. */
  delete(key: string): Promise<Reach> {
    return this.invalidate({ keys: [key] });
  }

  /**
   * Makes keys, tags, a prefix or everything invalid. When it resolves to "everywhere", no later read of the store gives
   * what was there before, and other processes' L1 follow as fast as the bus; "here" means that the store is down: it is told as
   * soon as it is back, before anything else is asked of it.
   */
  async invalidate(input: InvalidationInput): Promise<Reach> {
    const all = invalidationsOf(input);
    this.#counters.invalidations += all.length;
    for (const invalidation of all) this.#forget(invalidation);
    const reaches = await Promise.all(
      all.map((invalidation) => this.#toStore(() => this.#parts.store?.invalidate(invalidation))),
    );
    // Once more: a read of the store that began in between may have found the old value.
    for (const invalidation of all) this.#forget(invalidation);
    return reaches.includes("here") ? "here" : "everywhere";
  }

  /** Makes invalid what the event's row says. Throws a TypeError when there is no such row. */
  emit(event: string, payload?: unknown): Promise<Reach> {
    const row = this.#parts.events[event];
    if (row === undefined) {
      const known = Object.keys(this.#parts.events).join(", ");
      throw new TypeError(
        `event "${event}" has no row in \`events\`: there are ${known === "" ? "none" : known}`,
      );
    }
    return this.invalidate(row(payload as never));
  }

  /**
   * Writes to the source and keeps the value. Readers get the old one until the source has the new one; where two
   * processes write one key at once neither value is kept, since nobody knows which the source took last.
   */
  writeThrough(
    key: string,
    value: unknown,
    write: () => Promise<void>,
    options?: TermsInput,
  ): Promise<Reach> {
    return this.#writes.run(key, () => this.#writeThrough(key, value, write, options));
  }

  async #writeThrough(
    key: string,
    value: unknown,
    write: () => Promise<void>,
    options?: TermsInput,
  ): Promise<Reach> {
    const { store, newToken, codec, random } = this.#parts;
    const terms = parseTerms(options, this.#parts.terms);
    const tags = tagsOf(terms, value);
    const payload = store === undefined ? NO_PAYLOAD : encoded(codec, value, key);
    const token = newToken();
    this.#loads.void(key);
    await this.#toStore(() => store?.beginWrite(key, token, terms.hardTimeoutMs * 2));
    try {
      await write();
    } catch (error) {
      await this.delete(key); // the source may have taken it all the same
      throw error;
    }
    this.#forget({ kind: "key", key, soft: false });
    const ttlMs = jittered(terms.ttlMs, terms.jitter, random);
    const { graceMs } = terms;
    return this.#watching(key, async (watch) => {
      let isFilled = true;
      const reach = await this.#toStore(async () => {
        const stored = { payload, ttlMs, graceMs, tags, loadMs: 0 };
        isFilled = (await store?.endWrite(key, token, stored)) ?? true;
      });
      if (isFilled && reach === "everywhere")
        this.#loads.keep(watch, value, { freshMs: ttlMs, graceMs, tags, loadMs: 0 });
      return reach;
    });
  }

  // --- looking ------------------------------------------------------------------------------------------------

  /** Where a key is and why a read would get what it gets. Counts as no read. */
  async explain(key: string): Promise<Explanation> {
    const { l1, store } = this.#parts;
    const inStore = await store?.peek(key).catch((error: unknown) => String(error));
    const isLoading = this.#loads.isUnderWay(key);
    return explainEntry(key, { l1, nowMs: l1.nowMs(), inStore, isLoading });
  }

  /** Counts since the start. */
  stats(): CacheStats {
    return statsOf(this.#counters, this.#parts.l1.stats());
  }

  /** The counts in Prometheus' text format. */
  metrics(): string {
    return renderMetrics(metricsOf(this.name, this.stats()));
  }

  /** Lets go of the store. Later calls are rejected. */
  async close(): Promise<void> {
    this.#isClosed = true;
    this.#loads.voidAll();
    await this.#parts.store?.close();
  }

  // --- inside -------------------------------------------------------------------------------------------------

  /** Forgets in this process: values, and the right to keep what is being loaded or read. */
  #forget(invalidation: Invalidation): void {
    const { l1 } = this.#parts;
    switch (invalidation.kind) {
      case "key":
        this.#loads.void(invalidation.key);
        if (invalidation.soft) l1.expire(invalidation.key);
        else l1.delete(invalidation.key);
        return;
      case "tag":
        return l1.generations.invalidateTag(invalidation.tag);
      case "prefix":
        return l1.generations.invalidatePrefix(invalidation.prefix);
      case "all":
        return l1.clear();
    }
  }

  async #watching<T>(key: string, run: (watch: Watch) => Promise<T>): Promise<T> {
    const watch = this.#loads.watches.begin(key, this.#parts.l1.generations.now);
    try {
      return await run(watch);
    } finally {
      this.#loads.watches.end(watch);
    }
  }

  async #toStore(run: () => Promise<void> | undefined): Promise<Reach> {
    try {
      await run();
      return "everywhere";
    } catch {
      this.#counters.storeErrors++;
      return "here";
    }
  }
}

function invalidationsOf({
  keys = [],
  tags = [],
  prefix,
  all,
  soft = false,
}: InvalidationInput): Invalidation[] {
  return [
    ...keys.map((key): Invalidation => ({ kind: "key", key, soft })),
    ...tags.map((tag): Invalidation => ({ kind: "tag", tag })),
    ...(prefix === undefined ? [] : [{ kind: "prefix", prefix } as const]),
    ...(all === true ? [{ kind: "all" } as const] : []),
  ];
}
