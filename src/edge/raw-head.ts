/**
 * The head of a response as it is stored, made from the bytes of the target's head without a string.
 *
 *   fields for caches alone | status line, fields for clients   (Content-Length follows when the body is whole)
 *
 * What belongs to the connection is left out, and so is what is new in each response: Age, X-Request-Id, framing.
 */
import {
  asBytes,
  copy,
  equalsFolded,
  FIELD,
  FIELD_CODES,
  put,
  putDecimal,
  type ResponseHead,
  reasonPhrase,
} from "../http/index.ts";
import type { CachePolicy } from "./policy/index.ts";

/** What becomes of a field: for clients; left out; for caches alone; one that a rule's own Cache-Control replaces. */
const PART = { client: 0, none: 1, internal: 2, replaced: 3, age: 4 } as const;

const PARTS: Uint8Array = new Uint8Array(FIELD_CODES);
for (const code of [
  FIELD.connection,
  FIELD.keepAlive,
  FIELD.proxyConnection,
  FIELD.proxyAuthenticate,
  FIELD.proxyAuthorization,
  FIELD.proxyAuthenticationInfo,
  FIELD.te,
  FIELD.trailer,
  FIELD.upgrade,
  FIELD.transferEncoding,
  FIELD.contentLength,
  FIELD.xRequestId,
  FIELD.xEdge,
])
  PARTS[code] = PART.none;
for (const code of [
  FIELD.cacheTag,
  FIELD.edgeCacheTag,
  FIELD.surrogateControl,
  FIELD.surrogateKey,
  FIELD.tenfoldCdnCacheControl,
])
  PARTS[code] = PART.internal;
for (const code of [FIELD.cacheControl, FIELD.expires, FIELD.pragma]) PARTS[code] = PART.replaced;
PARTS[FIELD.age] = PART.age;

/** Longest head that places can point into: as long as the longest that is ever accepted from a target. */
export const HEAD_BYTES_MAX = 65_535;

const NO_TAGS: readonly string[] = [];

const HTTP = Buffer.from("HTTP/1.1 ");
const OK = Buffer.from("HTTP/1.1 200 OK\r\n");
const CRLF = Buffer.from("\r\n");
const CACHE_CONTROL = Buffer.from("Cache-Control: ");
const DATE = Buffer.from("Date: ");
const VARY = Buffer.from("Vary: Accept-Encoding\r\n");
const LENGTH = Buffer.from("Content-Length: ");

/** Room for status line, a Date, and a Content-Length. */
const SPARE_BYTES = 160;

/** The head of a response, ready to be stored, and where its texts stand: 16 bits for the offset, 16 for the length. */
export interface StoredHead {
  readonly bytes: Uint8Array;
  /** Where the part for clients begins. */
  readonly clientStart: number;
  /** Bytes in use; what is behind them is room for Content-Length. */
  end: number;
  /** Whether clients get another Cache-Control than the origin's. */
  readonly isRewritten: boolean;
  etag: number;
  lastModified: number;
  contentLanguage: number;
  /** Names under which it can be purged. */
  tags: readonly string[];
  /** Whether other codings of it may be kept. */
  isCompressible: boolean;
}

/** How a head is laid out. */
export interface HeadLayout {
  readonly policy: CachePolicy;
  /** Names, in small letters, that a no-cache="…" or private="…" keeps out. */
  readonly withheld: readonly string[];
  /** Keep the target's Age: the response is passed on, not stored. */
  readonly keepsAge: boolean;
  /** Sent where the target sent no Date. */
  readonly date: () => string;
  /** Other codings of it may be kept: clients are told that it varies. */
  readonly isCompressible: boolean;
  /** Its status is 200, whatever the target's: a part that is all there is. */
  readonly isWhole?: boolean;
  /** Laid out here, `HEAD_BYTES_MAX` bytes; absent: into bytes of its own. */
  readonly into?: Uint8Array | undefined;
}

