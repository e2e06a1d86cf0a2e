/**
 * A request head as the target gets it: end-to-end fields unchanged and in order, hop-by-hop ones gone, our own added.
 *
 * Lines that stay are copied in runs: for a usual request one copy takes request line and fields, and a second one
 * the prebuilt block. What each field is worth is a row of `RULES`.
 */
import { asBytes, copy, put, putDecimal, QUESTION, ZERO } from "../bytes.ts";
import { FIELD, FIELD_CODES } from "../field-names.ts";
import { type ForwardedBlock, VIA_MINOR_OFFSET } from "../forwarded.ts";
import { METHOD } from "../methods.ts";
import { FRAMING_LINE_BYTES_MAX, isCanonical, putFramingLine } from "./framing-line.ts";
import type { RequestHead } from "./request-head.ts";

/** What the gateway knows beside the head. One object per worker, filled in anew for each request. */
export interface RequestContext {
  /** Whether the client is a trusted proxy: its X-Forwarded-*, Forwarded and X-Request-Id are believed. */
  trusted: boolean;
  /** Whether the target is asked to change protocol; only when `head.upgrade`. */
  upgrade: boolean;
  /** Of the client connection, from `buildForwardedBlock`. */
  forwarded: ForwardedBlock;
  /** Sent as X-Request-Id unless a trusted client sent one; empty sends none. */
  requestId: Uint8Array;
  /** Sent as Host in place of the client's. */
  hostOverride: Uint8Array | undefined;
  /** Sent as Host when the client, speaking HTTP/1.0, sent none. */
  fallbackHost: Uint8Array;
}

const RULE = {
  keep: 0,
  /** Ends at this hop, or is a lookalike of a field that does not. */
  drop: 1,
  /** Says who the client is: kept from trusted clients only. */
  trusted: 2,
  /** The same, and the block has it again with the client appended. */
  appended: 3,
  upgrade: 4,
  host: 5,
  framing: 6,
  expect: 7,
  hops: 8,
} as const;

const RULES: Uint8Array = new Uint8Array(FIELD_CODES);
RULES[FIELD.lookalike] = RULE.drop;
RULES[FIELD.connection] = RULE.drop;
RULES[FIELD.keepAlive] = RULE.drop;
RULES[FIELD.proxyConnection] = RULE.drop;
RULES[FIELD.proxyAuthenticate] = RULE.drop;
RULES[FIELD.proxyAuthorization] = RULE.drop;
RULES[FIELD.http2Settings] = RULE.drop;
// Trailers are cut out of chunked bodies both ways, so nobody may be told of them.
RULES[FIELD.te] = RULE.drop;
RULES[FIELD.trailer] = RULE.drop;
RULES[FIELD.xForwardedHost] = RULE.trusted;
RULES[FIELD.xForwardedProto] = RULE.trusted;
RULES[FIELD.xForwardedPort] = RULE.trusted;
RULES[FIELD.xRealIp] = RULE.trusted;
RULES[FIELD.xRequestId] = RULE.trusted;
RULES[FIELD.xForwardedFor] = RULE.appended;
RULES[FIELD.forwarded] = RULE.appended;
RULES[FIELD.upgrade] = RULE.upgrade;
RULES[FIELD.host] = RULE.host;
RULES[FIELD.contentLength] = RULE.framing;
RULES[FIELD.transferEncoding] = RULE.framing;
RULES[FIELD.expect] = RULE.expect;
RULES[FIELD.maxForwards] = RULE.hops;

const CRLF = asBytes("\r\n");
const VERSION = asBytes(" HTTP/1.1\r\n");
const HOST = asBytes("Host: ");
const REQUEST_ID = asBytes("X-Request-Id: ");
const CONNECTION_UPGRADE = asBytes("Connection: Upgrade\r\n");
const X_FORWARDED_FOR = asBytes("X-Forwarded-For: ");
const X_FORWARDED_HOST = asBytes("X-Forwarded-Host: ");
const FORWARDED = asBytes("Forwarded: ");
const MAX_FORWARDS = asBytes("Max-Forwards: ");
const COMMA_SPACE = asBytes(", ");
const ASTERISK = asBytes("*");
const SLASH = asBytes("/");
const SPACE = asBytes(" ");
const QUOTE = asBytes('"');

