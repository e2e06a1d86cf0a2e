/**
 * The head of a target's response, read as strictly as a request: a target that frames its body ambiguously would
 * let one user's response leak into another's connection. Only the reason phrase may be missing.
 */
import { asBytes, CR, endsLine, equals, LF, SP, text, VALUE, ZERO } from "../bytes.ts";
import { FIELD } from "../field-names.ts";
import { METHOD, type MethodCode } from "../methods.ts";
import { OPTION, readConnection } from "./connection.ts";
import type { ResponseErrorCode } from "./errors.ts";
import { Fields } from "./fields.ts";
import { type BodyKind, type Framing, readFraming } from "./framing.ts";
import { HEAD_LIMITS, type HeadLimits } from "./limits.ts";

const HTTP_1 = asBytes("HTTP/1.");
/** "HTTP/1.1 200" */
const STATUS_BYTES = 12;
/** Any version that the grammar allows. */
const VERSION = /^HTTP\/[0-9]\.[0-9] $/;

/** One response head. All offsets are those of the buffer given to `parse`. */
export class ResponseHead implements Framing {
  readonly fields: Fields;
  /** Why the head was refused; a key of `RESPONSE_ERRORS`. */
  error: ResponseErrorCode | undefined = undefined;
  /** After `parse` returned 0: what to hand to the next call for this head. */
  resume = 0;

  /** Begin of the status line. */
  start = 0;
  /** 100..999 */
  status = 0;
  reasonStart = 0;
  reasonEnd = 0;
  /** 1 for HTTP/1.1, 0 for HTTP/1.0. */
  minorVersion = 1;
  /** Begin of the first field line. */
  fieldsStart = 0;

  /** 1xx but 101: the real response is still to come. */
  informational = false;
  /** "until-close": only the end of the connection ends the body. */
  bodyKind: BodyKind = "none";
  contentLength = 0;
  /** Whether the target leaves the connection open; never with "until-close". */
  keepAlive = true;
  /** Whether Connection names fields of this head; they are marked in `fields.nominated`. */
  nominates = false;

  readonly #limits: HeadLimits;

  constructor(limits: HeadLimits = HEAD_LIMITS) {
    this.#limits = limits;
    this.fields = new Fields(limits.fieldsMax);
  }

  /**
   * Reads the answer to a request with this method. Returns the bytes consumed, through the empty line; 0 when more
   * are needed (then call again with `resume`); -1 when refused (see `error`).
   */
  parse(bytes: Uint8Array, start: number, end: number, method: MethodCode, resume = 0): number {
    if (resume > 0 && !this.#isWorthwhile(bytes, start, end, resume)) return 0;
    const limit = Math.min(end, start + this.#limits.headBytesMax);
    const fieldsStart = this.#parseLine(bytes, start, limit);
    if (fieldsStart <= 0) return fieldsStart < 0 ? -1 : this.#wait(start, end);
    const after = this.fields.parse(bytes, fieldsStart, limit);
    if (after === 0) return this.#wait(start, end);
    this.fieldsStart = fieldsStart;
    this.error = after < 0 ? this.#fieldsError() : this.#interpret(bytes, method);
    return this.error === undefined ? after - start : -1;
  }

  /** Value of the first field with this name (small letters) as Latin-1, or undefined. Allocates; O(fields). */
  value(bytes: Uint8Array, name: string): string | undefined {
    return this.fields.value(bytes, name);
  }

  #isWorthwhile(bytes: Uint8Array, start: number, end: number, resume: number): boolean {
    if (end - start > this.#limits.headBytesMax || endsLine(bytes, start + resume, end)) return true;
    this.resume = end - start;
    return false;
  }

  #wait(start: number, end: number): 0 | -1 {
    this.resume = end - start;
    return end - start > this.#limits.headBytesMax ? this.#refuse("upstream-head-too-large") : 0;
  }

  #refuse(error: ResponseErrorCode): -1 {
    this.error = error;
    return -1;
  }

  #fieldsError(): ResponseErrorCode {
    return `upstream-${this.fields.error ?? "field-name-invalid"}`;
  }

  /** `HTTP/1.1 SP status [SP reason] CRLF` */
  #parseLine(bytes: Uint8Array, start: number, limit: number): number {
    const after = start + STATUS_BYTES;
    if (limit <= after) return this.#checkBeginning(bytes, start, limit);
    const minor = (bytes[start + 7] as number) - ZERO;
    if (minor >>> 0 > 1 || !equals(bytes, start, start + 7, HTTP_1)) return this.#refuseVersion(bytes, start);
    this.status = threeDigits(bytes, start + 9);
    if (bytes[start + 8] !== SP || this.status < 100) return this.#refuse("upstream-status-line-malformed");
    this.start = start;
    this.minorVersion = minor;
    return this.#parseReason(bytes, after, limit);
  }

  /** A line too short to judge is refused as soon as it cannot become a status line. */
  #checkBeginning(bytes: Uint8Array, start: number, limit: number): 0 | -1 {
    const lineEnd = bytes.indexOf(LF, start);
    return lineEnd >= 0 && lineEnd < limit ? this.#refuse("upstream-status-line-malformed") : 0;
  }

  #refuseVersion(bytes: Uint8Array, start: number): -1 {
    const isVersion = VERSION.test(text(bytes, start, start + 9));
    return this.#refuse(isVersion ? "upstream-version-unsupported" : "upstream-status-line-malformed");
  }

  #parseReason(bytes: Uint8Array, from: number, limit: number): number {
    let at = from;
    if (bytes[at] === SP) at++;
    else if (bytes[at] !== CR)
      return this.#refuse(bytes[at] === LF ? "upstream-bare-lf" : "upstream-status-line-malformed");
    this.reasonStart = at;
    while (at < limit && VALUE[bytes[at] as number] === 1) at++;
    this.reasonEnd = at;
    if (at === limit) return 0;
    if (bytes[at] === LF) return this.#refuse("upstream-bare-lf");
    if (bytes[at] !== CR) return this.#refuse("upstream-status-line-malformed");
    if (at + 1 === limit) return 0;
    return bytes[at + 1] === LF ? at + 2 : this.#refuse("upstream-bare-cr");
  }

  #interpret(bytes: Uint8Array, method: MethodCode): ResponseErrorCode | undefined {
    const mistake = readFraming(bytes, this.fields, this.minorVersion, this);
    if (mistake !== undefined) return `upstream-${mistake}`;
    const { status } = this;
    this.informational = status < 200 && status !== 101;
    const isEmpty = status < 200 || status === 204 || status === 304 || method === METHOD.head;
    if (isEmpty) {
      this.bodyKind = "none";
      this.contentLength = 0;
    } else if (this.bodyKind === "none" && !this.fields.has(FIELD.contentLength)) {
      this.bodyKind = "until-close";
    }
    return this.#readConnection(bytes);
  }

  #readConnection(bytes: Uint8Array): ResponseErrorCode | undefined {
    const options = readConnection(bytes, this.fields);
    if ((options & OPTION.tooMany) !== 0) return "upstream-connection-options-too-many";
    const stays = this.minorVersion === 1 || (options & OPTION.keepAlive) !== 0;
    this.keepAlive = stays && (options & OPTION.close) === 0 && this.bodyKind !== "until-close";
    this.nominates = (options & OPTION.nominates) !== 0;
    return undefined;
  }
}

function threeDigits(bytes: Uint8Array, at: number): number {
  let value = 0;
  for (let i = at; i < at + 3; i++) {
    const digit = (bytes[i] as number) - ZERO;
    if (digit >>> 0 > 9) return 0;
    value = value * 10 + digit;
  }
  return value;
}
