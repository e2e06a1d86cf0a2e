/** Which fields of a response are stored, which go on to clients, and which make up a 304. */
import { formatHttpDate } from "./http-date.ts";
import { splitNames } from "./list.ts";
import { type FieldLine, valueIn } from "./message.ts";
import type { CachePolicy } from "./policy.ts";

/** Of one connection or one proxy only (RFC 9111 §3.1), Age, which is kept as a number, and what is new in each response. */
const NOT_STORED: ReadonlySet<string> = new Set([
  "age",
  "connection",
  "keep-alive",
  "proxy-authenticate",
  "proxy-authentication-info",
  "proxy-authorization",
  "proxy-connection",
  "te",
  "trailer",
  "transfer-encoding",
  "upgrade",
  "x-edge",
  "x-request-id",
]);

/** Words between an origin and its caches, which tell a client only how to guess at others. */
const INTERNAL: ReadonlySet<string> = new Set([
  "cache-tag",
  "edge-cache-tag",
  "surrogate-control",
  "surrogate-key",
  "tenfold-cdn-cache-control",
]);

/** Metadata of a body, which a 304 does not have (RFC 9110 §15.4.5). All other fields keep their use there. */
const BODY_METADATA: ReadonlySet<string> = new Set([
  "accept-ranges",
  "content-digest",
  "content-encoding",
  "content-language",
  "content-length",
  "content-md5",
  "content-range",
  "content-type",
  "digest",
  "repr-digest",
]);

/** What `browserCacheControl` replaces. */
const REPLACED: ReadonlySet<string> = new Set(["cache-control", "expires", "pragma"]);

/**
 * The fields to store: without those of the connection, those that Connection names, and `withheld` (see
 * `withheldFields`); with a Date if the upstream gave none (RFC 9110 §6.6.1). O(lines).
 */
export function storedFields(
  lines: readonly FieldLine[],
  withheld: readonly string[],
  responseWallMs: number,
): FieldLine[] {
  const dropped = new Set([...withheld, ...splitNames(valueIn(lines, "connection") ?? "")]);
  const kept = lines.filter(([name]) => isStored(name.toLowerCase(), dropped));
  const hasDate = valueIn(kept, "date") !== undefined;
  return hasDate ? kept : [...kept, ["Date", formatHttpDate(responseWallMs)]];
}

/** The fields that go on to a client, without Age and Cache-Status, which are new for each response. O(lines). */
export function clientFields(lines: readonly FieldLine[], policy: CachePolicy): FieldLine[] {
  const { browserCacheControl, keepInternalFields } = policy;
  const isSent = (name: string): boolean =>
    (keepInternalFields || !INTERNAL.has(name)) && (browserCacheControl === undefined || !REPLACED.has(name));
  const sent = lines.filter(([name]) => isSent(name.toLowerCase()));
  return browserCacheControl === undefined ? sent : [...sent, ["Cache-Control", browserCacheControl]];
}

/** The fields of a 304 made from those of the stored response (RFC 9110 §15.4.5). O(lines). */
export function notModifiedFields(lines: readonly FieldLine[]): FieldLine[] {
  const hasEtag = valueIn(lines, "etag") !== undefined;
  return lines.filter(([name]) => {
    const folded = name.toLowerCase();
    return !BODY_METADATA.has(folded) && !(hasEtag && folded === "last-modified");
  });
}

function isStored(name: string, dropped: ReadonlySet<string>): boolean {
  return !NOT_STORED.has(name) && !dropped.has(name);
}
