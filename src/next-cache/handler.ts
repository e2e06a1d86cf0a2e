/**
 * The `cacheHandler` of Next.js (15 and 16): pages, route handlers and fetches of all instances in one cache, and
 * `revalidateTag` and `revalidatePath` that every instance sees.
 *
 * While the cache is away every read is a miss: pages are rendered, slower and never wrong.
 */
import { type Clock, systemClock } from "../base/index.ts";
import type { NextCacheBackend, TagChange } from "./backend.ts";
import type { CacheControl, StoredEntry } from "./entry.ts";
import { taggedEntries } from "./tagged-entries.ts";
import type { Known } from "./timeline.ts";
import { type UseCacheHandler, useCacheHandler } from "./use-cache.ts";

/** How the cache is used. */
export interface NextCacheOptions {
  readonly backend: NextCacheBackend;
  /**
   * Names this build, the same in `next build` and in all instances of it: pages of one build do not fit the scripts of
   * another. Fetches are shared by all builds. TypeError when it is empty.
   */
  readonly buildId: string;
  /** Told of each call that failed; the page is rendered all the same. */
  readonly onError?: (error: unknown) => void;
  readonly clock?: Clock;
}

/** What Next.js passes to `get`, as far as it is looked at. */
export interface GetContext {
  /** "FETCH", "APP_PAGE", "APP_ROUTE" or "PAGES". */
  readonly kind?: string;
  readonly tags?: readonly string[];
  /** Tags of the route that a fetch is made in. */
  readonly softTags?: readonly string[];
  readonly revalidate?: number | false | undefined;
}

/** What Next.js passes to `set`, as far as it is looked at. */
export interface SetContext {
  readonly fetchCache?: boolean;
  readonly tags?: readonly string[];
  readonly cacheControl?: CacheControl;
  /** Next.js 15.0 to 15.2 said it so. */
  readonly revalidate?: number | false;
}

/** What `get` answers. */
export interface CacheHandlerValue {
  lastModified: number;
  value: unknown;
  cacheControl?: CacheControl | undefined;
}

/** What Next.js calls. It makes one for each request. */
export interface NextCacheHandler {
  get(key: string, context?: GetContext): Promise<CacheHandlerValue | null>;
  set(key: string, value: unknown, context?: SetContext): Promise<void>;
  revalidateTag(tags: string | readonly string[], durations?: { readonly expire?: number }): Promise<void>;
  resetRequestCache(): void;
}

/** What the file named in `cacheHandler` exports, a class; it is the object for `cacheHandlers` too. */
export type NextCacheHandlerClass = UseCacheHandler &
  (new (context?: {
    readonly revalidatedTags?: readonly string[];
  }) => NextCacheHandler);

/** The header in which Next.js keeps the tags of a page. */
const TAGS_HEADER = "x-next-cache-tags";

/** Rendering starts of a request that are remembered, for as many keys: a page makes that many fetches at most. */
const STARTS_MAX = 1000;

/**
 * Makes what `cacheHandler` and each of `cacheHandlers` name, in one:
 *
 *     export default nextCacheHandler({ backend: openNextCache(process.env.STORE), buildId: process.env.BUILD_ID });
 */
