/**
 * The cache in the process's own memory (L1): synchronous, bounded by entries or bytes, with expiry and tags.
 *
 * Entries are the nodes of the eviction policy, so a read is one lookup and a write two at most. Expired entries go when they are found or when the policy comes to them; no timer runs for them.
 *
 * The clock is read at most once per millisecond of running: an entry may outlive its time by as long as one synchronous
 * piece of code runs.
 */
import type { Clock, Random, Scheduler } from "../base/index.ts";
import { type Eviction, type EvictionNode, newSeat } from "./eviction/eviction.ts";
import { type EvictionName, POLICIES } from "./eviction/policies.ts";
import { Generations } from "./generations.ts";

/** What an L1 is made of. */
export interface L1Options {
  /** Most entries, or with `sizeOf` most bytes. */
  readonly capacity: number;
  /** Bytes of an entry; where it is left out each entry counts as 1. */
  readonly sizeOf?: ((value: unknown, key: string) => number) | undefined;
  readonly eviction: EvictionName;
  readonly clock: Clock;
  readonly scheduler: Scheduler;
  readonly random: Random;
}

/** What comes with a value. */
export interface L1Terms {
  /** Until then a read finds it fresh; ms from now, infinite for ever. */
  readonly ttlMs: number;
  /** So long after that it may be served stale. */
  readonly graceMs: number;
  readonly tags: readonly string[];
  /** `Generations.now` from before the value was loaded. */
  readonly since: number;
  /** How long its load took, for early refreshes; 0 when nobody knows. */
  readonly loadMs: number;
}

/** A value with what is known of it. Read only outside this file, and not kept: it may be another key's after the next `set`. */
export interface L1Entry extends EvictionNode {
  value: unknown;
  freshUntilMs: number;
  since: number;
  details: L1Details;
}

/** What a read of a fresh value does not need. */
export interface L1Details {
  readonly setAtMs: number;
  readonly staleUntilMs: number;
  readonly tags: readonly string[];
  readonly loadMs: number;
}

/** Counts since the start. */
export interface L1Stats {
  readonly entries: number;
  /** Entries, or bytes with `sizeOf`. */
  readonly usedCost: number;
  readonly capacity: number;
  readonly hits: number;
  readonly misses: number;
  readonly evictions: number;
  /** Values not kept because they alone are larger than the whole. */
  readonly tooLarge: number;
}

/** Of a value that was set without terms. */
const FOR_EVER: L1Details = { setAtMs: 0, staleUntilMs: Number.POSITIVE_INFINITY, tags: [], loadMs: 0 };
/** The clock was not read yet in this millisecond. */
const UNKNOWN = Number.NEGATIVE_INFINITY;

/** Values by key, in memory. */
export class L1 {
  readonly #entries: Map<string, L1Entry> = new Map<string, L1Entry>();
  readonly #options: L1Options;
  readonly #policy: Eviction;
  readonly generations: Generations = new Generations();
  #spare: L1Entry | undefined;
  #nowMs = UNKNOWN;
  #hits = 0;
  #misses = 0;
  #evictions = 0;
  #tooLarge = 0;

