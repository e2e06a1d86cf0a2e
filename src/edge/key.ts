/**
 * The key of a response: what requests must have in common to be answered by the same one.
 *
 *   scheme NUL host NUL path ?query NUL further parts, each with NUL
 *
 * Host, path and query are the URL that a purge names. With the default rule the key is copied from the request's bytes,
 * without an allocation.
 */
import { copy, FIELD, findCookie, type RequestHead, text } from "../http/index.ts";
import { bestLanguage, deviceOf } from "./client-class.ts";

/** Which requests are the same, after normalisation. */
export interface CacheKeyRule {
  readonly scheme: "http" | "https";
  readonly query:
    | { readonly kind: "all" }
    | { readonly kind: "none" }
    | { readonly kind: "only"; readonly names: readonly string[] }
    | { readonly kind: "except"; readonly names: readonly string[] };
  readonly sortQuery: boolean;
  /** Request fields, in small letters. */
  readonly headers: readonly string[];
  readonly cookies: readonly string[];
  /** Phones, tablets and others apart. */
  readonly device: boolean;
  /** Languages, in small letters; the best match of Accept-Language counts. */
  readonly languages: readonly string[];
}

/** A request whose head has been parsed. */
export interface KeyedRequest {
  readonly head: RequestHead;
  readonly bytes: Uint8Array;
}

/** Where the parts of a key stand. Filled in by `writeCacheKey`. */
export interface KeyPlace {
  /** Where the host begins. */
  urlStart: number;
  pathEnd: number;
  /** Where the query ends. */
  urlEnd: number;
  end: number;
}

const NUL = 0;
const SLASH = 0x2f;
const QUESTION = 0x3f;
const SCHEMES = { http: Buffer.from("http\0"), https: Buffer.from("https\0") } as const;

/** Room for a scheme, separators and a slash. */
const FIXED_BYTES = 16;

/** Writes the key of a request to `out`. False when it does not fit. O(length of the URL). */
export function writeCacheKey(
  rule: CacheKeyRule,
  { head, bytes }: KeyedRequest,
  out: Uint8Array,
  place: KeyPlace,
): boolean {
  const urlBytes = head.authorityEnd - head.hostStart + (head.targetEnd - head.pathStart);
  if (urlBytes + FIXED_BYTES > out.length) return false;
  const scheme = SCHEMES[rule.scheme];
  place.urlStart = copy(scheme, 0, scheme.length, out, 0);
  let at = copy(bytes, head.hostStart, head.authorityEnd, out, place.urlStart);
  lower(out, place.urlStart, at);
  out[at++] = NUL;
  if (head.pathEnd === head.pathStart) out[at++] = SLASH;
  at = copy(bytes, head.pathStart, head.pathEnd, out, at);
  place.pathEnd = at;
  at = putQuery(rule, bytes, head, out, at);
  place.urlEnd = at;
  place.end = hasExtras(rule) ? putExtras(rule, { head, bytes }, out, at) : at;
  return place.end >= 0;
}

/** The URL part of a key, for a purge by URL. `target` is path and query. */
export function urlKey(
  rule: CacheKeyRule,
  { host, target }: { readonly host: string; readonly target: string },
): Uint8Array {
  const [path = "/", ...rest] = target.split("?");
  const query = rest.join("?");
  const kept = rest.length === 0 ? "" : selected(rule, query);
  return Buffer.from(`${host.toLowerCase()}\0${path}${kept === "" ? "" : `?${kept}`}`, "latin1");
}

function putQuery(
  rule: CacheKeyRule,
  bytes: Uint8Array,
  head: RequestHead,
  out: Uint8Array,
  at: number,
): number {
  if (head.queryEnd === head.queryStart || rule.query.kind === "none") return at;
  const mark = at;
  out[at] = QUESTION;
  if (rule.query.kind === "all" && !rule.sortQuery)
    return copy(bytes, head.queryStart, head.queryEnd, out, at + 1);
  const kept = Buffer.from(selected(rule, text(bytes, head.queryStart, head.queryEnd)), "latin1");
  return kept.length === 0 ? mark : copy(kept, 0, kept.length, out, at + 1);
}

/** The parameters that count, in the order that counts. */
function selected({ query, sortQuery }: CacheKeyRule, parameters: string): string {
  const pairs = parameters.split("&");
  const kept = pairs.filter((pair) => {
    const name = pair.split("=", 1)[0] ?? "";
    if (query.kind === "only") return query.names.includes(name);
    return query.kind === "all" || (query.kind === "except" && !query.names.includes(name));
  });
  return (sortQuery ? kept.toSorted() : kept).join("&");
}

function hasExtras({ headers, cookies, device, languages }: CacheKeyRule): boolean {
  return headers.length > 0 || cookies.length > 0 || device || languages.length > 0;
}

/** What counts beside the URL; -1 when it does not fit. */
function putExtras(rule: CacheKeyRule, request: KeyedRequest, out: Uint8Array, from: number): number {
  const { head, bytes } = request;
  const valueOf = (name: string): string | undefined => head.fields.value(bytes, name);
  const parts = [
    ...rule.headers.map((name) => valueOf(name)),
    ...rule.cookies.map((name) => cookieOf(request, name)),
    ...(rule.device ? [deviceOf(valueOf("user-agent"), valueOf("sec-ch-ua-mobile"))] : []),
    ...(rule.languages.length > 0 ? [bestLanguage(rule.languages, valueOf("accept-language"))] : []),
  ];
  // A field that is missing is not one that is empty.
  const extras = Buffer.from(
    parts.map((part) => (part === undefined ? "\0" : `\0=${part}`)).join(""),
    "latin1",
  );
  return from + extras.length > out.length ? -1 : copy(extras, 0, extras.length, out, from);
}

function cookieOf({ head, bytes }: KeyedRequest, name: string): string | undefined {
  const i = head.fields.first(FIELD.cookie);
  if (i < 0) return undefined;
  return findCookie(bytes, head.fields.valueStart[i] ?? 0, head.fields.valueEnd[i] ?? 0, name);
}

function lower(bytes: Uint8Array, start: number, end: number): void {
  for (let i = start; i < end; i++) {
    const byte = bytes[i] ?? 0;
    if (byte >= 0x41 && byte <= 0x5a) bytes[i] = byte | 0x20;
  }
}
