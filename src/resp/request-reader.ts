/**
 * Requests as a server reads them: arrays of bulk strings, or inline lines. Resumable at any byte.
 *
 *   push(bytes) -> next() -> "request": `count` arguments, each a slice `starts[i] … ends[i]` of `bytes` -> next() … "more"
 *
 * Arguments are not copied: they lie in what was pushed, or, where a request came in pieces, in memory of the reader. They
 * hold until the next call of `next` or `push`. Texts of mistakes are those of Redis 7.
 */
import { bytesOf, CR, LF, latin1, MARK, parseInteger } from "./bytes.ts";
import { Inbox } from "./inbox.ts";
import { splitInline } from "./inline.ts";
import { LINE_BYTES_MAX, REQUEST_LIMITS, type RequestLimits } from "./limits.ts";

/** What `next` found. After "mistake" nothing more can be read. */
export type RequestOutcome = "request" | "more" | "mistake";

/** Arguments that have a place from the start; more are made as they come. */
const PLACES = 16;

/** Not inside a request; its first byte is next. */
const BETWEEN = -1;

export class RequestReader {
  /** Where the arguments of the present request lie. */
  bytes: Uint8Array = new Uint8Array(0);
  /** Arguments of the present request, the name included; at least 1. */
  count = 0;
  starts: Int32Array = new Int32Array(PLACES);
  ends: Int32Array = new Int32Array(PLACES);
  /** What was wrong, after "mistake". */
  mistake = "";
  /** May be changed between requests. */
  limits: RequestLimits;
  readonly #inbox = new Inbox();
  #expected = BETWEEN;
  /** Bytes of the present request that are read; the places of its arguments count from its first byte too. */
  #read = 0;
  #bulk = -1;
  /** The words of an inline request. */
  #words: Uint8Array | undefined;

  constructor(limits: RequestLimits = REQUEST_LIMITS) {
    this.limits = limits;
  }

  /** Bytes that have come and belong to no finished request. */
  get waiting(): number {
    return this.#inbox.length;
  }

  /** Memory that the reader holds for a request that is under way. */
  get heldBytes(): number {
    return this.#inbox.heldBytes;
  }

  /** Takes what arrived; `bytes[start, end)` is borrowed until `next` says "more" or `hold` is called. */
  push(bytes: Uint8Array, start: number, end: number): void {
    this.#inbox.push(bytes, start, end);
  }

  /** Keeps what is unread, for one who stops before "more". */
  hold(): void {
    this.#inbox.hold();
  }

  /** Reads the next request. */
  next(): RequestOutcome {
    while (this.mistake === "") {
      if (this.#expected === BETWEEN && !this.#begin()) break;
      if (this.#expected > 0) {
        if (!this.#arguments()) break;
        return this.#finish();
      }
      // An empty array or an empty line asks for nothing.
      this.#expected = BETWEEN;
    }
    if (this.mistake !== "") return "mistake";
    this.#inbox.hold();
    return "more";
  }

  /** Reads the first line. False when it is not all there, or wrong. */
  #begin(): boolean {
    const { bytes, at, end } = this.#inbox;
    if (at === end) return false;
    if (bytes[at] !== MARK.array) return this.#inline();
    const lineEnd = this.#line(at, "too big mbulk count string");
    if (lineEnd < 0) return false;
    const count = parseInteger(bytes, at + 1, lineEnd);
    if (Number.isNaN(count) || count > 0x7fff_ffff) return this.#wrong("invalid multibulk length");
    if (count > this.limits.argumentsMax)
      return this.#wrong(
        this.limits.argumentsMax < 1024 ? "unauthenticated multibulk length" : "invalid multibulk length",
      );
    if (count <= 0) {
      this.#inbox.at = lineEnd + 2;
      this.#expected = 0;
      return true;
    }
    this.#expected = count;
    this.count = 0;
    this.#read = lineEnd + 2 - at;
    this.#bulk = -1;
    return true;
  }

