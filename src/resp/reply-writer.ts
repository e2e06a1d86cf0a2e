/**
 * Replies as a server writes them, in the protocol that the client chose. What RESP3 has and RESP2 has not (maps, sets,
 * doubles, null, push) falls back to what Redis sends for it.
 */
import { bytesOf, CR, LF, MARK, putInteger, putLatin1 } from "./bytes.ts";
import { formatDouble } from "./double.ts";

/** Which protocol a client speaks. */
export type Protocol = 2 | 3;

/** The first memory; grows by doubling. */
const START_BYTES = 64 * 1024;

/** Memory beyond this is given back after use: it was one very large reply. */
const KEEP_BYTES = 1024 * 1024;

/** A head: mark, digits, CR LF. */
const HEAD_BYTES = 24;

/** Small whole numbers are the commonest replies. */
const SMALL = 1024;
const SMALL_INTEGERS: readonly Uint8Array[] = Array.from({ length: SMALL }, (_, n) => bytesOf(`:${n}\r\n`));

export class ReplyWriter {
  bytes: Uint8Array = new Uint8Array(START_BYTES);
  length = 0;
  protocol: Protocol = 2;

  /** Forgets what was written. */
  clear(): void {
    this.length = 0;
    if (this.bytes.length > KEEP_BYTES) this.bytes = new Uint8Array(START_BYTES);
  }

  /** Bytes that are protocol already. */
  raw(bytes: Uint8Array): void {
    this.#reserve(bytes.length);
    if (bytes.length <= 16) {
      for (let i = 0; i < bytes.length; i++) this.bytes[this.length + i] = bytes[i] ?? 0;
    } else {
      this.bytes.set(bytes, this.length);
    }
    this.length += bytes.length;
  }

  simple(text: string): void {
    this.#line(MARK.simple, text);
  }

  /** `message` begins with its code: "ERR …". Line ends in it become spaces. */
  error(message: string): void {
    this.#line(MARK.error, message.replaceAll(/[\r\n]/g, " "));
  }

  integer(value: number): void {
    const small = value >= 0 && value < SMALL ? SMALL_INTEGERS[value] : undefined;
    if (small === undefined) this.#head(MARK.integer, value);
    else this.raw(small);
  }

  bigInteger(value: bigint): void {
    this.#line(MARK.integer, value.toString());
  }

  /** `bytes[start, end)` as a bulk string. */
  bulk(bytes: Uint8Array, start: number, end: number): void {
    const length = end - start;
    this.#reserve(length + HEAD_BYTES + 2);
    this.#headNow(MARK.bulk, length);
    const into = this.bytes;
    let at = this.length;
    if (length <= 64) {
      for (let from = start; from < end; from++) into[at++] = bytes[from] ?? 0;
    } else {
      into.set(bytes.subarray(start, end), at);
      at += length;
    }
    into[at] = CR;
    into[at + 1] = LF;
    this.length = at + 2;
  }

  /** A text as a bulk string, one byte a character. */
  bulkText(text: string): void {
    this.#reserve(text.length + HEAD_BYTES + 2);
    this.#headNow(MARK.bulk, text.length);
    this.length = putLatin1(text, this.bytes, this.length);
    this.#endLine();
  }

  /** A text for people: verbatim in RESP3. */
  verbatim(text: string): void {
    if (this.protocol === 2) return this.bulkText(text);
    this.#reserve(text.length + HEAD_BYTES + 6);
    this.#headNow(MARK.verbatim, text.length + 4);
    this.length = putLatin1(`txt:${text}`, this.bytes, this.length);
    this.#endLine();
  }

  null(): void {
    this.raw(this.protocol === 2 ? NULL_BULK : NULL);
  }
  nullArray(): void {
    this.raw(this.protocol === 2 ? NULL_ARRAY : NULL);
  }
  boolean(value: boolean): void {
    if (this.protocol === 2) this.integer(value ? 1 : 0);
    else this.#line(MARK.boolean, value ? "t" : "f");
  }
  double(value: number): void {
    const text = formatDouble(value);
    if (this.protocol === 2) this.bulkText(text);
    else this.#line(MARK.double, text);
  }

  /** The head of an array; its elements follow. */
  array(length: number): void {
    this.#head(MARK.array, length);
  }
  /** The head of a map of so many pairs. */
  map(pairs: number): void {
    if (this.protocol === 2) this.#head(MARK.array, pairs * 2);
    else this.#head(MARK.map, pairs);
  }
  set(length: number): void {
    this.#head(this.protocol === 2 ? MARK.array : MARK.set, length);
  }
  push(length: number): void {
    this.#head(this.protocol === 2 ? MARK.array : MARK.push, length);
  }

  #line(mark: number, text: string): void {
    this.#reserve(text.length + 3);
    this.bytes[this.length] = mark;
    this.length = putLatin1(text, this.bytes, this.length + 1);
    this.#endLine();
  }

  #head(mark: number, value: number): void {
    this.#reserve(HEAD_BYTES);
    this.#headNow(mark, value);
  }

  #headNow(mark: number, value: number): void {
    const { bytes } = this;
    bytes[this.length] = mark;
    this.length = putInteger(value, bytes, this.length + 1);
    this.#endLine();
  }

  #endLine(): void {
    this.bytes[this.length] = CR;
    this.bytes[this.length + 1] = LF;
    this.length += 2;
  }

  #reserve(more: number): void {
    if (this.length + more <= this.bytes.length) return;
    const larger = new Uint8Array(Math.max(this.bytes.length * 2, this.length + more));
    larger.set(this.bytes.subarray(0, this.length));
    this.bytes = larger;
  }
}

const NULL_BULK = bytesOf("$-1\r\n");
const NULL_ARRAY = bytesOf("*-1\r\n");
const NULL = bytesOf("_\r\n");
