/** What a stored response is found by, for those who go on later than the lookup. */
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
