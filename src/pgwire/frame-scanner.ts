/**
 * Finds messages in a stream, without copying and without decoding: type and length are read, the rest is passed on.
 *
 *   push(bytes) -> next(): "frame" (a message, or as much of it as its row says) | "pass" (bytes that nobody need look at)
 *                          | "more" | "mistake"
 *
 * Every byte is handed over exactly once, in order: what `pass` and `frame` cover, put together, is the stream. Resumable
 * at any byte: of a message that is to be seen and has not arrived whole the beginning is kept here.
 */
import { copyBytes, int32At } from "./bytes.ts";
import type { FrameTable } from "./messages.ts";

/** What `next` found. */
export type FrameOutcome = "frame" | "pass" | "more" | "mistake";

/** Type and length. */
const HEADER = 5;

const NOTHING = new Uint8Array(0);

/** What is kept of a head beyond this is given back after use: it was one very long statement. */
const KEEP_BYTES = 4096;

export class FrameScanner {
  /** Where the outcome lies: `bytes[start, end)`, borrowed until the next call of `next` or `push`. */
  bytes: Uint8Array = NOTHING;
  start = 0;
  end = 0;
  /** Of a "frame": its type byte. */
  type = 0;
  /** Of a "frame": bytes of it that are still to come, as "pass". */
  rest = 0;
  /** Of a "frame": its length, type included. */
  length = 0;
  /** What is wrong, after "mistake". */
  mistake = "";
  readonly #table: FrameTable;
  #lent: Uint8Array = NOTHING;
  #at = 0;
  #end = 0;
  /** Bytes of a begun message that are passed on unseen. */
  #passing = 0;
  /** The beginning of a message whose head has not arrived whole. */
  #held: Uint8Array = NOTHING;
  #heldBytes = 0;

  constructor(table: FrameTable) {
    this.#table = table;
  }

  /** True between two messages. */
  get isBetween(): boolean {
    return this.#passing === 0 && this.#heldBytes === 0;
  }
  /** Bytes to come of a message whose beginning has been handed over. */
  get passing(): number {
    return this.#passing;
  }
  /** Offset in the pushed bytes of what has not been read. */
  get at(): number {
    return this.#at;
  }
  /** Bytes kept of a message that has not arrived whole. */
  get heldBytes(): number {
    return this.#heldBytes;
  }

  /** Lends `bytes[start, end)` until `next` says "more". What was pushed before must have been read. */
  push(bytes: Uint8Array, start: number, end: number): void {
    this.#lent = bytes;
    this.#at = start;
    this.#end = end;
  }

  next(): FrameOutcome {
    if (this.#heldBytes > 0) return this.#complete();
    const start = this.#at;
    const end = this.#end;
    if (start === end) return this.#more();
    const { head, longest } = this.#table;
    const lent = this.#lent;
    let at = start;
    if (this.#passing > 0) {
      at += Math.min(this.#passing, end - at);
      this.#passing -= at - start;
    }
    while (end - at >= HEADER) {
      const type = lent[at] ?? 0;
      const length = int32At(lent, at + 1) + 1;
      if (length < HEADER || length > (longest[type] ?? 0))
        return at > start ? this.#pass(start, at) : this.#wrong(type, length);
      const wanted = head[type] ?? 0;
      if (wanted > 0) return at > start ? this.#pass(start, at) : this.#frame(at, type, length, wanted);
      at += length;
      if (at > end) {
        this.#passing = at - end;
        at = end;
      }
    }
    if (at > start) return this.#pass(start, at);
    return this.#hold(end - at);
  }

  #frame(at: number, type: number, length: number, wanted: number): FrameOutcome {
    const seen = length < wanted ? length : wanted;
    if (at + seen > this.#end) return this.#hold(seen);
    this.bytes = this.#lent;
    this.start = at;
    this.end = this.#at = at + seen;
    return this.#found(type, length, seen);
  }

  #found(type: number, length: number, seen: number): FrameOutcome {
    this.type = type;
    this.length = length;
    this.rest = this.#passing = length - seen;
    return "frame";
  }

  #pass(start: number, end: number): FrameOutcome {
    this.bytes = this.#lent;
    this.start = start;
    this.end = this.#at = end;
    return "pass";
  }

  /** Keeps what there is of a message of which `wanted` bytes are to be seen at once. */
  #hold(wanted: number): FrameOutcome {
    this.#keep(Math.min(wanted, this.#end - this.#at));
    return this.#more();
  }

  #keep(count: number): void {
    const needed = this.#heldBytes + count;
    if (needed > this.#held.length) {
      // Grows with what has arrived, not with what is announced.
      const larger = new Uint8Array(Math.max(64, needed * 2));
      copyBytes(this.#held, 0, this.#heldBytes, larger, 0);
      this.#held = larger;
    }
    this.#heldBytes = copyBytes(this.#lent, this.#at, this.#at + count, this.#held, this.#heldBytes);
    this.#at += count;
  }

  /** Adds to what is held until it is enough. */
  #complete(): FrameOutcome {
    this.#fill(HEADER);
    if (this.#heldBytes < HEADER) return this.#more();
    const held = this.#held;
    const type = held[0] ?? 0;
    const length = int32At(held, 1) + 1;
    if (length < HEADER || length > (this.#table.longest[type] ?? 0)) return this.#wrong(type, length);
    const wanted = this.#table.head[type] ?? 0;
    const seen = wanted === 0 ? HEADER : Math.min(length, wanted);
    this.#fill(seen);
    if (this.#heldBytes < seen) return this.#more();
    this.bytes = this.#held;
    this.start = 0;
    this.end = seen;
    this.#heldBytes = 0;
    if (this.#held.length > KEEP_BYTES) this.#held = NOTHING;
    if (wanted > 0) return this.#found(type, length, seen);
    this.#passing = length - seen;
    return "pass";
  }

  #fill(wanted: number): void {
    const missing = wanted - this.#heldBytes;
    if (missing > 0) this.#keep(Math.min(missing, this.#end - this.#at));
  }

  #more(): FrameOutcome {
    this.#lent = NOTHING;
    this.#at = 0;
    this.#end = 0;
    return "more";
  }

  #wrong(type: number, length: number): FrameOutcome {
    const isKnown = (this.#table.longest[type] ?? 0) > 0;
    const name = type > 0x20 && type < 0x7f ? `"${String.fromCharCode(type)}"` : `0x${type.toString(16)}`;
    this.mistake = isKnown
      ? `invalid length ${length - 1} of a message of type ${name}`
      : `unknown message type ${name}`;
    return "mistake";
  }
}
