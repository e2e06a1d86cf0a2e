/** A response on its way into the store. */
import {
  type ReserveRequest,
  type Store,
  type StoredHead,
  type StoredMeta,
  tagHash,
  varyKey,
} from "../../../edge/index.ts";
import type { CacheKey } from "./cache-key.ts";
import type { RuleCache } from "./rule-cache.ts";

const NO_TAGS: readonly number[] = [];

/** Some of a body: `bytes[start, end)`. */
export interface Piece {
  readonly bytes: Uint8Array;
  readonly start: number;
  readonly end: number;
}

/** A response to be stored. */
export interface Keeping {
  readonly key: CacheKey;
  readonly cache: RuleCache;
  readonly meta: StoredMeta;
  readonly head: StoredHead;
  readonly body: readonly Piece[];
  /** The number of the latest purge before the request went out. */
  readonly startSequence: number;
}

/** The room that it takes. */
export function roomFor(
  store: Store,
  { key, meta, head, startSequence }: Omit<Keeping, "body" | "cache">,
  { bodyBytes, wallMs }: { readonly bodyBytes: number; readonly wallMs: number },
): ReserveRequest {
  return {
    hashHi: key.hashHi,
    hashLo: key.hashLo,
    urlHash: key.urlHash,
    key: key.bytes,
    urlStart: key.urlStart,
    pathEnd: key.pathEnd,
    vary: varyKey(meta),
    tags: head.tags.length === 0 ? NO_TAGS : head.tags.map((tag) => tagHash(store, tag)),
    headBytes: head.end,
    bodyBytes,
    startSequence,
    nowS: Math.floor(wallMs / 1000),
    usableUntilS: 0,
  };
}
