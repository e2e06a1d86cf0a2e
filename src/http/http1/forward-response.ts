/**
 * A response head as the client gets it: end-to-end fields unchanged and in order, hop-by-hop ones gone, our own added.
 *
 * The same plan as for requests: lines that stay are copied in runs, and each field's worth is a row of `RULES`. No
 * Via is added: a gateway may leave it out of responses (RFC 9110 §7.6.3), and clients have no use for it.
 */
import { asBytes, copy, put, ZERO } from "../bytes.ts";
import { FIELD, FIELD_CODES } from "../field-names.ts";
import { FRAMING_LINE_BYTES_MAX, isCanonical, putFramingLine } from "./framing-line.ts";
import type { ResponseHead } from "./response-head.ts";

/** What the gateway knows beside the head. One object per worker, filled in anew for each response. */
export interface ResponseContext {
  /** Whether the client connection closes after this response: adds `Connection: close`. */
  close: boolean;
  /** Whether an HTTP/1.0 client asked to keep the connection and may: adds `Connection: keep-alive`. */
  keepAlive: boolean;
  /** Whether this is the 101 that opens a tunnel: keeps Upgrade and adds `Connection: Upgrade`. */
  upgrade: boolean;
  /** Whether the client speaks HTTP/1.0 and gets a chunked body as plain data (`ChunkedScanner` mode "data"). */
  dechunk: boolean;
  /** Sent as X-Request-Id unless the target sent one; empty sends none. */
  requestId: Uint8Array;
  /** `Date: …` with its CRLF, sent when the target sent none (RFC 9110 §6.6.1); empty sends none. */
  dateLine: Uint8Array;
  /** Further lines, each with its CRLF; empty sends none. */
  extra: Uint8Array;
  /** `X-Edge: fra` with its CRLF, in place of the target's: the edge nearest to the client is the one named. Empty keeps that. */
  edgeLine: Uint8Array;
  /** Whether fields that are for caches between target and client alone are left out. */
  hidesInternal: boolean;
  /** Whether `extra` has a Cache-Control in the place of the target's, and of its Expires and Pragma. */
  replacesCacheControl: boolean;
}

const RULE = {
  keep: 0,
  drop: 1,
  upgrade: 2,
  length: 3,
  encoding: 4,
  internal: 5,
  caching: 6,
  edge: 7,
} as const;

const RULES: Uint8Array = new Uint8Array(FIELD_CODES);
RULES[FIELD.connection] = RULE.drop;
RULES[FIELD.keepAlive] = RULE.drop;
RULES[FIELD.proxyConnection] = RULE.drop;
RULES[FIELD.proxyAuthenticate] = RULE.drop;
RULES[FIELD.proxyAuthorization] = RULE.drop;
RULES[FIELD.te] = RULE.drop;
RULES[FIELD.trailer] = RULE.drop;
RULES[FIELD.upgrade] = RULE.upgrade;
RULES[FIELD.contentLength] = RULE.length;
RULES[FIELD.transferEncoding] = RULE.encoding;
RULES[FIELD.cacheTag] = RULE.internal;
RULES[FIELD.edgeCacheTag] = RULE.internal;
RULES[FIELD.surrogateControl] = RULE.internal;
RULES[FIELD.surrogateKey] = RULE.internal;
RULES[FIELD.tenfoldCdnCacheControl] = RULE.internal;
RULES[FIELD.cacheControl] = RULE.caching;
RULES[FIELD.expires] = RULE.caching;
RULES[FIELD.pragma] = RULE.caching;
RULES[FIELD.xEdge] = RULE.edge;

const CRLF = asBytes("\r\n");
const SPACE = asBytes(" ");
const REQUEST_ID = asBytes("X-Request-Id: ");
const CONNECTION_CLOSE = asBytes("Connection: close\r\n");
const CONNECTION_KEEP_ALIVE = asBytes("Connection: keep-alive\r\n");
const CONNECTION_UPGRADE = asBytes("Connection: Upgrade\r\n");

