/** Requests as a client writes them: arrays of bulk strings. */
import { CR, LF, MARK, putInteger } from "./bytes.ts";

/** One argument of a request. Text goes out in UTF-8, a number in decimal. */
export type Argument = string | number | bigint | Uint8Array;

/** A request: its name and its arguments. */
export type Request = readonly Argument[];

/** A head: mark, digits, CR LF. */
const HEAD_BYTES = 24;

/** The first memory; grows by doubling. */
const START_BYTES = 4096;

/** Memory beyond this is not kept for the next requests. */
const KEEP_BYTES = 256 * 1024;

const UTF8 = new TextEncoder();

/** Collects requests, to be sent in one write. */
export class RequestWriter {
  bytes: Uint8Array = new Uint8Array(START_BYTES);
  length = 0;

  /** Adds one request. */
  add(request: Request): void {
    this.#head(MARK.array, request.length);
    for (const argument of request) this.#argument(argument);
  }

  /** What was collected, a copy; forgets it. */
  take(): Uint8Array {
    const taken = this.bytes.slice(0, this.length);
    this.length = 0;
    if (this.bytes.length > KEEP_BYTES) this.bytes = new Uint8Array(START_BYTES);
    return taken;
  }

  #argument(argument: Argument): void {
    if (argument instanceof Uint8Array) {
      this.#head(MARK.bulk, argument.length);
      this.#reserve(argument.length + 2);
      this.bytes.set(argument, this.length);
      this.length += argument.length;
    } else {
      this.#text(String(argument));
    }
    this.bytes[this.length++] = CR;
    this.bytes[this.length++] = LF;
  }

  #text(text: string): void {
    if (isAscii(text)) {
      this.#head(MARK.bulk, text.length);
      this.#reserve(text.length + 2);
      for (let i = 0; i < text.length; i++) this.bytes[this.length + i] = text.charCodeAt(i);
      this.length += text.length;
    } else {
      const bytes = UTF8.encode(text);
      this.#head(MARK.bulk, bytes.length);
      this.#reserve(bytes.length + 2);
      this.bytes.set(bytes, this.length);
      this.length += bytes.length;
    }
  }

  #head(mark: number, value: number): void {
    this.#reserve(HEAD_BYTES);
    this.bytes[this.length] = mark;
    const end = putInteger(value, this.bytes, this.length + 1);
    this.bytes[end] = CR;
    this.bytes[end + 1] = LF;
    this.length = end + 2;
  }

  #reserve(more: number): void {
    if (this.length + more <= this.bytes.length) return;
    const larger = new Uint8Array(Math.max(this.bytes.length * 2, this.length + more));
    larger.set(this.bytes.subarray(0, this.length));
    this.bytes = larger;
  }
}

function isAscii(text: string): boolean {
  for (let i = 0; i < text.length; i++) if (text.charCodeAt(i) > 0x7f) return false;
  return true;
}
