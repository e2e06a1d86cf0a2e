/**
 * Bytes of a client that came ahead of their time: a head in pieces, or requests pipelined behind the one under way.
 *
 * What has been read is skipped, not moved: a thousand small requests in one buffer cost a thousand reads, not a
 * thousand copies of the rest. Exists only while there is something in it.
 */
import { copy } from "../../http/index.ts";

/** First size; a usual head fits. */
const BYTES_MIN = 1024;

export class Input {
  bytes: Uint8Array = new Uint8Array(BYTES_MIN);
  /** What is there is `bytes[start, end)`. */
  start = 0;
  end = 0;

  get length(): number {
    return this.end - this.start;
  }

  /** Adds `from[start, end)`, which is copied. */
  append(from: Uint8Array, start: number, end: number): void {
    this.#makeRoom(end - start);
    this.end = copy(from, start, end, this.bytes, this.end);
  }

  #makeRoom(count: number): void {
    if (this.end + count <= this.bytes.length) return;
    const needed = this.length + count;
    const to = needed <= this.bytes.length ? this.bytes : new Uint8Array(needed * 2);
    if (to === this.bytes) to.copyWithin(0, this.start, this.end);
    else copy(this.bytes, this.start, this.end, to, 0);
    this.end = this.length;
    this.start = 0;
    this.bytes = to;
  }
}
