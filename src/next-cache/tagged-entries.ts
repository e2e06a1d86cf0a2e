/**
 * Entries that depend on tags, in a shared cache: what both interfaces of Next.js are made of.
 *
 *     find    entry, then the marks of its tags: not there or expired -> undefined; marked softly -> stale
 *     keep    the value, with the sequence number from before it was made
 *
 * The marks of tags are remembered until the sequence moves on, which every read hears of: a hit asks the cache once.
 */
import type { Clock } from "../base/index.ts";
import { type NextCacheBackend, type TagMark, UNMARKED } from "./backend.ts";
import { type CacheControl, decodeEntry, encodeEntry, type StoredEntry } from "./entry.ts";
import { type Known, timeline } from "./timeline.ts";

/** Entries without an end are dropped after this long without being written: a year, as Next.js has it. */
const TTL_S_MAX = 31_536_000;

/** Marks that are remembered between two invalidations: a few MB. */
const MARKS_MAX = 10_000;

/** What a look brings. */
export interface Found {
  /** What a value that is made from now on has seen. */
  readonly known: Known;
  readonly entry?: StoredEntry;
  /** To be used once more while a new one is made. */
  readonly isStale?: boolean;
}

/** What is kept: an entry, except for what `keep` adds. */
export interface Kept {
  readonly lastModified: number;
  readonly tags: readonly string[];
  readonly cacheControl?: CacheControl | undefined;
  readonly value: unknown;
}

/** Entries of one cache, as this process sees them. Methods reject when the cache cannot be asked. */
export interface TaggedEntries {
  /** `tags`: further ones that make the entry old. */
  find(name: string, tags: readonly string[]): Promise<Found>;
  /** Keeps a value that was made by what was `known`, and leaves nothing older behind when that fails. */
  keep(name: string, kept: Kept, known: Known): Promise<void>;
  /** What a value has seen that began to be made at `ms` of the clock: what this process knew then, or nothing. */
  knownAt(ms: number): Promise<Known>;
}

/** The entries of a backend. */
export function taggedEntries(backend: NextCacheBackend, clock: Clock): TaggedEntries {
  const heard = timeline();
  let remembered = { sequence: -1, epoch: "", marks: new Map<string, TagMark>() };

  const marksOf = async (tags: readonly string[], { sequence, epoch }: Known): Promise<TagMark[]> => {
    const isCurrent = remembered.sequence === sequence && remembered.epoch === epoch;
    if (!isCurrent || remembered.marks.size > MARKS_MAX) remembered = { sequence, epoch, marks: new Map() };
    const { marks } = remembered;
    const missing = tags.filter((tag) => !marks.has(tag));
    const answers = missing.length === 0 ? [] : await backend.marks(missing);
    for (const [index, tag] of missing.entries()) marks.set(tag, answers[index] ?? UNMARKED);
    return tags.map((tag) => marks.get(tag) ?? UNMARKED);
  };

  return {
    find: async (name, tags) => {
      const { entry: bytes, sequence, epoch } = await backend.read(name);
      const known = { sequence, epoch };
      heard.note(known, clock.nowMs());
      const entry = bytes && decodeEntry(bytes);
      if (entry === undefined || entry.epoch !== epoch) return { known };
      const marks = await marksOf([...new Set([...entry.tags, ...tags])], known);
      const freshness = judge(marks, entry.sequence, clock.wallMs());
      return freshness === "expired" ? { known } : { known, entry, isStale: freshness === "stale" };
    },
    keep: async (name, kept, known) => {
      try {
        await backend.write(name, encodeEntry({ ...kept, ...known }), ttlMs(kept.cacheControl));
      } catch (error) {
        // Half a write must not leave an older value that looks current.
        await backend.remove(name).catch(() => undefined);
        throw error;
      }
    },
    knownAt: async (ms) => heard.at(ms) ?? { sequence: 0, epoch: (await backend.read("")).epoch },
  };
}

function judge(marks: readonly TagMark[], sequence: number, wallMs: number): "fresh" | "stale" | "expired" {
  const isPast = ({ expired, stale, staleUntilMs }: TagMark): boolean =>
    expired > sequence || (stale > sequence && staleUntilMs !== 0 && staleUntilMs <= wallMs);
  if (marks.some(isPast)) return "expired";
  return marks.some(({ stale }) => stale > sequence) ? "stale" : "fresh";
}

function ttlMs(control: CacheControl | undefined): number {
  return 1000 * Math.max(1, Math.min(control?.expire ?? TTL_S_MAX, TTL_S_MAX));
}
