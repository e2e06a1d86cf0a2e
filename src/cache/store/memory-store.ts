/**
 * A shared store in the memory of this process: for tests, and the measure of what the others must do.
 *
 * Several caches may share one, each through a `view` of its own, as several processes share a server.
 */
import type { Clock } from "../../base/index.ts";
import { Generations } from "../generations.ts";
import type {
  BusListener,
  Invalidation,
  Lookup,
  LookupRequest,
  NewValue,
  SharedStore,
  StoredValue,
} from "./store.ts";

interface Row {
  readonly value: NewValue;
  readonly since: number;
  readonly freshUntilMs: number;
  isSoft: boolean;
}

interface Lease {
  readonly token: string;
  readonly since: number;
  untilMs: number;
  readonly isWrite: boolean;
}

/** Token of a write lease that two writers wanted; nobody holds it. */
const CONTENDED = "";

/** Rows and leases that views share. */
export class MemoryStore {
  readonly #clock: Clock;
  readonly #rows: Map<string, Row> = new Map<string, Row>();
  readonly #leases: Map<string, Lease> = new Map<string, Lease>();
  readonly #generations: Generations = new Generations();
  readonly #listeners: Map<SharedStore, BusListener> = new Map<SharedStore, BusListener>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** One process's way to it. */
  view(): SharedStore {
    const view: SharedStore = {
      lookup: async (key, request) => this.#lookup(key, request),
      peek: async (key) => this.#find(key),
      fill: async (key, token, value) => this.#fill(key, token, value),
      renew: async (key, token, leaseMs) => {
        const lease = this.#leaseOf(key);
        if (lease?.token === token) lease.untilMs = this.#clock.nowMs() + leaseMs;
      },
      release: async (key, token) => {
        if (this.#leaseOf(key)?.token === token) this.#leases.delete(key);
      },
      put: async (key, value) => {
        this.#leases.delete(key);
        this.#store(key, value, this.#generations.now);
        this.#tell(view, { kind: "key", key, soft: false });
      },
      beginWrite: async (key, token, leaseMs) => this.#beginWrite(key, token, leaseMs),
      endWrite: async (key, token, value) => {
        const isFilled = this.#fill(key, token, value);
        const invalidation = { kind: "key", key, soft: false } as const;
        if (!isFilled) this.#invalidate(invalidation);
        this.#tell(view, invalidation);
        return isFilled;
      },
      invalidate: async (invalidation) => {
        this.#invalidate(invalidation);
        this.#tell(view, invalidation);
      },
      listen: (listener) => void this.#listeners.set(view, listener),
      close: async () => void this.#listeners.delete(view),
    };
    return view;
  }

  #lookup(key: string, { token, leaseMs, refresh }: LookupRequest): Lookup {
    const value = this.#find(key);
    const isFresh = value !== undefined && value.freshMs > 0;
    if (isFresh && !refresh) return { kind: "hit", value };
    if (this.#leaseOf(key) !== undefined) return { kind: "wait", stale: value };
    const untilMs = this.#clock.nowMs() + leaseMs;
    this.#leases.set(key, { token, since: this.#generations.now, untilMs, isWrite: false });
    return { kind: "won", token, stale: value };
  }

  #fill(key: string, token: string, value: NewValue): boolean {
    const lease = this.#leaseOf(key);
    if (lease === undefined || token === CONTENDED || lease.token !== token) return false;
    this.#leases.delete(key);
    if (!this.#generations.isCurrent(key, value.tags, lease.since)) return false;
    this.#store(key, value, lease.since);
    return true;
  }

  #store(key: string, value: NewValue, since: number): void {
    this.#rows.set(key, { value, since, freshUntilMs: this.#clock.nowMs() + value.ttlMs, isSoft: false });
  }

  #beginWrite(key: string, token: string, leaseMs: number): void {
    const isContended = this.#leaseOf(key)?.isWrite === true;
    this.#leases.set(key, {
      token: isContended ? CONTENDED : token,
      since: this.#generations.now,
      untilMs: this.#clock.nowMs() + leaseMs,
      isWrite: true,
    });
  }

  #invalidate(invalidation: Invalidation): void {
    switch (invalidation.kind) {
      case "key": {
        this.#leases.delete(invalidation.key);
        const row = this.#rows.get(invalidation.key);
        if (row !== undefined && invalidation.soft) row.isSoft = true;
        else this.#rows.delete(invalidation.key);
        return;
      }
      case "tag":
        return this.#generations.invalidateTag(invalidation.tag);
      case "prefix":
        return this.#generations.invalidatePrefix(invalidation.prefix);
      case "all":
        this.#rows.clear();
        return this.#generations.invalidateAll();
    }
  }

  #find(key: string): StoredValue | undefined {
    const row = this.#rows.get(key);
    if (row === undefined) return undefined;
    const leftMs = row.freshUntilMs - this.#clock.nowMs();
    const staleMs = leftMs + row.value.graceMs;
    if (staleMs <= 0 || !this.#generations.isCurrent(key, row.value.tags, row.since)) {
      this.#rows.delete(key);
      return undefined;
    }
    const { payload, loadMs, tags } = row.value;
    return { payload, loadMs, tags, staleMs, freshMs: row.isSoft ? 0 : leftMs };
  }

  #leaseOf(key: string): Lease | undefined {
    const lease = this.#leases.get(key);
    if (lease === undefined || lease.untilMs > this.#clock.nowMs()) return lease;
    this.#leases.delete(key);
    return undefined;
  }

  #tell(from: SharedStore, invalidation: Invalidation): void {
    for (const [view, { invalidated }] of this.#listeners) if (view !== from) invalidated(invalidation);
  }
}
