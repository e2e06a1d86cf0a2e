/**
 * Tags: names that a response gives itself, so that all with one name can be purged at once.
 *
 * Cache-Tag and Edge-Cache-Tag are comma lists, Surrogate-Key has blanks between, Cache-Groups (RFC 9875) is a list
 * of structured strings. All share one space of names, in which case does not count.
 */
import { strings } from "./invalidation.ts";
import { splitList } from "./list.ts";
import type { CacheResponse } from "./message.ts";

/** Tags of one object. A page that is made of more things is purged by a coarser name. */
export const TAGS_MAX = 64;

/** Bytes of one tag, so that all tags of an object stay below 16 KiB. */
export const TAG_BYTES_MAX = 256;

/** The tags that are kept, and how many were too long or too many: a purge by those would find nothing. */
export interface Tags {
  readonly kept: readonly string[];
  readonly ignored: number;
}

const FIELDS = ["cache-tag", "edge-cache-tag", "surrogate-key", "cache-groups"] as const;

const NONE: Tags = { kept: [], ignored: 0 };

/** The tags of a response, or of a purge, each once, in small letters. O(length of the fields), O(1) without any. */
export function tagsOf(response: Pick<CacheResponse, "field">): Tags {
  let isTagged = false;
  for (const name of FIELDS) isTagged ||= response.field(name) !== undefined;
  if (!isTagged) return NONE;
  const field = (name: string): string | undefined => response.field(name);
  const written = new Set(
    [
      ...splitList(field("cache-tag") ?? ""),
      ...splitList(field("edge-cache-tag") ?? ""),
      ...(field("surrogate-key")?.split(/[ \t,]+/) ?? []),
      ...strings(field("cache-groups")),
    ].map((tag) => tag.toLowerCase()),
  );
  written.delete("");
  if (written.size === 0) return NONE;
  // A field value is Latin-1: one character is one byte.
  const kept = [...written].filter((tag) => tag.length <= TAG_BYTES_MAX).slice(0, TAGS_MAX);
  return { kept, ignored: written.size - kept.length };
}
