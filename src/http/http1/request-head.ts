/**
 * The head of an HTTP/1.1 request, read strictly (RFC 9112) and without allocating.
 *
 * `parse` finds the empty line, indexes target and fields, and derives what the gateway asks of every request: how
 * long its body is, whether the connection stays, which host is meant. It takes a head or refuses it with a reason;
 * it never repairs one, because what we would repair, a target might read otherwise.
 *
 * One head serves many connections in turn: nothing of a connection is kept but `resume`, which the caller carries.
 */
import {
  ASTERISK,
  asBytes,
  endsLine,
  equalPieces,
  equalsFolded,
  QUESTION,
  SLASH,
  type Slice,
  text,
} from "../bytes.ts";
import { FIELD } from "../field-names.ts";
import { METHOD, type MethodCode, methodCode } from "../methods.ts";
import { hostEnd } from "./authority.ts";
import { mayTunnel, OPTION, readConnection } from "./connection.ts";
import type { RequestErrorCode } from "./errors.ts";
import { Fields } from "./fields.ts";
import { type BodyKind, type Framing, readFraming } from "./framing.ts";
import { HEAD_LIMITS, type HeadLimits } from "./limits.ts";
import { RequestLine } from "./request-line.ts";
import { readUrl } from "./url.ts";

/** Shape of a request target (RFC 9112 §3.2). The fourth, authority-form, belongs to CONNECT and is refused. */
export type TargetForm = "origin" | "absolute" | "asterisk";

const CONTINUE = asBytes("100-continue");

/** A number of hops; more digits than this would be a mistake, and is passed on as it is. */
const MAX_FORWARDS = /^[0-9]{1,6}$/;

/** One request head. All offsets are those of the buffer given to `parse`, and are valid while it says so. */
export class RequestHead implements Framing {
  readonly fields: Fields;
  /** Why the head was refused; a key of `REQUEST_ERRORS`. */
  error: RequestErrorCode | undefined = undefined;
  /** After `parse` returned 0: what to hand to the next call for this head. */
  resume = 0;

  method: MethodCode = METHOD.other;
  methodStart = 0;
  methodEnd = 0;
  form: TargetForm = "origin";
  targetStart = 0;
  targetEnd = 0;
  /** The path alone. Empty for a URL without one ("http://a"), "*" for asterisk-form. */
  pathStart = 0;
  pathEnd = 0;
  /** The query without its "?"; empty when there is none. */
  queryStart = 0;
  queryEnd = 0;
  /** 1 for HTTP/1.1, 0 for HTTP/1.0. */
  minorVersion = 1;
  /** Begin of the first field line. */
  fieldsStart = 0;

  /** The host without its port; IPv6 keeps its brackets. Empty for HTTP/1.0 without Host. */
  hostStart = 0;
  hostEnd = 0;
  /** End of the host with its port. */
  authorityEnd = 0;

  bodyKind: BodyKind = "none";
  contentLength = 0;
  /** Whether the client leaves the connection open for a next request. */
  keepAlive = true;
  /** Whether the client waits for 100 (Continue) before it sends the body. */
  expectContinue = false;
  /** Whether the client asks for another protocol that may be tunnelled (WebSocket and the like, never h2c). */
  upgrade = false;
  /** Hops that OPTIONS or TRACE may still make; -1 when it does not say. At 0 the gateway answers itself. */
  maxForwards = -1;
  /** Whether Connection names fields of this head; they are marked in `fields.nominated`. */
  nominates = false;

  readonly #limits: HeadLimits;
  readonly #line: RequestLine = new RequestLine();
  readonly #authority: Slice = { start: 0, end: 0 };

  constructor(limits: HeadLimits = HEAD_LIMITS) {
    this.#limits = limits;
    this.fields = new Fields(limits.fieldsMax);
  }