/** Offset of the minor version in the status line. */
const MINOR_OFFSET = "HTTP/1.".length;
const STATUS_END = "HTTP/1.1 200".length;

/** Names and separators that this file adds, all together, rounded up. */
const FIXED_BYTES = 96 + FRAMING_LINE_BYTES_MAX;

/**
 * Writes the head for the client to `out[at..]`. Returns the offset after its empty line, or -1 when it might not
 * fit. O(fields); allocates nothing. Measured by bench/http1-codec.ts.
 */
export function writeForwardedResponse(
  head: ResponseHead,
  bytes: Uint8Array,
  out: Uint8Array,
  at: number,
  context: ResponseContext,
): number {
  const { fields } = head;
  const needed =
    fields.end -
    head.start +
    context.requestId.length +
    context.dateLine.length +
    context.extra.length +
    context.edgeLine.length +
    FIXED_BYTES;
  if (at + needed > out.length) return -1;
  let into = putFields(head, bytes, out, at, context);
  // An informational response is only passed on: what is added belongs to the one that follows.
  if (head.informational) return put(CRLF, out, into);
  if (context.extra.length > 0) into = put(context.extra, out, into);
  if (context.edgeLine.length > 0) into = put(context.edgeLine, out, into);
  if (!fields.has(FIELD.date)) into = put(context.dateLine, out, into);
  if (context.requestId.length > 0 && !fields.has(FIELD.xRequestId)) {
    into = put(CRLF, out, put(context.requestId, out, put(REQUEST_ID, out, into)));
  }
  if (context.upgrade) into = put(CONNECTION_UPGRADE, out, into);
  else if (context.close) into = put(CONNECTION_CLOSE, out, into);
  else if (context.keepAlive) into = put(CONNECTION_KEEP_ALIVE, out, into);
  return put(CRLF, out, into);
}

/** Status line and the fields that stay. */
function putFields(
  head: ResponseHead,
  bytes: Uint8Array,
  out: Uint8Array,
  at: number,
  context: ResponseContext,
): number {
  const { nameStart, code, count } = head.fields;
  let run = head.start;
  let into = at;
  if (head.reasonStart === head.start + STATUS_END) {
    // The target left out the space that the grammar wants even when no reason follows.
    run = head.reasonStart;
    into = put(SPACE, out, copy(bytes, head.start, run, out, into));
  }
  for (let i = 0; i < count; i++) {
    const rule = RULES[code[i] as number] as number;
    if (rule === RULE.keep && !head.nominates) continue;
    if (stays(rule, i, head, bytes, context)) continue;
    into = copy(bytes, run, nameStart[i] as number, out, into);
    run = nameStart[i + 1] as number;
    if (isRespelt(rule, head, context)) into = putFramingLine(bytes, head.fields, i, out, into);
  }
  into = copy(bytes, run, head.fields.end, out, into);
  out[at + MINOR_OFFSET] = ZERO + 1;
  return into;
}

/** Whether line i goes to the client as it is. */
function stays(
  rule: number,
  i: number,
  head: ResponseHead,
  bytes: Uint8Array,
  context: ResponseContext,
): boolean {
  const isNominated = head.nominates && head.fields.nominated[i] === 1;
  if (rule === RULE.keep) return !isNominated;
  if (rule === RULE.internal) return !context.hidesInternal && !isNominated;
  if (rule === RULE.caching) return !context.replacesCacheControl && !isNominated;
  if (rule === RULE.edge) return context.edgeLine.length === 0 && !isNominated;
  if (rule === RULE.upgrade) return context.upgrade;
  return isRespelt(rule, head, context) && isCanonical(bytes, head.fields, i);
}

/** Whether the line is framing that the client needs: then it is sent, in our spelling. */
function isRespelt(rule: number, head: ResponseHead, context: ResponseContext): boolean {
  // 1xx and 204 end at their head and may hold no Content-Length (RFC 9110 §8.6).
  if (rule === RULE.length) return head.status >= 200 && head.status !== 204;
  return rule === RULE.encoding && head.bodyKind === "chunked" && !context.dechunk;
}
