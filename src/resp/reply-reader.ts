/**
 * Replies as a client reads them: RESP2 and RESP3, resumable at any byte.
 *
 *   push(bytes) -> next() -> "reply" or "push", with `value` -> next() … "more"
 *
 * Attributes are read and dropped. Streamed strings and aggregates of the RESP3 specification are refused: no server sends
 * them. A bound on depth and on length keeps a garbled stream from taking memory.
 */
import { CR, LF, latin1, MARK, parseInteger } from "./bytes.ts";
import { Inbox } from "./inbox.ts";
import { LINE_BYTES_MAX } from "./limits.ts";
import { type Reply, ReplyError } from "./reply.ts";

/** What `next` found. After "mistake" nothing more can be read. */
export type ReplyOutcome = "reply" | "push" | "more" | "mistake";

/** Bounds of one reply. */
export interface ReplyLimits {
  /** Bytes of one string. */
  readonly bulkBytesMax: number;
  /** Elements of one array, map or set. */
  readonly elementsMax: number;
}

/** As much as Redis sends at most: strings of 512 MiB. */
const REPLY_LIMITS: ReplyLimits = { bulkBytesMax: 512 * 1024 * 1024, elementsMax: 2 ** 27 };

/** Arrays within arrays: real replies have up to 5. */
const DEPTH_MAX = 64;

/** A string longer than this is put together in memory of its own as it comes. */
const ASSEMBLE_BYTES = 32 * 1024;

/** Memory taken ahead for a string that was announced; beyond, it grows as bytes come. */
const AHEAD_BYTES = 1024 * 1024;

interface Frame {
  readonly mark: number;
  readonly items: Reply[];
  left: number;
}

/** No value is complete yet. */
const NONE = Symbol("none");

export class ReplyReader {
  /** The value after "reply" or "push". */
  value: Reply = null;
  /** What was wrong, after "mistake". */
  mistake = "";
  readonly #limits: ReplyLimits;
  readonly #inbox = new Inbox();
  #frames: Frame[] = [];
  /** A long string that is under way. */
  #bulk: Uint8Array | undefined;
  #bulkMark = 0;
  #bulkLength = 0;
  #bulkHave = 0;

  constructor(limits: ReplyLimits = REPLY_LIMITS) {
    this.#limits = limits;
  }

  /** Takes what arrived; borrowed until `next` says "more". */
  push(bytes: Uint8Array, start: number, end: number): void {
    this.#inbox.push(bytes, start, end);
  }

  /** Reads the next whole value. */
  next(): ReplyOutcome {
    while (this.mistake === "") {
      const value = this.#one();
      if (value === NONE) break;
      const outcome = value === undefined ? undefined : this.#place(value);
      if (outcome !== undefined) return outcome;
    }
    if (this.mistake !== "") return "mistake";
    this.#inbox.hold();
    return "more";
  }

  /** One element: a value, undefined when an aggregate was begun, NONE when bytes are missing. */
  #one(): Reply | undefined | typeof NONE {
    if (this.#bulk !== undefined) return this.#assemble(this.#bulk);
    const { bytes, at, end } = this.#inbox;
    if (at === end) return NONE;
    const lineEnd = this.#line(at);
    if (lineEnd < 0) return NONE;
    const mark = bytes[at] ?? 0;
    const next = lineEnd + 2;
    switch (mark) {
      case MARK.bulk:
      case MARK.bulkError:
      case MARK.verbatim:
        return this.#string(mark, parseInteger(bytes, at + 1, lineEnd), next);
      case MARK.array:
      case MARK.set:
      case MARK.push:
      case MARK.map:
      case MARK.attribute:
        return this.#aggregate(mark, parseInteger(bytes, at + 1, lineEnd), next);
      case MARK.integer: {
        this.#inbox.at = next;
        const value = parseInteger(bytes, at + 1, lineEnd);
        return Number.isNaN(value) ? this.#longInteger(latin1(bytes, at + 1, lineEnd)) : value;
      }
      default:
        this.#inbox.at = next;
        return this.#simple(mark, latin1(bytes, at + 1, lineEnd));
    }
  }

  #simple(mark: number, text: string): Reply | typeof NONE {
    switch (mark) {
      case MARK.simple:
        return text;
      case MARK.error:
        return new ReplyError(text);
      case MARK.null:
        return null;
      case MARK.boolean:
        return text === "t" || (text !== "f" ? this.#wrong("a boolean is t or f") : false);
      case MARK.double:
        return double(text) ?? this.#wrong("a double cannot be read");
      case MARK.big:
        return this.#longInteger(text);
      default:
        return this.#wrong(`unknown kind of value ${JSON.stringify(String.fromCharCode(mark))}`);
    }
  }