  /**
   * Reads a head that begins at `start`. Returns the bytes consumed, through the empty line; 0 when more are needed;
   * -1 when refused (see `error`).
   *
   * After 0, call again with the same beginning, more bytes and the `resume` of this call (or 0). A head that arrives
   * byte by byte is then parsed once per line, not once per byte.
   */
  parse(bytes: Uint8Array, start: number, end: number, resume = 0): number {
    if (resume > 0 && !this.#isWorthwhile(bytes, start, end, resume)) return 0;
    const limit = Math.min(end, start + this.#limits.headBytesMax);
    const fieldsStart = this.#parseLine(bytes, start, limit);
    if (fieldsStart <= 0) return fieldsStart < 0 ? -1 : this.#wait(start, end);
    const after = this.fields.parse(bytes, fieldsStart, limit);
    if (after === 0) return this.#wait(start, end);
    this.fieldsStart = fieldsStart;
    this.error = after < 0 ? this.fields.error : this.#interpret(bytes);
    return this.error === undefined ? after - start : -1;
  }

  /** Value of the first field with this name (small letters) as Latin-1, or undefined. Allocates; O(fields). */
  value(bytes: Uint8Array, name: string): string | undefined {
    return this.fields.value(bytes, name);
  }

  /** The target as text, for logs. */
  target(bytes: Uint8Array): string {
    return text(bytes, this.targetStart, this.targetEnd);
  }

  /** Only the end of a line or the crossing of a limit is worth another look. */
  #isWorthwhile(bytes: Uint8Array, start: number, end: number, resume: number): boolean {
    const { requestLineBytesMax, headBytesMax } = this.#limits;
    const length = end - start;
    if (resume <= requestLineBytesMax && length > requestLineBytesMax) return true;
    if (length > headBytesMax || endsLine(bytes, start + resume, end)) return true;
    this.resume = length;
    return false;
  }

  #wait(start: number, end: number): 0 | -1 {
    this.resume = end - start;
    return end - start > this.#limits.headBytesMax ? this.#refuse("head-too-large") : 0;
  }

