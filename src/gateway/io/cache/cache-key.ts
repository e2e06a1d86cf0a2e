/** What a stored response is found by, for those who go on later than the lookup. */
import { type CacheResponse, groupsOf, tagsOf } from "../../../edge/index.ts";
import { text } from "../../../http/index.ts";

/** What identifies a response, kept beyond the turn in which it was looked up. */
export interface CacheKey {
  readonly bytes: Uint8Array;
  readonly hashHi: number;
  readonly hashLo: number;
  readonly urlHash: number;
  readonly urlStart: number;
  readonly pathEnd: number;
}

/** The host of a key, with its port if that is not the scheme's own. */
export function hostOf({ bytes, urlStart }: CacheKey): string {
  return text(bytes, urlStart, bytes.indexOf(0, urlStart));
}

/** The tag that stands for a group of one host. */
export function groupTag(host: string, group: string): string {
  return `${host}\n${group}`;
}

/** A response's tags, and its groups as those of this host: nobody may spoil the cache of another one (RFC 9875 §2). */
export function tagsFor(key: CacheKey, response: CacheResponse): readonly string[] {
  const { kept } = tagsOf(response);
  if (kept.length === 0) return kept;
  return [...kept, ...groupsOf(response).map((group) => groupTag(hostOf(key), group))];
}

/** What a form of a response, or a slice of it, is found by; `form` is ASCII. */
export function keyBehind(key: Uint8Array, form: string): Uint8Array {
  const out = new Uint8Array(key.length + 2 + form.length);
  out.set(key);
  for (let i = 0; i < form.length; i++) out[key.length + 2 + i] = form.charCodeAt(i);
  return out;
}
