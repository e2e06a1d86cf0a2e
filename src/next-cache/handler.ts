/**
 * The `cacheHandler` of Next.js (15 and 16): pages, route handlers, images and fetches of all instances in one cache, and
 * `revalidateTag` and `revalidatePath` that every instance sees.
 *
 *     get    entry, then the marks of its tags: not there or expired -> null; stale -> as if its time were over
 *     set    the value, with the sequence number from before it was rendered
 *
 * While the cache is away every read is a miss: pages are rendered, slower and never wrong.
 */
import { type Clock, systemClock } from "../base/index.ts";
import type { NextCacheBackend, TagChange, TagMark } from "./backend.ts";
import { type CacheControl, decodeEntry, encodeEntry, type StoredEntry } from "./entry.ts";

/** How the cache is used. */
export interface NextCacheOptions {
  readonly backend: NextCacheBackend;
  /**
   * Names this build, the same in `next build` and in all instances of it: pages of one build do not fit the scripts of
   * another. Fetches are shared by all builds.
   */
  readonly buildId: string;
  /** Told of each call that failed; the page is rendered all the same. */
  readonly onError?: (error: unknown) => void;
  readonly clock?: Clock;
}

/** What Next.js passes to `get`, as far as it is looked at. */
export interface GetContext {
  /** "FETCH", "APP_PAGE", "APP_ROUTE", "PAGES" or "IMAGE". */
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

/** The class that the file named in `cacheHandler` exports. */
export type NextCacheHandlerClass = new (context?: {
  readonly revalidatedTags?: readonly string[];
}) => NextCacheHandler;

/** What was current when a rendering began. */
interface Start {
  readonly sequence: number;
  readonly epoch: string;
}

/** The header in which Next.js keeps the tags of a page. */
const TAGS_HEADER = "x-next-cache-tags";

/** Entries without an end are dropped after this long without being written: a year, as Next.js has it. */
const TTL_S_MAX = 31_536_000;

/** Rendering starts of a request that are remembered, for as many keys: a page makes that many fetches at most. */
const STARTS_MAX = 1000;

/**
 * Makes the class for `cacheHandler`:
 *
 *     export default nextCacheHandler({ backend: openNextCache(process.env.STORE), buildId: process.env.BUILD_ID });
 */
export function nextCacheHandler(options: NextCacheOptions): NextCacheHandlerClass {
  const { backend, buildId, onError = () => {}, clock = systemClock } = options;
  if (buildId === "") throw new TypeError("buildId: name the build, for instance by its commit");
  // The newest number this process has heard of: never newer than the sequence, so that an entry is never thought newer.
  let known: Start = { sequence: 0, epoch: "" };

  const keyOf = (key: string, isFetch: boolean): string =>
    isFetch ? `fetch:${key}` : `page:${buildId}:${key}`;

  return class implements NextCacheHandler {
    readonly #revalidated: ReadonlySet<string>;
    readonly #atBegin: Start = known;
    readonly #starts = new Map<string, Start>();

    constructor(context: { readonly revalidatedTags?: readonly string[] } = {}) {
      this.#revalidated = new Set(context.revalidatedTags);
    }

    async get(key: string, context: GetContext = {}): Promise<CacheHandlerValue | null> {
      try {
        const name = keyOf(key, context.kind === "FETCH");
        const { entry: bytes, sequence, epoch } = await backend.read(name);
        if (epoch !== known.epoch || sequence > known.sequence) known = { sequence, epoch };
        // What is rendered after this read knows every change up to this number.
        if (this.#starts.size < STARTS_MAX) this.#starts.set(name, { sequence, epoch });
        const entry = bytes && decodeEntry(bytes);
        if (entry === undefined || entry.epoch !== epoch) return null;
        const tags = [...new Set([...entry.tags, ...(context.tags ?? []), ...(context.softTags ?? [])])];
        if (tags.some((tag) => this.#revalidated.has(tag))) return null;
        const marks = tags.length === 0 ? [] : await backend.marks(tags);
        return judge(entry, marks, context, clock.wallMs());
      } catch (error) {
        onError(error);
        return null;
      }
    }

    async set(key: string, value: unknown, context: SetContext = {}): Promise<void> {
      const isFetch = context.fetchCache === true;
      const name = keyOf(key, isFetch);
      try {
        const cacheControl = context.cacheControl ?? controlOf(context.revalidate);
        const entry: StoredEntry = {
          lastModified: clock.wallMs(),
          ...(this.#starts.get(name) ?? (await this.#earliest(name))),
          tags: tagsOf(value, context),
          cacheControl,
          value,
        };
        await backend.write(name, encodeEntry(entry), ttlMs(cacheControl));
      } catch (error) {
        onError(error);
        // Half a write must not leave an older page that looks current.
        await backend.remove(name).catch(onError);
      }
    }

    /** Rejects when the cache is away: an invalidation that did not happen must not look as if it had. */
    async revalidateTag(
      tags: string | readonly string[],
      durations?: { readonly expire?: number },
    ): Promise<void> {
      const list = typeof tags === "string" ? [tags] : tags;
      if (list.length === 0) return;
      await backend.mark(list, changeOf(durations, clock.wallMs()));
    }

    /** For what was rendered without a read before: what this process knew when the request began, or nothing. */
    async #earliest(name: string): Promise<Start> {
      return this.#atBegin.epoch === ""
        ? { sequence: 0, epoch: (await backend.read(name)).epoch }
        : this.#atBegin;
    }

    resetRequestCache(): void {
      this.#starts.clear();
    }
  };
}

/** Without durations at once; else softly, until `expire` seconds from now. */
function changeOf(durations: { readonly expire?: number } | undefined, wallMs: number): TagChange {
  if (durations === undefined) return { kind: "expire" };
  return { kind: "stale", untilMs: durations.expire === undefined ? 0 : wallMs + durations.expire * 1000 };
}

function judge(
  entry: StoredEntry,
  marks: readonly TagMark[],
  context: GetContext,
  wallMs: number,
): CacheHandlerValue | null {
  let isStale = false;
  for (const { expired, stale, staleUntilMs } of marks) {
    if (expired > entry.sequence) return null;
    if (stale <= entry.sequence) continue;
    if (staleUntilMs !== 0 && staleUntilMs <= wallMs) return null;
    isStale = true;
  }
  const { lastModified, value, cacheControl } = entry;
  if (!isStale) return { lastModified, value, ...(cacheControl === undefined ? {} : { cacheControl }) };
  return asStale(entry, context, wallMs);
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

function ttlMs(control: CacheControl | undefined): number {
  return 1000 * Math.max(1, Math.min(control?.expire ?? TTL_S_MAX, TTL_S_MAX));
}