  #refuse(error: RequestErrorCode): -1 {
    this.error = error;
    return -1;
  }

  #parseLine(bytes: Uint8Array, start: number, limit: number): number {
    const line = this.#line;
    const after = line.parse(bytes, start, limit);
    if (after < 0) return this.#refuse(line.error ?? "method-invalid");
    const length = (after === 0 ? limit : after) - start;
    if (length > this.#limits.requestLineBytesMax) return this.#refuse("request-line-too-long");
    this.methodStart = line.methodStart;
    this.methodEnd = line.methodEnd;
    this.targetStart = line.targetStart;
    this.targetEnd = line.targetEnd;
    this.pathEnd = line.pathEnd;
    this.minorVersion = line.minorVersion;
    return after;
  }

  #interpret(bytes: Uint8Array): RequestErrorCode | undefined {
    this.method = methodCode(bytes, this.methodStart, this.methodEnd);
    return (
      this.#readTarget(bytes) ??
      this.#readHost(bytes) ??
      readFraming(bytes, this.fields, this.minorVersion, this) ??
      this.#readConnection(bytes) ??
      this.#readExpect(bytes) ??
      this.#readHops(bytes)
    );
  }

  #readTarget(bytes: Uint8Array): RequestErrorCode | undefined {
    if (this.method === METHOD.connect) return "method-connect";
    this.form = "origin";
    this.pathStart = this.targetStart;
    const first = bytes[this.targetStart];
    if (first !== SLASH) {
      const error = first === ASTERISK ? this.#readAsterisk() : this.#readUrl(bytes);
      if (error !== undefined) return error;
    }
    this.queryStart = this.pathEnd < this.targetEnd ? this.pathEnd + 1 : this.targetEnd;
    this.queryEnd = this.targetEnd;
    return undefined;
  }

  #readAsterisk(): RequestErrorCode | undefined {
    if (this.targetEnd - this.targetStart !== 1) return "target-form";
    if (this.method !== METHOD.options) return "target-asterisk";
    this.form = "asterisk";
    return undefined;
  }

  #readUrl(bytes: Uint8Array): RequestErrorCode | undefined {
    const error = readUrl(bytes, this.targetStart, this.targetEnd, this.#authority);
    if (error !== undefined) return error;
    this.form = "absolute";
    this.pathStart = this.#authority.end;
    if (bytes[this.pathStart] === QUESTION) this.pathEnd = this.pathStart;
    return undefined;
  }

  #readHost(bytes: Uint8Array): RequestErrorCode | undefined {
    const { fields } = this;
    const i = fields.first(FIELD.host);
    if (i < 0) return this.#readMissingHost(bytes);
    if (fields.repeated(FIELD.host)) return "host-duplicate";
    this.hostStart = fields.valueStart[i] as number;
    this.authorityEnd = fields.valueEnd[i] as number;
    this.hostEnd = hostEnd(bytes, this.hostStart, this.authorityEnd);
    if (this.hostEnd < 0) return "host-invalid";
    return this.form === "absolute" && !this.#urlNamesHost(bytes) ? "host-mismatch" : undefined;
  }

  /** Only HTTP/1.0 may leave Host out; a URL names the host then. */
  #readMissingHost(bytes: Uint8Array): RequestErrorCode | undefined {
    if (this.minorVersion === 1) return "host-missing";
    const { start, end } = this.#authority;
    const isUrl = this.form === "absolute";
    this.hostStart = isUrl ? start : 0;
    this.authorityEnd = isUrl ? end : 0;
    this.hostEnd = isUrl ? hostEnd(bytes, start, end) : 0;
    return undefined;
  }

  #urlNamesHost(bytes: Uint8Array): boolean {
    return equalPieces(bytes, this.hostStart, this.authorityEnd, this.#authority);
  }

  #readConnection(bytes: Uint8Array): RequestErrorCode | undefined {
    const options = readConnection(bytes, this.fields);
    if ((options & OPTION.tooMany) !== 0) return "connection-options-too-many";
    const asked = this.minorVersion === 1 || (options & OPTION.keepAlive) !== 0;
    this.keepAlive = asked && (options & OPTION.close) === 0;
    this.nominates = (options & OPTION.nominates) !== 0;
    this.upgrade =
      (options & OPTION.upgrade) !== 0 &&
      this.minorVersion === 1 &&
      this.bodyKind === "none" &&
      mayTunnel(bytes, this.fields);
    return undefined;
  }

  /** An expectation of HTTP/1.0, or without a body to wait for, is ignored (RFC 9110 §10.1.1). */
  #readExpect(bytes: Uint8Array): RequestErrorCode | undefined {
    const { fields } = this;
    this.expectContinue = false;
    const i = fields.first(FIELD.expect);
    if (i < 0) return undefined;
    const isContinue = equalsFolded(
      bytes,
      fields.valueStart[i] as number,
      fields.valueEnd[i] as number,
      CONTINUE,
    );
    if (!isContinue || fields.repeated(FIELD.expect)) return "expect-unknown";
    this.expectContinue = this.minorVersion === 1 && this.bodyKind !== "none";
    return undefined;
  }

  /** Max-Forwards (RFC 9110 §7.6.2), which only these two methods have. */
  #readHops(bytes: Uint8Array): RequestErrorCode | undefined {
    this.maxForwards = -1;
    if (this.method !== METHOD.trace && this.method !== METHOD.options) return undefined;
    if (this.method === METHOD.trace && this.bodyKind !== "none") return "trace-body";
    const value = this.fields.has(FIELD.maxForwards) ? this.value(bytes, "max-forwards") : undefined;
    if (value !== undefined && MAX_FORWARDS.test(value)) this.maxForwards = Number(value);
    return undefined;
  }
}
