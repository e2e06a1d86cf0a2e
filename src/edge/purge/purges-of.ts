/** What a thing that is to be purged means to the store: a few purges, each O(1). */
import type { CacheKeyRule } from "../policy/index.ts";
import type { Purge } from "../store/index.ts";
import { type KeyHasher, prefixBytes, type TargetUrl, tagHash, urlHash } from "./hashes.ts";
import type { PurgeItem } from "./request.ts";

/** What the hashes depend on. */
export interface PurgeContext {
  readonly store: KeyHasher;
  /** The key rules by which responses of this URL may be stored; too many do no harm. */
  readonly keyRules: (url: TargetUrl) => readonly CacheKeyRule[];
}

/** The purges of one item, each once. O(spellings x key rules). */
export function purgesOf(
  item: PurgeItem,
  { store, keyRules }: PurgeContext,
  hard: boolean,
): readonly Purge[] {
  switch (item.kind) {
    case "url": {
      const hashes = item.spellings.flatMap((url) => keyRules(url).map((rule) => urlHash(store, rule, url)));
      return [...new Set(hashes)].map((hash) => ({ kind: "url", hash, hard }));
    }
    case "tag": {
      const hashes = spellingsOf(item.text).map((tag) => tagHash(store, tag));
      return [...new Set(hashes)].map((hash) => ({ kind: "tag", hash, hard }));
    }
    case "prefix":
      return item.spellings.map((url) => ({ kind: "prefix", prefix: prefixBytes(url), hard }));
    case "everything":
      return [{ kind: "all", hard }];
    default:
      return item satisfies never;
  }
}

/** A tag as an origin may have sent it: in ISO 8859-1, or in UTF-8, of which the gateway sees the single bytes. */
function spellingsOf(tag: string): readonly string[] {
  const utf8 = Buffer.from(tag, "utf8").toString("latin1").toLowerCase();
  // oxlint-disable-next-line no-control-regex -- what fits one byte
  return /^[\x00-\xff]*$/.test(tag) ? [tag.toLowerCase(), utf8] : [utf8];
}