  /** Reads arguments until all are there. False when bytes are missing, or something is wrong. */
  #arguments(): boolean {
    const { bytes, at, end } = this.#inbox;
    while (this.count < this.#expected) {
      if (this.#bulk < 0 && !this.#bulkLength(bytes, at)) return false;
      const start = at + this.#read;
      // The two bytes behind are taken unseen, as Redis does.
      if (end - start < this.#bulk + 2) return this.#fits(this.#read + this.#bulk);
      if (this.count === this.starts.length) this.#morePlaces();
      this.starts[this.count] = this.#read;
      this.ends[this.count] = this.#read + this.#bulk;
      this.count++;
      this.#read += this.#bulk + 2;
      this.#bulk = -1;
    }
    return true;
  }

  /** A request that is too large for memory is refused as soon as it says so. Always false. */
  #fits(length: number): boolean {
    if (length > this.limits.requestBytesMax) this.#wrong("request is larger than the query buffer limit");
    return false;
  }

  #bulkLength(bytes: Uint8Array, at: number): boolean {
    const start = at + this.#read;
    const lineEnd = this.#line(start, "too big bulk count string");
    if (lineEnd < 0) return false;
    const mark = bytes[start] ?? 0;
    if (mark !== MARK.bulk) return this.#wrong(`expected '$', got '${String.fromCharCode(mark)}'`);
    const length = parseInteger(bytes, start + 1, lineEnd);
    if (Number.isNaN(length) || length < 0 || length > this.limits.argumentBytesMax)
      return this.#wrong(
        this.limits.argumentBytesMax <= 16_384 && length > this.limits.argumentBytesMax
          ? "unauthenticated bulk length"
          : "invalid bulk length",
      );
    this.#bulk = length;
    this.#read = lineEnd + 2 - at;
    return true;
  }

  /** Where the line from `start` ends (its CR, with LF behind), or -1. */
  #line(start: number, tooBig: string): number {
    const { bytes, end } = this.#inbox;
    // Lengths are short: a loop beats a search.
    let at = start;
    const stop = Math.min(end, start + LINE_BYTES_MAX + 1);
    while (at < stop && bytes[at] !== CR) at++;
    if (at < end && bytes[at] === CR) return at + 1 < end ? at : -1;
    if (at - start > LINE_BYTES_MAX) this.#wrong(tooBig);
    return -1;
  }

  #inline(): boolean {
    const { bytes, at, end } = this.#inbox;
    const newline = bytes.subarray(at, end).indexOf(LF);
    if (newline < 0 || newline > LINE_BYTES_MAX) {
      if (end - at > LINE_BYTES_MAX) this.#wrong("too big inline request");
      return false;
    }
    const lineEnd = newline > 0 && bytes[at + newline - 1] === CR ? newline - 1 : newline;
    const words = splitInline(latin1(bytes, at, at + lineEnd));
    this.#inbox.at = at + newline + 1;
    if (words === undefined) return this.#wrong("unbalanced quotes in request");
    this.#expected = words.length;
    this.count = 0;
    if (words.length > 0) this.#asRequest(words);
    return true;
  }

  /** Words lie in memory of their own, for quotes and escapes are not part of them. */
  #asRequest(words: readonly string[]): void {
    this.#words = bytesOf(words.join(""));
    let at = 0;
    for (const word of words) {
      if (this.count === this.starts.length) this.#morePlaces();
      this.starts[this.count] = at;
      at += word.length;
      this.ends[this.count++] = at;
    }
  }

  #finish(): RequestOutcome {
    this.#expected = BETWEEN;
    if (this.#words !== undefined) {
      this.bytes = this.#words;
      this.#words = undefined;
      return "request";
    }
    const { bytes, at } = this.#inbox;
    const { starts, ends, count } = this;
    for (let i = 0; i < count; i++) {
      starts[i] = (starts[i] ?? 0) + at;
      ends[i] = (ends[i] ?? 0) + at;
    }
    this.bytes = bytes;
    this.#inbox.at = at + this.#read;
    return "request";
  }

  #morePlaces(): void {
    const length = Math.min(this.#expected, this.starts.length * 4);
    const starts = new Int32Array(Math.max(length, this.count + 1));
    const ends = new Int32Array(starts.length);
    starts.set(this.starts);
    ends.set(this.ends);
    this.starts = starts;
    this.ends = ends;
  }

  #wrong(mistake: string): false {
    this.mistake = `Protocol error: ${mistake}`;
    return false;
  }
}
