/**
 * Several regions with one writable source and read replicas that lag behind it: remote markers (NSDI 2013, section 5).
 *
 * Who writes in a region that only has a replica marks the key there first, then writes to the master region, then forgets the
 * key. While the mark lasts, a miss is loaded from the master region, for the replica may not have the write yet. The mark must outlive the
 * replication's lag; a lag beyond it brings back the bound that the time to live is.
 */
import type { Cache } from "./cache.ts";
import type { Source } from "./source.ts";
import { cacheAside, cacheKey, type ReadsAndWrites, type StrategyOptions } from "./strategies.ts";
import { type Duration, durationMs } from "./terms.ts";

/** A source whose reads may go to a replica. */
export interface RegionalSource<K, V> extends Source<K, V> {
  /** Reads from the master region: slower, and never behind. */
  readonly loadFromMaster: (
    key: K,
    context: { readonly signal: AbortSignal },
  ) => Promise<V | undefined> | V | undefined;
}

/** How a regional cache behaves. */
export interface RegionalOptions<K> extends StrategyOptions<K> {
  /** Whether this region has the master; then nothing is marked. */
  readonly isMaster: boolean;
  /** How long a key stays marked: longer than the replicas ever lag. Default "30s". */
  readonly markFor?: Duration;
}

const MARK_FOR_MS = 30_000;

/** As `cacheAside`, in a region. The cache needs a shared store, since marks must be seen by all processes of the region. */
export function regional<K, V>(
  cache: Cache,
  source: RegionalSource<K, V>,
  options: RegionalOptions<K>,
): ReadsAndWrites<K, V> {
  const ttl = durationMs(options.markFor, "markFor") ?? MARK_FOR_MS;
  const markOf = (key: K): string => `marked:${cacheKey(options, key)}`;
  const mark = async (key: K): Promise<void> => {
    if (!options.isMaster) await cache.set(markOf(key), true, { ttl, jitter: 0, grace: 0, tags: [] });
  };
  const load: Source<K, V>["load"] = async (key, context) => {
    const isMarked = !options.isMaster && (await cache.get(markOf(key))) === true;
    return isMarked ? source.loadFromMaster(key, context) : source.load(key, context);
  };
  const { store, remove } = source;
  return cacheAside(
    cache,
    {
      load,
      ...(store === undefined
        ? {}
        : {
            store: async (key: K, value: V, context) => {
              await mark(key);
              await store(key, value, context);
            },
          }),
      ...(remove === undefined
        ? {}
        : {
            remove: async (key: K, context) => {
              await mark(key);
              await remove(key, context);
            },
          }),
    },
    options,
  );
}