/** Names and separators that this file adds, all together, rounded up. */
const FIXED_BYTES = 256 + FRAMING_LINE_BYTES_MAX;

/**
 * Writes the head for the target to `out[at..]`. Returns the offset after its empty line, or -1 when it might not
 * fit. O(fields); allocates nothing. Measured by bench/http1-codec.ts.
 */
export function writeForwardedRequest(
  head: RequestHead,
  bytes: Uint8Array,
  out: Uint8Array,
  at: number,
  context: RequestContext,
): number {
  if (at + bytesNeeded(head, context) > out.length) return -1;
  let into = putFields(head, bytes, out, at, context);
  const isUsual = !context.trusted && head.authorityEnd > head.hostStart;
  into = isUsual
    ? putBlock(head, bytes, out, into, context.forwarded)
    : putComposedBlock(head, bytes, out, into, context);
  if (context.requestId.length > 0 && !(context.trusted && head.fields.has(FIELD.xRequestId))) {
    into = put(CRLF, out, put(context.requestId, out, put(REQUEST_ID, out, into)));
  }
  if (context.upgrade) into = put(CONNECTION_UPGRADE, out, into);
  if (head.maxForwards > 0)
    into = put(CRLF, out, putDecimal(head.maxForwards - 1, out, put(MAX_FORWARDS, out, into)));
  return put(CRLF, out, into);
}

/** An upper bound of what will be written. */
function bytesNeeded(head: RequestHead, context: RequestContext): number {
  const host = context.hostOverride ?? context.fallbackHost;
  const received = head.fields.end - head.methodStart + 2 * (head.authorityEnd - head.hostStart);
  return received + context.forwarded.piecesBytes + context.requestId.length + host.length + FIXED_BYTES;
}

/** Request line and the fields that stay. */
function putFields(
  head: RequestHead,
  bytes: Uint8Array,
  out: Uint8Array,
  at: number,
  context: RequestContext,
): number {
  const { nameStart, code, count } = head.fields;
  const isVerbatim = head.form !== "absolute" && head.minorVersion === 1;
  let run = isVerbatim ? head.methodStart : head.fieldsStart;
  let into = isVerbatim ? at : putRequestLine(head, bytes, out, at);
  if (!head.fields.has(FIELD.host))
    into = putHost(out, into, context.hostOverride ?? missingHost(head, bytes, context));
  for (let i = 0; i < count; i++) {
    const rule = RULES[code[i] as number] as number;
    if (rule === RULE.keep && !head.nominates) continue;
    if (stays(rule, i, head, bytes, context)) continue;
    into = copy(bytes, run, nameStart[i] as number, out, into);
    run = nameStart[i + 1] as number;
    if (rule === RULE.framing) into = putFramingLine(bytes, head.fields, i, out, into);
    if (rule === RULE.host && context.hostOverride !== undefined)
      into = putHost(out, into, context.hostOverride);
  }
  return copy(bytes, run, head.fields.end, out, into);
}

/** Whether line i goes to the target as it is. */
function stays(
  rule: number,
  i: number,
  head: RequestHead,
  bytes: Uint8Array,
  context: RequestContext,
): boolean {
  switch (rule) {
    case RULE.keep:
      return !head.nominates || head.fields.nominated[i] === 0;
    case RULE.trusted:
      return context.trusted;
    case RULE.appended:
      return context.trusted && !appends(head.fields.code[i] as number, context.forwarded);
    case RULE.upgrade:
      return context.upgrade;
    case RULE.host:
      return context.hostOverride === undefined;
    case RULE.framing:
      return isCanonical(bytes, head.fields, i);
    case RULE.expect:
      return head.expectContinue;
    case RULE.hops:
      return head.maxForwards < 0;
    default:
      return false;
  }
}

function appends(code: number, block: ForwardedBlock): boolean {
  return (code === FIELD.forwarded ? block.element : block.clientIp).length > 0;
}