  #longInteger(text: string): Reply | typeof NONE {
    if (!/^[+-]?\d{1,4000}$/.test(text)) return this.#wrong("an integer cannot be read");
    const value = BigInt(text.replace("+", ""));
    const small = Number(value);
    return Number.isSafeInteger(small) ? small : value;
  }

  #string(mark: number, length: number, next: number): Reply | typeof NONE {
    if (length === -1 && mark === MARK.bulk) {
      this.#inbox.at = next;
      return null;
    }
    if (!(length >= 0 && length <= this.#limits.bulkBytesMax)) return this.#wrong("invalid bulk length");
    const { bytes, end } = this.#inbox;
    if (end - next >= length + 2) {
      if (bytes[next + length] !== CR || bytes[next + length + 1] !== LF)
        return this.#wrong("a bulk string does not end where it should");
      this.#inbox.at = next + length + 2;
      return finished(mark, bytes.slice(next, next + length));
    }
    if (length < ASSEMBLE_BYTES) return NONE;
    this.#inbox.at = next;
    this.#bulk = new Uint8Array(Math.min(length + 2, AHEAD_BYTES));
    this.#bulkMark = mark;
    this.#bulkLength = length;
    this.#bulkHave = 0;
    return this.#assemble(this.#bulk);
  }

  #assemble(into: Uint8Array): Reply | typeof NONE {
    const { bytes, at, end } = this.#inbox;
    const whole = this.#bulkLength + 2;
    const taken = Math.min(end - at, whole - this.#bulkHave);
    let target = into;
    if (this.#bulkHave + taken > target.length) {
      target = new Uint8Array(Math.min(whole, Math.max(2 * into.length, this.#bulkHave + taken)));
      target.set(into.subarray(0, this.#bulkHave));
      this.#bulk = target;
    }
    target.set(bytes.subarray(at, at + taken), this.#bulkHave);
    this.#inbox.at = at + taken;
    this.#bulkHave += taken;
    if (this.#bulkHave < whole) return NONE;
    this.#bulk = undefined;
    if (target[whole - 2] !== CR || target[whole - 1] !== LF)
      return this.#wrong("a bulk string does not end where it should");
    return finished(this.#bulkMark, target.subarray(0, this.#bulkLength));
  }

  #aggregate(mark: number, length: number, next: number): Reply | undefined | typeof NONE {
    this.#inbox.at = next;
    if (length === -1 && mark === MARK.array) return null;
    const pairs = mark === MARK.map || mark === MARK.attribute;
    const left = pairs ? length * 2 : length;
    if (!(length >= 0 && left <= this.#limits.elementsMax)) return this.#wrong("invalid aggregate length");
    if (this.#frames.length >= DEPTH_MAX) return this.#wrong("aggregates are nested too deep");
    this.#frames.push({ mark, items: [], left });
    return left > 0 ? undefined : this.#close();
  }

  /** Takes the innermost aggregate, which is complete. */
  #close(): Reply | undefined | typeof NONE {
    const frame = this.#frames.pop();
    if (frame === undefined || frame.mark === MARK.attribute) return undefined;
    if (frame.mark !== MARK.push) return frame.items;
    if (this.#frames.length > 0) return this.#wrong("a push within a reply");
    this.value = frame.items;
    this.#pushed = true;
    return frame.items;
  }

  #pushed = false;

  /** Puts a complete value into the aggregate around it, and that one into the next if it is complete now. */
  #place(first: Reply): ReplyOutcome | undefined {
    let value: Reply | undefined | typeof NONE = first;
    while (value !== undefined && value !== NONE) {
      if (this.#pushed) {
        this.#pushed = false;
        return "push";
      }
      const frame = this.#frames.at(-1);
      if (frame === undefined) {
        this.value = value;
        return "reply";
      }
      frame.items.push(value);
      if (--frame.left > 0) return undefined;
      value = this.#close();
    }
    return undefined;
  }

  /** Where the line from `start` ends (its CR), or -1. */
  #line(start: number): number {
    const { bytes, end } = this.#inbox;
    let at = start + 1;
    while (at < end && bytes[at] !== CR) at++;
    if (at - start > LINE_BYTES_MAX) {
      this.#wrong("a line is too long");
      return -1;
    }
    if (at + 1 >= end) return -1;
    if (bytes[at + 1] === LF) return at;
    this.#wrong("CR without LF");
    return -1;
  }

  #wrong(mistake: string): typeof NONE {
    this.mistake = mistake;
    return NONE;
  }
}

/** A string by its mark. The three letters and the colon before a verbatim string are taken off. */
function finished(mark: number, bytes: Uint8Array): Reply {
  if (mark === MARK.bulkError) return new ReplyError(latin1(bytes, 0, bytes.length));
  return mark === MARK.verbatim ? bytes.subarray(4) : bytes;
}

function double(text: string): number | undefined {
  if (/^\+?inf$/i.test(text)) return Number.POSITIVE_INFINITY;
  if (/^-inf$/i.test(text)) return Number.NEGATIVE_INFINITY;
  if (/^[+-]?nan$/i.test(text)) return Number.NaN;
  return /^[+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?$/i.test(text) ? Number(text) : undefined;
}