  constructor(options: L1Options) {
    this.#options = options;
    const { capacity, clock, random } = options;
    if (!(capacity >= 1)) throw new RangeError(`an L1 must hold at least 1, not ${capacity}`);
    this.#policy = POLICIES[options.eviction]({
      capacity,
      clock,
      random,
      // Every node that the policy has is an entry of this cache.
      drop: (node) => this.#drop(node as L1Entry),
    });
  }

  /** The fresh value; undefined when there is none. The checks stand here and not in a method: a hit is a tenth faster so. */
  get(key: string): unknown {
    const entry = this.#entries.get(key);
    if (
      entry === undefined ||
      (entry.freshUntilMs !== Number.POSITIVE_INFINITY && entry.freshUntilMs <= this.nowMs()) ||
      (entry.since !== this.generations.now && !this.#isCurrent(entry))
    ) {
      this.#misses++;
      return undefined;
    }
    this.#hits++;
    this.#policy.touch(entry);
    return entry.value;
  }

  /** The entry, fresh or stale within its grace, and counts it as used. */
  find(key: string): L1Entry | undefined {
    const entry = this.peek(key);
    if (entry === undefined) {
      this.#misses++;
      return undefined;
    }
    this.#hits++;
    this.#policy.touch(entry);
    return entry;
  }

  /** As `find`, and nobody notices. */
  peek(key: string): L1Entry | undefined {
    const entry = this.#entries.get(key);
    if (entry === undefined) return undefined;
    if (this.#isPast(entry.freshUntilMs) && this.#isPast(entry.details.staleUntilMs)) {
      this.#delete(entry);
      return undefined;
    }
    return this.#isCurrent(entry) ? entry : undefined;
  }

  /** Keeps a value; `terms` only where they differ from "for ever". A value larger than the whole is not kept. */
  set(key: string, value: unknown, terms?: L1Terms): void {
    const { sizeOf, capacity } = this.#options;
    const cost = sizeOf === undefined ? 1 : sizeOf(value, key);
    const known = this.#entries.get(key);
    if (cost > capacity) {
      this.#tooLarge++;
      if (known !== undefined) this.#delete(known);
      return;
    }
    const entry = known ?? this.#newEntry(key);
    this.#fill(entry, value, terms);
    if (known === undefined) {
      this.#entries.set(key, entry);
      this.#policy.admit(entry, cost);
    } else if (sizeOf === undefined) {
      this.#policy.touch(entry);
    } else {
      this.#policy.resize(entry, cost);
    }
  }

  /** Forgets a key; whether there was something fresh or stale. */
  delete(key: string): boolean {
    const entry = this.#entries.get(key);
    if (entry === undefined) return false;
    this.#delete(entry);
    return true;
  }

  /** Ends an entry's freshness now, so that it may only be served stale. */
  expire(key: string): void {
    const entry = this.peek(key);
    if (entry !== undefined) entry.freshUntilMs = Math.min(entry.freshUntilMs, this.nowMs());
  }

  /** Forgets everything. */
  clear(): void {
    this.generations.invalidateAll();
    for (const entry of this.#entries.values()) this.#delete(entry);
  }

  /** Monotonic time, the same for a millisecond of running. */
  nowMs(): number {
    if (this.#nowMs === UNKNOWN) {
      this.#nowMs = this.#options.clock.nowMs();
      this.#options.scheduler.after(1, this.#forgetNow);
    }
    return this.#nowMs;
  }

  /** Counts since the start. */
  stats(): L1Stats {
    return {
      entries: this.#entries.size,
      usedCost: this.#policy.usedCost,
      capacity: this.#options.capacity,
      hits: this.#hits,
      misses: this.#misses,
      evictions: this.#evictions,
      tooLarge: this.#tooLarge,
    };
  }

  readonly #forgetNow = (): void => {
    this.#nowMs = UNKNOWN;
  };

  #fill(entry: L1Entry, value: unknown, terms: L1Terms | undefined): void {
    entry.value = value;
    if (terms === undefined) {
      entry.freshUntilMs = Number.POSITIVE_INFINITY;
      entry.since = this.generations.now;
      entry.details = FOR_EVER;
      return;
    }
    const setAtMs = this.nowMs();
    const { ttlMs, graceMs, tags, since, loadMs } = terms;
    entry.freshUntilMs = setAtMs + ttlMs;
    entry.since = since;
    entry.details = { setAtMs, staleUntilMs: entry.freshUntilMs + graceMs, tags, loadMs };
  }

  #isPast(untilMs: number): boolean {
    return untilMs !== Number.POSITIVE_INFINITY && untilMs <= this.nowMs();
  }

  /** Looks at invalidations since the entry was made, or since the last time they were looked at. */
  #isCurrent(entry: L1Entry): boolean {
    const { generations } = this;
    if (entry.since === generations.now) return true;
    if (!generations.isCurrent(entry.seat.key, entry.details.tags, entry.since)) {
      this.#delete(entry);
      return false;
    }
    entry.since = generations.now;
    return true;
  }

  #delete(entry: L1Entry): void {
    this.#policy.remove(entry);
    this.#entries.delete(entry.seat.key);
  }

  #drop(entry: L1Entry): void {
    this.#evictions++;
    this.#entries.delete(entry.seat.key);
    entry.value = undefined;
    entry.details = FOR_EVER;
    this.#spare = entry;
  }

  /** In a full cache each new entry makes one go, which serves again: half the garbage. */
  #newEntry(key: string): L1Entry {
    const spare = this.#spare;
    if (spare === undefined) return newEntry(key);
    this.#spare = undefined;
    spare.seat.key = key;
    return spare;
  }
}

function newEntry(key: string): L1Entry {
  return { uses: 0, seat: newSeat(key), value: undefined, freshUntilMs: 0, since: 0, details: FOR_EVER };
}