/** The line of a request that came as HTTP/1.0 or with a URL: path (or "*") and HTTP/1.1. */
function putRequestLine(head: RequestHead, bytes: Uint8Array, out: Uint8Array, at: number): number {
  let into = put(SPACE, out, copy(bytes, head.methodStart, head.methodEnd, out, at));
  const hasNoPath = head.form === "absolute" && head.pathStart === head.pathEnd;
  if (hasNoPath) {
    const asksServer = head.method === METHOD.options && bytes[head.pathStart] !== QUESTION;
    into = put(asksServer ? ASTERISK : SLASH, out, into);
  }
  return put(VERSION, out, copy(bytes, head.pathStart, head.targetEnd, out, into));
}

function putHost(out: Uint8Array, at: number, host: Uint8Array): number {
  return put(CRLF, out, put(host, out, put(HOST, out, at)));
}

/** Only HTTP/1.0 comes without Host: its URL's host, else the fallback. */
function missingHost(head: RequestHead, bytes: Uint8Array, context: RequestContext): Uint8Array {
  if (head.authorityEnd === head.hostStart) return context.fallbackHost;
  return bytes.subarray(head.hostStart, head.authorityEnd);
}

/** The prebuilt pieces with the host between them. */
function putBlock(
  head: RequestHead,
  bytes: Uint8Array,
  out: Uint8Array,
  at: number,
  block: ForwardedBlock,
): number {
  const { pieces } = block;
  let into = at;
  for (let i = 0; i < pieces.length; i++) {
    if (i > 0) into = copy(bytes, head.hostStart, head.authorityEnd, out, into);
    into = put(pieces[i] as Uint8Array, out, into);
  }
  if (head.minorVersion === 0 && block.via.length > 0) out[at + VIA_MINOR_OFFSET] = ZERO;
  return into;
}

/** The block for a trusted client, whose fields are added to, and for one who named no host. */
function putComposedBlock(
  head: RequestHead,
  bytes: Uint8Array,
  out: Uint8Array,
  at: number,
  { forwarded, trusted }: RequestContext,
): number {
  const hasHost = head.authorityEnd > head.hostStart;
  let into = put(forwarded.via, out, at);
  if (head.minorVersion === 0 && into > at) out[at + VIA_MINOR_OFFSET] = ZERO;
  into = put(forwarded.cdnLoop, out, into);
  if (forwarded.clientIp.length > 0) {
    into = put(X_FORWARDED_FOR, out, into);
    if (trusted) into = putListSoFar(FIELD.xForwardedFor, head, bytes, out, into);
    into = put(CRLF, out, put(forwarded.clientIp, out, into));
    if (hasHost && lacks(head, trusted, FIELD.xForwardedHost))
      into = putForwardedHost(head, bytes, out, into);
  }
  if (lacks(head, trusted, FIELD.xForwardedProto)) into = put(forwarded.proto, out, into);
  if (lacks(head, trusted, FIELD.xForwardedPort)) into = put(forwarded.port, out, into);
  if (forwarded.element.length === 0) return into;
  into = put(FORWARDED, out, into);
  if (trusted) into = putListSoFar(FIELD.forwarded, head, bytes, out, into);
  into = put(forwarded.element, out, into);
  into = put(QUOTE, out, copy(bytes, head.hostStart, head.authorityEnd, out, into));
  return put(CRLF, out, into);
}

/** Whether nobody whom we believe has sent this field. */
function lacks(head: RequestHead, trusted: boolean, code: number): boolean {
  return !trusted || !head.fields.has(code);
}

function putForwardedHost(head: RequestHead, bytes: Uint8Array, out: Uint8Array, at: number): number {
  const into = copy(bytes, head.hostStart, head.authorityEnd, out, put(X_FORWARDED_HOST, out, at));
  return put(CRLF, out, into);
}

/** All values of a list field that came, each with ", " behind it. */
function putListSoFar(
  code: number,
  head: RequestHead,
  bytes: Uint8Array,
  out: Uint8Array,
  at: number,
): number {
  const { fields } = head;
  let into = at;
  for (let i = 0; i < fields.count; i++) {
    const start = fields.valueStart[i] as number;
    const end = fields.valueEnd[i] as number;
    if (fields.code[i] !== code || start === end) continue;
    into = put(COMMA_SPACE, out, copy(bytes, start, end, out, into));
  }
  return into;
}
