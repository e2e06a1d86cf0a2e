/**
 * Request ids: 20 hexadecimal digits, 8 drawn at random when the worker starts and 12 that count.
 *
 * Unique over workers and restarts without asking anybody, and cheap: the digits are written in place.
 */
const PREFIX_DIGITS = 8;
const COUNT_DIGITS = 12;
const HEX = "0123456789abcdef";

export class RequestIds {
  /** The id last written by `write`. */
  readonly bytes: Uint8Array = new Uint8Array(PREFIX_DIGITS + COUNT_DIGITS);
  readonly #prefix: string;
  #last = 0;

  constructor(random: () => number) {
    this.#prefix = Array.from({ length: PREFIX_DIGITS }, () => HEX[Math.floor(random() * 16)]).join("");
    this.bytes.set(new TextEncoder().encode(this.#prefix));
  }

  /** The number of the next request. */
  next(): number {
    this.#last++;
    return this.#last;
  }

  /** Writes the id of request `number` into `bytes`. */
  write(number: number): Uint8Array {
    let rest = number;
    for (let at = this.bytes.length - 1; at >= PREFIX_DIGITS; at--) {
      const digit = rest % 16;
      this.bytes[at] = digit < 10 ? 0x30 + digit : 0x57 + digit;
      rest = (rest - digit) / 16;
    }
    return this.bytes;
  }

  /** The id of request `number` as text. */
  text(number: number): string {
    return this.#prefix + number.toString(16).padStart(COUNT_DIGITS, "0");
  }
}
