/**
 * A small list, set, sorted set or hash as the bytes of one entry:
 *
 *   number of elements (uint16 LE) | element | element …; element = its length (1 byte, or 254 and uint32 LE) | its bytes
 *
 * Looking something up walks the elements. For what is small that is as fast as hashing, and takes a tenth of the memory.
 */
import { copyBytes, type Dict } from "../memory/dict.ts";

const COUNT_BYTES = 2;

/** Lengths from here on take five bytes. */
const LONG = 254;
const LONG_HEAD_BYTES = 5;

/** Bytes of an empty packed value. */
export const PACKED_EMPTY_BYTES: number = COUNT_BYTES;

/** Bytes that an element of `length` bytes takes. */
export function packedBytes(length: number): number {
  return length + (length < LONG ? 1 : LONG_HEAD_BYTES);
}

/** A walk over the packed value of an entry, and its changes. One object serves all: `open` it on an entry. */
export class Packed {
  /** The entry; changes when the value grows. */
  ref = 0;
  count = 0;
  /** The present element: its bytes `[start, end)`. */
  bytes: Uint8Array = new Uint8Array(0);
  start = 0;
  end = 0;
  /** Where the present element begins, and where the next does; from the first byte of the value. */
  at = 0;
  after = 0;
  /** Bytes of the whole value. */
  length = 0;
  #dict: Dict | undefined;
  #base = 0;

  /** Stands before the first element of `ref`. */
  open(dict: Dict, ref: number): this {
    this.#dict = dict;
    this.#load(ref);
    this.after = COUNT_BYTES;
    return this;
  }

  #load(ref: number): void {
    const dict = this.#owner();
    dict.open(ref);
    this.ref = ref;
    this.bytes = dict.bytes;
    this.#base = dict.valueStart;
    this.length = dict.valueEnd - dict.valueStart;
    this.count = (this.bytes[this.#base] ?? 0) | ((this.bytes[this.#base + 1] ?? 0) << 8);
  }

  #owner(): Dict {
    if (this.#dict === undefined) throw new Error("packed: not opened");
    return this.#dict;
  }

  /** Steps to the next element; false behind the last. */
  next(): boolean {
    this.at = this.after;
    if (this.at >= this.length) return false;
    const head = this.#base + this.at;
    const { bytes } = this;
    const short = bytes[head] ?? 0;
    if (short < LONG) {
      this.start = head + 1;
      this.end = this.start + short;
    } else {
      this.start = head + LONG_HEAD_BYTES;
      this.end = this.start + readUint32(bytes, head + 1);
    }
    this.after = this.end - this.#base;
    return true;
  }

  /** Stands before the first element again. */
  rewind(): void {
    this.after = COUNT_BYTES;
  }

  /** Stands before element `index`, which must exist or be one past the last. */
  seek(index: number): void {
    this.rewind();
    for (let i = 0; i < index; i++) this.next();
    this.at = this.after;
  }

  /** Looks for an element among every `stride`-th, and stands on it. */
  find(bytes: Uint8Array, start: number, end: number, stride: number): boolean {
    this.rewind();
    while (this.next()) {
      if (this.is(bytes, start, end)) return true;
      for (let i = 1; i < stride; i++) this.next();
    }
    return false;
  }

  /** Whether the present element is these bytes. */
  is(bytes: Uint8Array, start: number, end: number): boolean {
    const length = end - start;
    if (this.end - this.start !== length) return false;
    for (let i = 0; i < length; i++) if (this.bytes[this.start + i] !== bytes[start + i]) return false;
    return true;
  }

  /** Puts an element in at `at` (see `at`, `after`, `length`), and stands on it. */
  insert(at: number, bytes: Uint8Array, start: number, end: number): void {
    this.#splice(at, at, packedBytes(end - start), 1);
    this.#write(at, bytes, start, end);
  }

  /** Puts other bytes in place of the present element, and stands on it. */
  replace(bytes: Uint8Array, start: number, end: number): void {
    const { at, after } = this;
    const needed = packedBytes(end - start);
    if (needed !== after - at) this.#splice(at, after, needed, 0);
    this.#write(at, bytes, start, end);
  }

  /** Takes `[from, to)` out, which is `count` elements, and stands before what followed. */
  remove(from: number, to: number, count: number): void {
    this.#splice(from, to, 0, -count);
    this.after = from;
  }

  #write(at: number, bytes: Uint8Array, start: number, end: number): void {
    const length = end - start;
    const head = this.#base + at;
    if (length < LONG) {
      this.bytes[head] = length;
      this.start = head + 1;
    } else {
      this.bytes[head] = LONG;
      writeUint32(this.bytes, head + 1, length);
      this.start = head + LONG_HEAD_BYTES;
    }
    this.end = copyBytes(bytes, start, end, this.bytes, this.start);
    this.at = at;
    this.after = this.end - this.#base;
  }

  /** Puts `inserted` bytes, not set, in place of `[from, to)`. */
  #splice(from: number, to: number, inserted: number, countBy: number): void {
    const dict = this.#owner();
    const { length } = this;
    const grown = length - (to - from) + inserted;
    const tailAt = from + inserted;
    if (grown > length) {
      this.#load(dict.resize(this.ref, grown));
      this.bytes.copyWithin(this.#base + tailAt, this.#base + to, this.#base + length);
    } else {
      this.bytes.copyWithin(this.#base + tailAt, this.#base + to, this.#base + length);
      this.#load(dict.resize(this.ref, grown));
    }
    this.count += countBy;
    this.bytes[this.#base] = this.count & 0xff;
    this.bytes[this.#base + 1] = this.count >> 8;
  }
}

/** A uint32 in little-endian order. */
export function readUint32(bytes: Uint8Array, at: number): number {
  return (
    ((bytes[at] ?? 0) |
      ((bytes[at + 1] ?? 0) << 8) |
      ((bytes[at + 2] ?? 0) << 16) |
      ((bytes[at + 3] ?? 0) << 24)) >>>
    0
  );
}

/** Writes a uint32 in little-endian order. */
export function writeUint32(bytes: Uint8Array, at: number, value: number): void {
  bytes[at] = value;
  bytes[at + 1] = value >>> 8;
  bytes[at + 2] = value >>> 16;
  bytes[at + 3] = value >>> 24;
}