/** Lays out the head of a response. Undefined when it is too long to be stored. O(head). */
export function layOutRawHead(
  head: ResponseHead,
  bytes: Uint8Array,
  layout: HeadLayout,
): StoredHead | undefined {
  const { policy } = layout;
  const browser = policy.browserCacheControl;
  const room =
    head.fields.end - head.start + SPARE_BYTES + (browser?.length ?? 0) + reasonPhrase(head.status).length;
  if (room > HEAD_BYTES_MAX) return undefined;
  const out = layout.into ?? new Uint8Array(room);
  const internalEnd = putLines(head, bytes, out, 0, { layout, wantsInternal: true });
  const laid = {
    bytes: out,
    clientStart: internalEnd,
    end: layout.isWhole === true ? put(OK, out, internalEnd) : putStatusLine(head, bytes, out, internalEnd),
    isRewritten: browser !== undefined,
    etag: 0,
    lastModified: 0,
    contentLanguage: 0,
    tags: NO_TAGS,
    isCompressible: layout.isCompressible,
  };
  laid.end = putLines(head, bytes, out, laid.end, { layout, wantsInternal: false, laid });
  if (browser !== undefined) laid.end = putField(CACHE_CONTROL, browser, out, laid.end);
  if (layout.isCompressible) laid.end = put(VARY, out, laid.end);
  if (!head.fields.has(FIELD.date)) laid.end = putField(DATE, layout.date(), out, laid.end);
  return laid;
}

function putField(name: Uint8Array, value: string, out: Uint8Array, at: number): number {
  const start = put(name, out, at);
  return put(CRLF, out, put(Buffer.from(value, "latin1"), out, start));
}

/** The same head in bytes of its own. */
export function ownHead(laid: StoredHead): StoredHead {
  return { ...laid, bytes: laid.bytes.slice(0, laid.end + SPARE_BYTES) };
}

/** Ends the head with the length of its body. */
export function putContentLength(laid: StoredHead, length: number): void {
  laid.end = put(CRLF, laid.bytes, putDecimal(length, laid.bytes, put(LENGTH, laid.bytes, laid.end)));
}

function putStatusLine(head: ResponseHead, bytes: Uint8Array, out: Uint8Array, from: number): number {
  let at = put(HTTP, out, from);
  for (let place = 100; place >= 1; place /= 10) out[at++] = 0x30 + (Math.floor(head.status / place) % 10);
  out[at++] = 0x20;
  at =
    head.reasonEnd > head.reasonStart
      ? copy(bytes, head.reasonStart, head.reasonEnd, out, at)
      : put(Buffer.from(reasonPhrase(head.status)), out, at);
  return put(CRLF, out, at);
}

interface Wanted {
  readonly layout: HeadLayout;
  /** The lines for caches alone, or those for clients. */
  readonly wantsInternal: boolean;
  readonly laid?: StoredHead;
}

/** Lines that stand together and are all wanted go in one copy. */
function putLines(
  head: ResponseHead,
  bytes: Uint8Array,
  out: Uint8Array,
  from: number,
  wanted: Wanted,
): number {
  const { count, code, nameStart } = head.fields;
  let at = from;
  let start = nameStart[0] as number;
  for (let i = 0; i < count; i++) {
    if (isWanted(head, bytes, i, wanted)) {
      if (wanted.laid !== undefined) note(wanted.laid, head, i, at - start, code[i] as number);
      continue;
    }
    at = copy(bytes, start, nameStart[i] as number, out, at);
    start = nameStart[i + 1] as number;
  }
  return copy(bytes, start, nameStart[count] as number, out, at);
}

function isWanted(
  head: ResponseHead,
  bytes: Uint8Array,
  i: number,
  { layout, wantsInternal }: Wanted,
): boolean {
  const part = PARTS[head.fields.code[i] as number] as number;
  if (part === PART.none || (head.nominates && head.fields.nominated[i] === 1)) return false;
  if (layout.withheld.length > 0 && isWithheld(head, bytes, i, layout.withheld)) return false;
  if (part === PART.age) return !wantsInternal && layout.keepsAge;
  const isInternal =
    (part === PART.internal && !layout.policy.keepInternalFields) ||
    (part === PART.replaced && layout.policy.browserCacheControl !== undefined);
  return isInternal === wantsInternal;
}

function isWithheld(
  { fields }: ResponseHead,
  bytes: Uint8Array,
  i: number,
  names: readonly string[],
): boolean {
  const start = fields.nameStart[i] as number;
  const end = fields.nameEnd[i] as number;
  // In a folded name "_" is "-": of the two spellings neither gets past the other.
  return names.some((name) => equalsFolded(bytes, start, end, asBytes(name.replaceAll("_", "-"))));
}

/** Remembers where a validator stands. */
function note(laid: StoredHead, { fields }: ResponseHead, i: number, shift: number, code: number): void {
  if (code !== FIELD.etag && code !== FIELD.lastModified && code !== FIELD.contentLanguage) return;
  if (fields.repeated(code)) return;
  const start = fields.valueStart[i] as number;
  const place = ((start + shift) << 16) | ((fields.valueEnd[i] as number) - start);
  if (code === FIELD.etag) laid.etag = place;
  else if (code === FIELD.lastModified) laid.lastModified = place;
  else laid.contentLanguage = place;
}
