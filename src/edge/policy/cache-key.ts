/**
 * The primary key: `scheme NUL host NUL path?query`, then what the rule adds, each after a NUL of its own. NUL is in
 * no request, so no two different requests have one key. Vary comes on top: all variants of a URL share its key, and
 * a purge of the key is a purge of them all.
 */
import { asBytes, copy, locateCookie, text } from "../../http/index.ts";
import { deviceOf } from "./device.ts";
import type { CacheKeyRule } from "./key-rule.ts";
import { bestLanguage } from "./language.ts";
import { selectQuery } from "./query-selection.ts";

/** The places of a request that its key is made of, in `bytes`, as the parser of requests leaves them. */
export interface KeySource {
  readonly bytes: Uint8Array;
  readonly isSecure: boolean;
  readonly hostStart: number;
  readonly hostEnd: number;
  /** End of the host with its port. */
  readonly authorityEnd: number;
  readonly pathStart: number;
  readonly pathEnd: number;
  /** The query without its "?"; empty for none. */
  readonly queryStart: number;
  readonly queryEnd: number;
  /** The value of a field, all its lines joined, or undefined; asked only for what the rule names. */
  field(name: string): string | undefined;
}

const NO_BYTES = new Uint8Array(0);
const HTTP = asBytes("http\0");
const HTTPS = asBytes("https\0");
const QUOTE = 0x22;
const SLASH = 0x2f;
const QUESTION = 0x3f;

/** Bytes that the key has beside those of the request: scheme, NULs, "/" and "?". */
const FRAME_BYTES = 10;

/** Where the URL stands in a key: purges by URL and by prefix look there. */
export interface KeyPlace {
  /** Where the host begins. */
  urlStart: number;
  pathEnd: number;
  /** Where the query ends. */
  urlEnd: number;
}

/**
 * Writes the key to `to` and returns its length, or -1 when there is no room; `place` is filled in. With the default rule
 * it allocates nothing and costs one pass over host, path and query.
 */
export function writeKey(
  source: KeySource,
  rule: CacheKeyRule,
  to: Uint8Array,
  place: KeyPlace = { urlStart: 0, pathEnd: 0, urlEnd: 0 },
): number {
  const { bytes, hostStart, authorityEnd, pathStart, pathEnd, queryStart, queryEnd } = source;
  const length = authorityEnd - hostStart + (pathEnd - pathStart) + (queryEnd - queryStart);
  if (length + FRAME_BYTES > to.length) return -1;
  place.urlStart = put(source.isSecure ? HTTPS : HTTP, to, 0);
  let at = putHost(source, to, place.urlStart);
  to[at++] = 0;
  if (pathStart === pathEnd) to[at++] = SLASH;
  place.pathEnd = copy(bytes, pathStart, pathEnd, to, at);
  at = putQuery(source, rule, to, place.pathEnd);
  place.urlEnd = at;
  return hasParts(rule) ? putParts(source, rule, to, at) : at;
}

/** The host in small letters, with its port unless that is the scheme's own. */
function putHost(source: KeySource, to: Uint8Array, start: number): number {
  const { bytes, hostStart, hostEnd, authorityEnd } = source;
  const end = hasDefaultPort(source) ? hostEnd : authorityEnd;
  let at = start;
  for (let i = hostStart; i < end; i++) {
    const byte = bytes[i] as number;
    to[at++] = byte >= 0x41 && byte <= 0x5a ? byte | 0x20 : byte;
  }
  return at;
}

/** ":80" of http, ":443" of https, or a ":" with nothing behind it. */
function hasDefaultPort({ bytes, hostEnd, authorityEnd, isSecure }: KeySource): boolean {
  const digits = isSecure ? "443" : "80";
  const length = authorityEnd - hostEnd - 1;
  if (length === 0) return true;
  if (length !== digits.length) return false;
  for (let i = 0; i < length; i++) {
    if (bytes[hostEnd + 1 + i] !== digits.charCodeAt(i)) return false;
  }
  return true;
}

function putQuery(source: KeySource, rule: CacheKeyRule, to: Uint8Array, at: number): number {
  const { bytes, queryStart, queryEnd } = source;
  if (queryStart === queryEnd || rule.query === "none") return at;
  if (rule.query === "all" && !rule.sortQuery) {
    to[at] = QUESTION;
    return copy(bytes, queryStart, queryEnd, to, at + 1);
  }
  const query = selectQuery(text(bytes, queryStart, queryEnd), rule);
  return query === "" ? at : put(asBytes(`?${query}`), to, at);
}

function hasParts({ headers, cookies, device, languages }: CacheKeyRule): boolean {
  return headers.length > 0 || cookies.length > 0 || device || languages.length > 0;
}

/** What the rule adds. A field that is absent differs from an empty one. */
function putParts(source: KeySource, rule: CacheKeyRule, to: Uint8Array, at: number): number {
  const cookies = rule.cookies.length > 0 ? asBytes(source.field("cookie") ?? "") : NO_BYTES;
  const parts = [
    ...rule.headers.map((name) => `h:${name}${valueOf(source.field(name))}`),
    ...rule.cookies.map((name) => `c:${name}${valueOf(cookieIn(cookies, name))}`),
    ...(rule.device ? [`d:${deviceOf(source)}`] : []),
    ...(rule.languages.length > 0
      ? [`l:${bestLanguage(source.field("accept-language"), rule.languages) ?? ""}`]
      : []),
  ];
  const bytes = asBytes(`\0${parts.join("\0")}`);
  return at + bytes.length > to.length ? -1 : put(bytes, to, at);
}

/** All values of a cookie, with ";" between: which of several counts is the application's choice, and not known here. */
function cookieIn(cookies: Uint8Array, name: string): string | undefined {
  const values: string[] = [];
  const wanted = asBytes(name);
  const slice = { start: 0, end: 0 };
  while (locateCookie(cookies, slice.end, cookies.length, wanted, slice)) {
    // Quotes around it belong to the value (RFC 6265 §5.2 strips none): the application may tell the two apart.
    const quote = cookies[slice.end] === QUOTE && cookies[slice.start - 1] === QUOTE ? 1 : 0;
    values.push(text(cookies, slice.start - quote, slice.end + quote));
    slice.end += quote + 1;
  }
  return values.length === 0 ? undefined : values.join(";");
}

function valueOf(value: string | undefined): string {
  return value === undefined ? "" : `=${value}`;
}

function put(from: Uint8Array, to: Uint8Array, at: number): number {
  return copy(from, 0, from.length, to, at);
}
