/**
 * One shared store over many partitions: each key belongs to one, with the versions that it is compared with.
 *
 * What a key's entry, its lease and the counters of tags and prefixes need is one atomic step, so they lie together. A cache
 * that is spread over servers therefore has counters in each partition: an invalidation of a key goes to its partition, any
 * other to all of them. Each partition has a guard of its own, so that one whose server is down owes invalidations and
 * is not asked, while the others go on.
 */
import { murmur3String } from "../../base/index.ts";
import { SLOTS, slotOf } from "../../resp/index.ts";
import type { GuardedStore, GuardState } from "./guarded-store.ts";
import type { BusListener, Invalidation, Lookup, LookupRequest, NewValue, StoredValue } from "./store.ts";

/**
 * Partitions of a cache in a cluster. 64 spread over a dozen primaries within a sixth of each other, and a tag is
 * invalidated by 64 small steps, sent at once. Part of the layout: another number would look for keys where they are not.
 */
export const PARTITIONS = 64;

const KEY_SEED = 0x7061_7274;

/** What a partitioned store is made of. */
export interface PartitionedOptions {
  readonly partitions: readonly GuardedStore[];
  readonly listen: (listener: BusListener) => void;
  readonly close: () => void;
  /** Called when a partition has taken what must not be lost. */
  readonly onTold: (partition: number) => void;
}

/** Many partitions as one store. */
export class PartitionedStore implements GuardedStore {
  readonly #options: PartitionedOptions;

  constructor(options: PartitionedOptions) {
    this.#options = options;
  }

  /** Refuses when every partition does; what is owed is counted together. */
  get state(): GuardState {
    const states = this.#options.partitions.map(({ state }) => state);
    return {
      isRefusing: states.every(({ isRefusing }) => isRefusing),
      owed: states.reduce((sum, { owed }) => sum + owed, 0),
    };
  }

  lookup(key: string, request: LookupRequest): Promise<Lookup> {
    return this.#of(key).store.lookup(key, request);
  }

  peek(key: string): Promise<StoredValue | undefined> {
    return this.#of(key).store.peek(key);
  }

  fill(key: string, token: string, value: NewValue): Promise<boolean> {
    return this.#of(key).store.fill(key, token, value);
  }

  renew(key: string, token: string, leaseMs: number): Promise<void> {
    return this.#of(key).store.renew(key, token, leaseMs);
  }

  release(key: string, token: string): Promise<void> {
    return this.#of(key).store.release(key, token);
  }

  async put(key: string, value: NewValue): Promise<void> {
    const { store, at } = this.#of(key);
    await store.put(key, value);
    this.#options.onTold(at);
  }

  beginWrite(key: string, token: string, leaseMs: number): Promise<void> {
    return this.#of(key).store.beginWrite(key, token, leaseMs);
  }

  async endWrite(key: string, token: string, value: NewValue): Promise<boolean> {
    const { store, at } = this.#of(key);
    const isStored = await store.endWrite(key, token, value);
    this.#options.onTold(at);
    return isStored;
  }

  /** Rejects when a partition could not be told; the others are all the same, and that one's guard owes it. */
  async invalidate(invalidation: Invalidation): Promise<void> {
    const { partitions } = this.#options;
    const told =
      invalidation.kind === "key" ? [partitionOf(invalidation.key)] : Array.from(partitions, (_, at) => at);
    const outcomes = await Promise.allSettled(
      told.map(async (at) => {
        await partitions[at]?.invalidate(invalidation);
        this.#options.onTold(at);
      }),
    );
    for (const outcome of outcomes) if (outcome.status === "rejected") throw outcome.reason;
  }

  listen(listener: BusListener): void {
    this.#options.listen(listener);
  }

  async close(): Promise<void> {
    await Promise.all(this.#options.partitions.map((partition) => partition.close()));
    this.#options.close();
  }

  #of(key: string): { readonly store: GuardedStore; readonly at: number } {
    const at = partitionOf(key);
    const store = this.#options.partitions[at];
    if (store === undefined) throw new RangeError(`no partition ${at}`);
    return { store, at };
  }
}

/** The partition of a key. */
export function partitionOf(key: string): number {
  return murmur3String(key, KEY_SEED) % PARTITIONS;
}

/**
 * Prefixes of the partitions' keys: `{NAMESPACE:n}`, a hash tag, with n such that partition p lies in the p-th 64th of the
 * slots. So partitions are spread as evenly as the slots are.
 */
export function partitionPrefixes(namespace: string): readonly string[] {
  // A brace would end the tag, or leave none.
  const name = namespace.replace(/[{}]/g, (brace) => encodeURIComponent(brace));
  const prefixes: string[] = Array.from({ length: PARTITIONS }, () => "");
  let missing = PARTITIONS;
  for (let n = 0; missing > 0; n++) {
    const prefix = `{${name}:${n}}`;
    const at = Math.floor((slotOf(prefix) * PARTITIONS) / SLOTS);
    if (prefixes[at] !== "") continue;
    prefixes[at] = prefix;
    missing--;
  }
  return prefixes;
}
