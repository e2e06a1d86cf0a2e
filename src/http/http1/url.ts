/**
 * Absolute-form of a request target: "http://host:port/path?query" (RFC 9112 §3.2.2). Clients send it to proxies; a
 * server must take it too, and the host in it must be the one of the Host field.
 */
import { AT_SIGN, asBytes, COLON, equalsFolded, QUESTION, SLASH, type Slice } from "../bytes.ts";
import { hostEnd } from "./authority.ts";
import type { RequestErrorCode } from "./errors.ts";

const HTTP = asBytes("http");
const HTTPS = asBytes("https");

/** Finds host and port of the URL in `bytes[start..end)`; the path begins at `authority.end`. Returns why not. */
export function readUrl(
  bytes: Uint8Array,
  start: number,
  end: number,
  authority: Slice,
): RequestErrorCode | undefined {
  const host = schemeEnd(bytes, start, end);
  if (host < 0) return "target-form";
  let at = host;
  while (at < end && bytes[at] !== SLASH && bytes[at] !== QUESTION) {
    if (bytes[at] === AT_SIGN) return "target-userinfo";
    at++;
  }
  if (hostEnd(bytes, host, at) < 0) return "target-authority";
  authority.start = host;
  authority.end = at;
  return undefined;
}

/** Offset after "http://" or "https://", or -1. */
function schemeEnd(bytes: Uint8Array, start: number, end: number): number {
  let at = start;
  while (at < end && bytes[at] !== COLON) at++;
  if (!equalsFolded(bytes, start, at, HTTP) && !equalsFolded(bytes, start, at, HTTPS)) return -1;
  return at + 2 < end && bytes[at + 1] === SLASH && bytes[at + 2] === SLASH ? at + 3 : -1;
}
