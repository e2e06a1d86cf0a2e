/** The URL part of a key, for a purge of a URL that no request brought. */
import { asBytes } from "../http/index.ts";
import { type CacheKeyRule, type KeySource, writeKey } from "./policy/index.ts";

const NO_FIELD = (): undefined => undefined;

/** Room for scheme, separators and what is written instead of nothing. */
const FRAME_BYTES = 16;

/** What a record with this URL is found by, under this rule. `host` may have a port; `target` is path and query. */
export function urlKey(
  rule: CacheKeyRule,
  { host, target }: { readonly host: string; readonly target: string },
): Uint8Array {
  const bytes = asBytes(`${host}${target}`);
  const mark = bytes.indexOf(0x3f, host.length);
  const pathEnd = mark < 0 ? bytes.length : mark;
  const source: KeySource = {
    bytes,
    isSecure: false,
    hostStart: 0,
    hostEnd: portStart(host),
    authorityEnd: host.length,
    pathStart: host.length,
    pathEnd,
    queryStart: Math.min(bytes.length, pathEnd + 1),
    queryEnd: bytes.length,
    field: NO_FIELD,
  };
  const plain: CacheKeyRule = { ...rule, headers: [], cookies: [], device: false, languages: [] };
  const key = new Uint8Array(bytes.length + FRAME_BYTES);
  const place = { urlStart: 0, pathEnd: 0, urlEnd: 0 };
  writeKey(source, plain, key, place);
  return key.slice(place.urlStart, place.urlEnd);
}

/** Where the port begins, with its colon; the end of the host without one. */
function portStart(host: string): number {
  return /:\d*$/.exec(host)?.index ?? host.length;
}
