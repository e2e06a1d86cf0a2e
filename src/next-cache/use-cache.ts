/**
 * One of the `cacheHandlers` of Next.js (15 and 16): what functions and components marked "use cache" gave, for all
 * instances.
 *
 * One handler serves all requests, so nothing tells it when the making of an entry began but the entry's own timestamp,
 * which is of this process's clock: the timeline says what was known then.
 */
import type { Clock } from "../base/index.ts";
import type { Found, TaggedEntries } from "./tagged-entries.ts";

/** What a cached function gave, as Next.js has it. */
export interface UseCacheEntry {
  /** Can be read once. */
  readonly value: ReadableStream<Uint8Array>;
  readonly tags: string[];
  /** How long a browser may keep it, s. */
  readonly stale: number;
  /** When it began to be made: `performance.timeOrigin + performance.now()`, ms. */
  readonly timestamp: number;
  /** Lifetime, s. */
  readonly expire: number;
  /** After this it is made anew while it is used, s; negative for at once. */
  readonly revalidate: number;
}

/** What Next.js calls: one object for all requests. */
export interface UseCacheHandler {
  get(cacheKey: string, softTags: readonly string[]): Promise<UseCacheEntry | undefined>;
  set(cacheKey: string, pendingEntry: Promise<UseCacheEntry>): Promise<void>;
  refreshTags(): Promise<void>;
  getExpiration(tags: readonly string[]): Promise<number>;
  updateTags(tags: readonly string[], durations?: { readonly expire?: number }): Promise<void>;
  /** What Next.js 15 calls instead. */
  expireTags(...tags: string[]): Promise<void>;
}

/** What is stored of it beside the lifetimes and tags that every entry has. */
interface Stored {
  readonly stale: number;
  readonly body: Uint8Array;
}

/** What the handler is made of. */
export interface UseCacheOptions {
  readonly entries: TaggedEntries;
  readonly buildId: string;
  readonly onError: (error: unknown) => void;
  readonly clock: Clock;
  readonly revalidateTag: UseCacheHandler["updateTags"];
}

/** Makes the handler. */
export function useCacheHandler(options: UseCacheOptions): UseCacheHandler {
  const { entries, buildId, onError, revalidateTag } = options;
  const setting = new Map<string, Promise<void>>();
  const nameOf = (cacheKey: string): string => `use:${buildId}:${cacheKey}`;

  const store = async (name: string, pendingEntry: Promise<UseCacheEntry>): Promise<void> => {
    const entry = await pendingEntry;
    // Without a lifetime it is made anew for every request; what failed midway is not kept.
    const body = entry.expire === 0 ? undefined : await bytesOf(entry.value);
    if (body === undefined) return;
    const { tags, stale, timestamp, expire, revalidate } = entry;
    const stored: Stored = { stale, body };
    const kept = { lastModified: timestamp, tags, cacheControl: { revalidate, expire }, value: stored };
    await entries.keep(name, kept, await entries.knownAt(timestamp - performance.timeOrigin));
  };

  return {
    get: async (cacheKey, softTags) => {
      const name = nameOf(cacheKey);
      try {
        // What is being stored is waited for, as Next.js asks.
        await setting.get(name);
        return entryOf(await entries.find(name, softTags));
      } catch (error) {
        onError(error);
        return undefined;
      }
    },
    set: async (cacheKey, pendingEntry) => {
      const name = nameOf(cacheKey);
      const stored = store(name, pendingEntry).catch(onError);
      setting.set(name, stored);
      await stored;
      if (setting.get(name) === stored) setting.delete(name);
    },
    // Every read hears of invalidations.
    refreshTags: async () => {},
    // The tags of a route come with each read.
    getExpiration: async () => Infinity,
    updateTags: revalidateTag,
    expireTags: (...tags) => revalidateTag(tags),
  };
}

function entryOf({ entry, isStale }: Found): UseCacheEntry | undefined {
  const { stale, body } = (entry?.value ?? {}) as Partial<Stored>;
  const { revalidate, expire } = entry?.cacheControl ?? {};
  if (entry === undefined || stale === undefined || expire === undefined || !(body instanceof Uint8Array))
    return undefined;
  return {
    value: streamOf(body),
    tags: [...entry.tags],
    stale,
    timestamp: entry.lastModified,
    expire,
    revalidate: isStale ? -1 : Number(revalidate),
  };
}

function bytesOf(stream: ReadableStream<Uint8Array>): Promise<Uint8Array | undefined> {
  return new Response(stream).arrayBuffer().then(
    (buffer) => new Uint8Array(buffer),
    () => undefined,
  );
}

function streamOf(body: Uint8Array): ReadableStream<Uint8Array> {
  return new ReadableStream({
    start: (controller) => {
      if (body.length > 0) controller.enqueue(body);
      controller.close();
    },
  });
}
