/** The hashes under which stored responses and purges meet: one of their URL, one of each tag. */
import { urlKey } from "../key.ts";
import type { CacheKeyRule } from "../policy/index.ts";
import type { Store } from "../store/index.ts";

/** What hashes: a store, by the seed of its block. */
export type KeyHasher = Pick<Store, "hashHigh" | "hashLow">;

/** Host and request target (path and query), as a request writes them. */
export interface TargetUrl {
  readonly host: string;
  readonly target: string;
}

/** The hash of a URL under a rule, which chooses what counts of the query. */
export function urlHash(store: KeyHasher, rule: CacheKeyRule, url: TargetUrl): number {
  const key = urlKey(rule, url);
  return store.hashHigh(key, 0, key.length);
}

/** The hash of a tag, which `tagsOf` has brought into its form: small letters, one character a byte. */
export function tagHash(store: KeyHasher, tag: string): number {
  const bytes = Buffer.from(tag, "latin1");
  return store.hashLow(bytes, 0, bytes.length);
}

/** The bytes with which the keys of a folder begin, from where their URL starts. */
export function prefixBytes({ host, target }: TargetUrl): Uint8Array {
  return Buffer.from(`${host.toLowerCase()}\0${target}`, "latin1");
}
