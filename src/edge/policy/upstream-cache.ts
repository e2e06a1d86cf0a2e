/** What a cache between here and the origin says of its answer, in Cache-Status (RFC 9211). */
import { parseList } from "../../http/index.ts";
import type { CacheResponse } from "./message.ts";

/**
 * Whether the nearest cache gave out something past its time, or purged softly: a hit without freshness left (§2.1, §2.5). Its
 * age alone does not tell of a purge, nor would a lifetime of our own heed it.
 */
export function cameStale(response: CacheResponse): boolean {
  const status = response.field("cache-status");
  // The last member is the cache that is nearest to us (§2).
  const params = status === undefined ? undefined : parseList(status)?.at(-1)?.parameters;
  const hit = params?.get("hit");
  const ttl = params?.get("ttl");
  return hit?.kind === "boolean" && hit.value && ttl?.kind === "integer" && ttl.value < 0;
}