export function nextCacheHandler(options: NextCacheOptions): NextCacheHandlerClass {
  const { backend, buildId, onError = () => {}, clock = systemClock } = options;
  // An environment variable that is not set is undefined, whatever the types say.
  if (!buildId) throw new TypeError("buildId: name the build, for instance by its commit");
  const entries = taggedEntries(backend, clock);

  const nameOf = (key: string, isFetch: boolean): string =>
    isFetch ? `fetch:${key}` : `page:${buildId}:${key}`;

  const revalidateTag: NextCacheHandler["revalidateTag"] = async (tags, durations) => {
    const list = typeof tags === "string" ? [tags] : tags;
    if (list.length > 0) await backend.mark(list, changeOf(durations, clock.wallMs()));
  };

  class Handler implements NextCacheHandler {
    readonly #revalidated: ReadonlySet<string>;
    readonly #beganMs = clock.nowMs();
    readonly #starts = new Map<string, Known>();
    readonly revalidateTag = revalidateTag;

    constructor(context: { readonly revalidatedTags?: readonly string[] } = {}) {
      this.#revalidated = new Set(context.revalidatedTags);
    }

    async get(key: string, context: GetContext = {}): Promise<CacheHandlerValue | null> {
      try {
        const name = nameOf(key, context.kind === "FETCH");
        const tags = [...(context.tags ?? []), ...(context.softTags ?? [])];
        const { known, entry, isStale } = await entries.find(name, tags);
        if (this.#starts.size < STARTS_MAX) this.#starts.set(name, known);
        if (entry === undefined) return null;
        if ([...entry.tags, ...tags].some((tag) => this.#revalidated.has(tag))) return null;
        return isStale ? asStale(entry, context, clock.wallMs()) : asIs(entry);
      } catch (error) {
        onError(error);
        return null;
      }
    }

    async set(key: string, value: unknown, context: SetContext = {}): Promise<void> {
      const name = nameOf(key, context.fetchCache === true);
      const cacheControl = context.cacheControl ?? controlOf(context.revalidate);
      const kept = { lastModified: clock.wallMs(), tags: tagsOf(value, context), cacheControl, value };
      try {
        // What is rendered without a read before has seen what was known when its request began.
        await entries.keep(name, kept, this.#starts.get(name) ?? (await entries.knownAt(this.#beganMs)));
      } catch (error) {
        onError(error);
      }
    }

    resetRequestCache(): void {
      this.#starts.clear();
    }
  }

  return Object.assign(Handler, useCacheHandler({ entries, buildId, onError, clock, revalidateTag }));
}

/** Without durations, or without time left, at once; else softly, until `expire` seconds from now. */
function changeOf(durations: { readonly expire?: number } | undefined, wallMs: number): TagChange {
  if (durations === undefined || durations.expire === 0) return { kind: "expire" };
  return { kind: "stale", untilMs: durations.expire === undefined ? 0 : wallMs + durations.expire * 1000 };
}

function asIs({ lastModified, value, cacheControl }: StoredEntry): CacheHandlerValue {
  return { lastModified, value, ...(cacheControl === undefined ? {} : { cacheControl }) };
}

/**
 * Next.js has no word for stale in an answer: it looks at the age. So the entry is made just older than its time, which
 * Next.js answers by using it once more and making a new one meanwhile.
 */
function asStale(entry: StoredEntry, context: GetContext, wallMs: number): CacheHandlerValue {
  const { value, cacheControl } = entry;
  const own = context.kind === "FETCH" ? context.revalidate || revalidateOf(value) : cacheControl?.revalidate;
  const revalidate = typeof own === "number" ? own : 1;
  const lastModified = wallMs - revalidate * 1000 - 1;
  const expire = cacheControl?.expire;
  // With an end that the pretended age is past, Next.js would wait for the new one instead.
  const isPast = expire !== undefined && lastModified + expire * 1000 < wallMs;
  const control: CacheControl = { revalidate, ...(expire === undefined || isPast ? {} : { expire }) };
  return context.kind === "FETCH" ? { lastModified, value } : { lastModified, value, cacheControl: control };
}

function revalidateOf(value: unknown): unknown {
  return (value as { revalidate?: unknown } | null)?.revalidate;
}

/** Tags of a fetch come with the call, those of a page in its header. */
function tagsOf(value: unknown, context: SetContext): string[] {
  const { tags = [], headers } = (value ?? {}) as {
    tags?: readonly string[];
    headers?: Record<string, unknown>;
  };
  const header = headers?.[TAGS_HEADER];
  const ofPage = typeof header === "string" ? header.split(",").map((tag) => tag.trim()) : [];
  return [...new Set([...ofPage, ...tags, ...(context.tags ?? [])])].filter((tag) => tag !== "");
}

function controlOf(revalidate: number | false | undefined): CacheControl | undefined {
  return revalidate === undefined ? undefined : { revalidate };
}
