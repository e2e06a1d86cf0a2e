/**
 * The fields that the gateway knows by name, each as a small number.
 *
 * The parser looks up every name once, so that all later questions ("is there a Host?", "is this one dropped?")
 * are array loads. Adding a field is one row in `FIELD`; its name on the wire is the key with dashes.
 */
import { FOLD, UNDERSCORE } from "./bytes.ts";

/** Known field name, in camel case -> its number. */
export const FIELD = {
  /** Any field without a row here. */
  other: 0,
  /**
   * A known name written with "_" for "-", such as `X_Forwarded_For` or `Content_Length`. CGI and WSGI applications
   * cannot tell it from the real one, so it is never forwarded.
   */
  lookalike: 1,
  host: 2,
  contentLength: 3,
  transferEncoding: 4,
  connection: 5,
  upgrade: 6,
  expect: 7,
  te: 8,
  trailer: 9,
  keepAlive: 10,
  proxyConnection: 11,
  proxyAuthenticate: 12,
  proxyAuthorization: 13,
  http2Settings: 14,
  forwarded: 15,
  xForwardedFor: 16,
  xForwardedHost: 17,
  xForwardedProto: 18,
  xForwardedPort: 19,
  xRealIp: 20,
  via: 21,
  xRequestId: 22,
  maxForwards: 23,
  date: 24,
  cookie: 25,
  setCookie: 26,
  accept: 27,
  acceptEncoding: 28,
  authorization: 29,
  cacheControl: 30,
  contentType: 31,
  contentEncoding: 32,
  userAgent: 33,
  referer: 34,
  origin: 35,
  server: 36,
  location: 37,
  etag: 38,
  vary: 39,
  age: 40,
  expires: 41,
  lastModified: 42,
  ifNoneMatch: 43,
  ifModifiedSince: 44,
  range: 45,
  retryAfter: 46,
  pragma: 47,
  ifMatch: 48,
  ifUnmodifiedSince: 49,
  ifRange: 50,
  contentLanguage: 51,
  proxyAuthenticationInfo: 52,
  cacheTag: 53,
  edgeCacheTag: 54,
  surrogateControl: 55,
  surrogateKey: 56,
  cacheGroups: 57,
  cdnCacheControl: 58,
  tenfoldCdnCacheControl: 59,
  setCookie2: 60,
  contentLocation: 61,
  cacheGroupInvalidation: 62,
  xOriginalUrl: 63,
  xRewriteUrl: 64,
  xOriginalHost: 65,
  xHost: 66,
  xForwardedServer: 67,
  xForwardedScheme: 68,
  xHttpMethodOverride: 69,
  xHttpHostOverride: 70,
  xEdge: 71,
  cdnLoop: 72,
} as const;

/** Number of a known field, 0 (`FIELD.other`) for the rest. */
export type FieldCode = (typeof FIELD)[keyof typeof FIELD];

/** One more than the largest code. */
export const FIELD_CODES = 73;

/** Name on the wire in small letters: "xForwardedFor" -> "x-forwarded-for". */
export function wireName(key: string): string {
  return key.replace(/[A-Z]/g, (capital) => `-${capital.toLowerCase()}`);
}

/** Folded names by code; empty for the two that are no names. */
const NAMES: readonly Uint8Array[] = Object.entries(FIELD).map(([key, code]) =>
  Buffer.from(code > FIELD.lookalike ? wireName(key) : "", "latin1"),
);

/** Slots of the open-addressing table: four times the names, so that most are met at the first probe. */
const SLOTS = 256;

const TABLE: Uint8Array = buildTable();

function slotOf(length: number, first: number, last: number): number {
  return (length * 29 + first * 5 + last * 11) & (SLOTS - 1);
}

function buildTable(): Uint8Array {
  const table = new Uint8Array(SLOTS);
  NAMES.forEach((name, code) => {
    if (name.length === 0) return;
    let slot = slotOf(name.length, name[0] as number, name[name.length - 1] as number);
    while (table[slot] !== 0) slot = (slot + 1) & (SLOTS - 1);
    table[slot] = code;
  });
  return table;
}

/** The code of a field name that holds only token characters. O(length of the name). */
export function fieldCode(bytes: Uint8Array, start: number, end: number): number {
  const first = FOLD[bytes[start] as number] as number;
  const last = FOLD[bytes[end - 1] as number] as number;
  let slot = slotOf(end - start, first, last);
  for (let code = TABLE[slot] as number; code !== 0; code = TABLE[slot] as number) {
    const match = matches(bytes, start, end, NAMES[code] as Uint8Array);
    if (match !== 0) return match === 1 ? code : FIELD.lookalike;
    slot = (slot + 1) & (SLOTS - 1);
  }
  return FIELD.other;
}

/** 0: another name. 1: this name. 2: this name but for an underscore. */
function matches(bytes: Uint8Array, start: number, end: number, name: Uint8Array): number {
  if (end - start !== name.length) return 0;
  let match = 1;
  for (let i = 0; i < name.length; i++) {
    const byte = bytes[start + i] as number;
    if (FOLD[byte] !== name[i]) return 0;
    if (byte === UNDERSCORE) match = 2;
  }
  return match;
}
