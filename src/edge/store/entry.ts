/**
 * What a reader sees of a stored object: numbers and offsets into the block, nothing copied.
 *
 * One entry is moved from record to record by its reader (see `Reader`), so that a hit allocates nothing.
 */
import { UNIT_BYTES, UNIT_WORDS } from "./layout.ts";
import {
  equalBytes,
  headAt,
  keyAt,
  META_WORDS,
  RECORD,
  type RecordMemory,
  tagsAt,
  varyAt,
} from "./record.ts";

/** Highest count of the access counter. */
const ACCESS_MAX = 3;

export class Entry {
  /** The whole block, which all offsets are into. */
  readonly bytes: Uint8Array;
  readonly #words: Int32Array;
  /** Location of the record; 0 is none. */
  unit = 0;

  constructor({ bytes, words }: RecordMemory) {
    this.bytes = bytes;
    this.#words = words;
  }

  get keyOffset(): number {
    return keyAt(this.#words, this.unit * UNIT_WORDS) * 4;
  }
  get keyBytes(): number {
    return this.#word(RECORD.keyBytes);
  }
  get varyOffset(): number {
    return varyAt(this.#words, this.unit * UNIT_WORDS) * 4;
  }
  get varyBytes(): number {
    return this.#word(RECORD.varyBytes);
  }
  /** Where the head starts; the body follows it without a gap. */
  get headOffset(): number {
    return headAt(this.#words, this.unit * UNIT_WORDS) * 4;
  }
  get headBytes(): number {
    return this.#word(RECORD.headBytes);
  }
  get bodyOffset(): number {
    return this.headOffset + this.headBytes;
  }
  get tagCount(): number {
    return this.#word(RECORD.tagCount);
  }
  get bodyBytes(): number {
    return this.#word(RECORD.bodyBytes) >>> 0;
  }
  get status(): number {
    return this.#word(RECORD.status);
  }
  get flags(): number {
    return this.#word(RECORD.flags);
  }
  /** When it was stored, seconds since the epoch. */
  get storedAtS(): number {
    return this.#word(RECORD.storedAtS) >>> 0;
  }
  /** After this the store may drop it without a thought, seconds since the epoch; 0 is never. */
  get usableUntilS(): number {
    return this.#word(RECORD.usableUntilS) >>> 0;
  }
  get urlHash(): number {
    return this.#word(RECORD.urlHash) >>> 0;
  }
  /** The two words that the key is found by: the high one. */
  get hashHi(): number {
    return this.#word(RECORD.hashHi);
  }
  /** The low one. */
  get hashLo(): number {
    return this.#word(RECORD.hashLo);
  }
  /** Where host and path start in the key. */
  get urlStart(): number {
    return this.#word(RECORD.urlStart);
  }
  /** Where the path ends in the key. */
  get pathEnd(): number {
    return this.#word(RECORD.pathEnd);
  }
  /** Hashes of its tags, in place. */
  get tags(): Int32Array {
    const tags = tagsAt(this.unit * UNIT_WORDS);
    return this.#words.subarray(tags, tags + this.#word(RECORD.tagCount));
  }
  /** How often it was asked for of late, 0 to 3. */
  get access(): number {
    return this.#word(RECORD.access);
  }
  /** Whether it has stayed because it was asked for again. */
  get wasUsedAgain(): boolean {
    return this.#word(RECORD.usedAgain) !== 0;
  }
  /** The number of the purge up to which it is known to be clean. */
  get checkedSequence(): number {
    return this.#word(RECORD.checkedSequence);
  }
  /** Whether a soft purge made it stale. */
  get isSoftPurged(): boolean {
    return this.#word(RECORD.softPurged) !== 0;
  }
  /** When it was first stored, seconds since the epoch: what replaces an object goes on from its time and its hits. */
  get firstStoredAtS(): number {
    return this.#word(RECORD.firstStoredAtS) >>> 0;
  }
  /** How many clients got it since then. */
  get hits(): number {
    return this.#word(RECORD.hits) >>> 0;
  }
  /** Bytes of memory that it takes, its keys and its header among them. */
  get storedBytes(): number {
    return this.#word(RECORD.size) * UNIT_BYTES;
  }

  /** Word `index` of those that belong to the caller, as int32. */
  meta(index: number): number {
    return this.#word(RECORD.meta + index);
  }
  /** Changes one of the caller's words for everybody, at once. Lost if the record is moved at this moment. */
  setMeta(index: number, value: number): void {
    if (index < META_WORDS) Atomics.store(this.#words, this.unit * UNIT_WORDS + RECORD.meta + index, value);
  }
  /** As `setMeta`, for `usableUntilS`. */
  setUsableUntilS(value: number): void {
    Atomics.store(this.#words, this.unit * UNIT_WORDS + RECORD.usableUntilS, value);
  }

  keyEquals(bytes: Uint8Array, start: number, end: number): boolean {
    const at = this.unit * UNIT_WORDS;
    return (
      this.#words[at + RECORD.keyBytes] === end - start &&
      equalBytes(this.#words, keyAt(this.#words, at), bytes, start, end)
    );
  }
  varyEquals(bytes: Uint8Array, start: number, end: number): boolean {
    const at = this.unit * UNIT_WORDS;
    return (
      this.#words[at + RECORD.varyBytes] === end - start &&
      equalBytes(this.#words, varyAt(this.#words, at), bytes, start, end)
    );
  }

  /** Counts a use, which decides how long the object stays. */
  touch(): void {
    const at = this.unit * UNIT_WORDS + RECORD.access;
    const access = this.#words[at] ?? 0;
    if (access < ACCESS_MAX) this.#words[at] = access + 1;
  }

  /** Counts a client that is sent it. A plain write: to be exact would cost every hit an atomic one. */
  countHit(): void {
    const at = this.unit * UNIT_WORDS + RECORD.hits;
    this.#words[at] = (this.#words[at] ?? 0) + 1;
  }

  #word(field: number): number {
    return this.#words[this.unit * UNIT_WORDS + field] ?? 0;
  }
}
