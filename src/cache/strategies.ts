/**
 * The strategies: who loads and who writes, over a user's `Source`.
 *
 *   cacheAside    the app writes to the source, the cache forgets the key afterwards
 *   readThrough   as cacheAside for reads, and no writes
 *   writeThrough  a write goes to the source and then into the cache; it is done when both have it
 *   writeBehind   a write goes into a durable log, and to the source later (write-behind.ts)
 *
 * All remember for a short time that something does not exist, and answer `undefined` for it.
 */
import type { Cache } from "./cache.ts";
import { CacheError } from "./errors.ts";
import type { Source, WriteContext } from "./source.ts";
import type { TermsInput } from "./terms.ts";

/** How a strategy uses the cache. */
export interface StrategyOptions<K> extends TermsInput {
  /** Prefix of this source's keys in the cache, such as "user:". */
  readonly prefix: string;
  /** Text of a key. Default: a text or number as it is, anything else as JSON. */
  readonly keyOf?: (key: K) => string;
}

/** Reads by key. */
export interface Reads<K, V> {
  readonly get: (key: K) => Promise<V | undefined>;
  /** What does not exist is left out. */
  readonly getMany: (keys: readonly K[]) => Promise<Map<K, V>>;
}

/** Reads and writes by key. */
export interface ReadsAndWrites<K, V> extends Reads<K, V> {
  readonly set: (key: K, value: V) => Promise<void>;
  readonly delete: (key: K) => Promise<void>;
}

/** How long it is remembered that something does not exist, unless the options say. */
const NEGATIVE_TTL = "10s";

/** The text of a key in the cache. */
export function cacheKey<K>(options: StrategyOptions<K>, key: K): string {
  if (options.keyOf !== undefined) return options.prefix + options.keyOf(key);
  return (
    options.prefix + (typeof key === "string" || typeof key === "number" ? String(key) : JSON.stringify(key))
  );
}

/** Reads go to the cache and on a miss to the source; there are no writes. */
export function readThrough<K, V>(
  cache: Cache,
  source: Source<K, V>,
  options: StrategyOptions<K>,
): Reads<K, V> {
  const terms = { negativeTtl: NEGATIVE_TTL, ...options };
  const { loadMany } = source;
  return {
    get: (key) => cache.getOrSet(cacheKey(options, key), ({ signal }) => source.load(key, { signal }), terms),
    async getMany(keys) {
      const byText = new Map(keys.map((key) => [cacheKey(options, key), key]));
      if (loadMany === undefined) return pick(byText, await getEach(cache, source, byText, terms));
      const found = await cache.getMany<V>(
        [...byText.keys()],
        async (texts) => {
          const wanted = texts.flatMap((text) => (byText.has(text) ? [byText.get(text) as K] : []));
          const values = await loadMany(wanted);
          return new Map([...values].map(([key, value]) => [cacheKey(options, key), value]));
        },
        terms,
      );
      return pick(byText, found);
    },
  };
}

async function getEach<K, V>(
  cache: Cache,
  source: Source<K, V>,
  byText: ReadonlyMap<string, K>,
  terms: TermsInput,
): Promise<Map<string, V>> {
  const found = new Map<string, V>();
  const each = async ([text, key]: [string, K]): Promise<void> => {
    const value = await cache.getOrSet(text, ({ signal }) => source.load(key, { signal }), terms);
    if (value !== undefined) found.set(text, value);
  };
  await Promise.all([...byText].map(each));
  return found;
}

function pick<K, V>(byText: ReadonlyMap<string, K>, found: ReadonlyMap<string, V>): Map<K, V> {
  const picked = new Map<K, V>();
  for (const [text, key] of byText) {
    const value = found.get(text);
    if (value !== undefined) picked.set(key, value);
  }
  return picked;
}

let writes = 0;

/** Versions of writes that no log numbers: unique in this process, and with the time in front rising over restarts. */
function contextOf(text: string, wallMs: () => number): WriteContext {
  const version = wallMs() * 1000 + (writes++ % 1000);
  return { version, idempotencyKey: `${text}:${version}` };
}

/** Writes go to the source, and the cache forgets the key before they are done. */
export function cacheAside<K, V>(
  cache: Cache,
  source: Source<K, V>,
  options: StrategyOptions<K>,
): ReadsAndWrites<K, V> {
  const write = async (key: K, run: (context: WriteContext) => Promise<void> | void): Promise<void> => {
    const text = cacheKey(options, key);
    try {
      await run(contextOf(text, cache.wallMs));
    } finally {
      await cache.delete(text); // a write that failed may have been made all the same
    }
  };
  return {
    ...readThrough(cache, source, options),
    set: (key, value) => write(key, (context) => storeOf(source, options.prefix)(key, value, context)),
    delete: (key) => write(key, (context) => removeOf(source, options.prefix)(key, context)),
  };
}

/** Writes go to the source and then into the cache. */
export function writeThrough<K, V>(
  cache: Cache,
  source: Source<K, V>,
  options: StrategyOptions<K>,
): ReadsAndWrites<K, V> {
  return {
    ...cacheAside(cache, source, options),
    async set(key, value) {
      const text = cacheKey(options, key);
      const store = storeOf(source, options.prefix);
      await cache.writeThrough(
        text,
        value,
        async () => store(key, value, contextOf(text, cache.wallMs)),
        options,
      );
    },
  };
}

/** The source's `store`. Throws "write-refused" when it has none. */
export function storeOf<K, V>(source: Source<K, V>, about: string): NonNullable<Source<K, V>["store"]> {
  if (source.store === undefined) throw new CacheError("write-refused", `${about}: no \`store\``);
  return source.store;
}

/** The source's `remove`. Throws "write-refused" when it has none. */
export function removeOf<K, V>(source: Source<K, V>, about: string): NonNullable<Source<K, V>["remove"]> {
  if (source.remove === undefined) throw new CacheError("write-refused", `${about}: no \`remove\``);
  return source.remove;
}
