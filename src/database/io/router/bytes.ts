/** Bytes put one behind the other, in memory that is used again. */
import { copyBytes } from "../../../pgwire/index.ts";

/** Memory beyond this is given back when it is cleared: most batches are short. */
const KEPT_BYTES = 4096;
const FIRST_BYTES = 256;

const NOTHING = new Uint8Array(0);

export class Bytes {
  bytes: Uint8Array = NOTHING;
  length = 0;

  add(bytes: Uint8Array, start: number, end: number): void {
    const needed = this.length + end - start;
    if (needed > this.bytes.length) {
      const larger = new Uint8Array(Math.max(FIRST_BYTES, needed * 2));
      copyBytes(this.bytes, 0, this.length, larger, 0);
      this.bytes = larger;
    }
    this.length = copyBytes(bytes, start, end, this.bytes, this.length);
  }

  clear(): void {
    this.length = 0;
    if (this.bytes.length > KEPT_BYTES) this.bytes = NOTHING;
  }
}
