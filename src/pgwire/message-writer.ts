/** Messages on their way out, one after another in memory that grows: `begin`, the fields, `end`. */
import { copyBytes, putInt32, utf8 } from "./bytes.ts";

/** The first memory, and what is kept between uses. */
const START_BYTES = 1024;
const KEEP_BYTES = 256 * 1024;

export class MessageWriter {
  bytes: Uint8Array = new Uint8Array(START_BYTES);
  length = 0;
  #begun = 0;

  /** Forgets what was written. */
  clear(): void {
    this.length = 0;
    if (this.bytes.length > KEEP_BYTES) this.bytes = new Uint8Array(START_BYTES);
  }

  /** What was written, as bytes of its own; the writer is empty then. */
  take(): Uint8Array {
    const taken = this.bytes.slice(0, this.length);
    this.clear();
    return taken;
  }

  /** Starts a message of `type`; without one, a start-up packet. */
  begin(type?: number): this {
    this.#reserve(5);
    if (type !== undefined) this.bytes[this.length++] = type;
    this.#begun = this.length;
    this.length += 4;
    return this;
  }

  /** Ends the message; `more` bytes of its body follow that are not written here. */
  end(more = 0): this {
    putInt32(this.length - this.#begun + more, this.bytes, this.#begun);
    return this;
  }

  byte(value: number): this {
    this.#reserve(1);
    this.bytes[this.length++] = value;
    return this;
  }
  int16(value: number): this {
    return this.byte(value >> 8).byte(value);
  }
  int32(value: number): this {
    this.#reserve(4);
    putInt32(value, this.bytes, this.length);
    this.length += 4;
    return this;
  }

  /** Text with the zero byte at its end. Whoever takes it from outside sees to it that it holds none itself. */
  cstring(text: string): this {
    return this.raw(utf8(text)).byte(0);
  }
  raw(bytes: Uint8Array): this {
    return this.copy(bytes, 0, bytes.length);
  }
  copy(from: Uint8Array, start: number, end: number): this {
    this.#reserve(end - start);
    this.length = copyBytes(from, start, end, this.bytes, this.length);
    return this;
  }

  #reserve(more: number): void {
    if (this.length + more <= this.bytes.length) return;
    const larger = new Uint8Array(Math.max(this.bytes.length * 2, this.length + more));
    copyBytes(this.bytes, 0, this.length, larger, 0);
    this.bytes = larger;
  }
}
