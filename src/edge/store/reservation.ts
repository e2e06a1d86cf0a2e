/** Room for one object, to be filled and then published or given back. */
import type { Refusal } from "./counters.ts";
import { UNIT_BYTES, UNIT_WORDS } from "./layout.ts";
import {
  headAt,
  keyAt,
  META_WORDS,
  RECORD,
  type RecordMemory,
  type RecordShape,
  tagsAt,
  varyAt,
} from "./record.ts";

/** What must be known of an object before room is made for it. */
export interface ReserveRequest {
  readonly hashHi: number;
  readonly hashLo: number;
  /** The hash that a purge of its URL names. */
  readonly urlHash: number;
  readonly key: Uint8Array;
  /** Where in the key host and path start, and where the path ends: purges of prefixes look there. */
  readonly urlStart: number;
  readonly pathEnd: number;
  /** The values that select this variant; empty when there is only one. */
  readonly vary: Uint8Array;
  /** Hashes of its tags. */
  readonly tags: ArrayLike<number>;
  readonly headBytes: number;
  readonly bodyBytes: number;
  /** The purge sequence that was read before the request went to the origin. */
  readonly startSequence: number;
  /** Now, and until when the object is of any use (0: for ever); seconds since the epoch. */
  readonly nowS: number;
  readonly usableUntilS: number;
}

/** The lengths of the record that a request needs. */
export function shapeOf(request: ReserveRequest): RecordShape {
  const { key, vary, tags, headBytes, bodyBytes } = request;
  return { keyBytes: key.length, varyBytes: vary.length, tagCount: tags.length, headBytes, bodyBytes };
}

/** Who publishes records and takes them back: the store's writer, or the disk tier. */
export interface Publisher {
  commit(unit: number, pin: number): Refusal | undefined;
  abort(unit: number, pin: number): void;
}

export class Reservation {
  /** The whole block; fill `[headOffset, bodyOffset + bodyBytes)` of it. */
  readonly bytes: Uint8Array;
  readonly headOffset: number;
  readonly bodyOffset: number;
  readonly #words: Int32Array;
  readonly #publisher: Publisher;
  readonly #unit: number;
  readonly #at: number;
  #pin: number;

  constructor(
    { bytes, words }: RecordMemory,
    publisher: Publisher,
    { unit, pin }: { readonly unit: number; readonly pin: number },
    request: ReserveRequest,
  ) {
    this.bytes = bytes;
    this.#words = words;
    this.#publisher = publisher;
    this.#unit = unit;
    this.#at = unit * UNIT_WORDS;
    this.#pin = pin;
    this.#describe(request);
    this.headOffset = headAt(words, this.#at) * 4;
    this.bodyOffset = this.headOffset + request.headBytes;
  }

  setStatus(status: number): void {
    this.#words[this.#at + RECORD.status] = status;
  }
  setFlags(flags: number): void {
    this.#words[this.#at + RECORD.flags] = flags;
  }
  /** Says that a soft purge concerned the object already. */
  setSoftPurged(): void {
    this.#words[this.#at + RECORD.softPurged] = 1;
  }
  /** Sets word `index` of those that belong to the caller. */
  setMeta(index: number, value: number): void {
    if (index < META_WORDS) this.#words[this.#at + RECORD.meta + index] = value;
  }

  /**
   * Publishes the object; `undefined` when it can be found now. After "busy" try again later; after any other reason
   * the room is given back already. A body that came out shorter is told by `bodyBytes`.
   */
  commit(bodyBytes?: number): Refusal | undefined {
    if (this.#pin < 0) throw new Error("edge store: a reservation is committed or aborted once");
    if (bodyBytes !== undefined) this.#words[this.#at + RECORD.bodyBytes] = bodyBytes;
    const refusal = this.#publisher.commit(this.#unit, this.#pin);
    if (refusal !== "busy") this.#pin = -1;
    return refusal;
  }

  /** Gives the room back. Nothing happens when the object was published or given back before. */
  abort(): void {
    if (this.#pin < 0) return;
    this.#publisher.abort(this.#unit, this.#pin);
    this.#pin = -1;
  }

  #describe(request: ReserveRequest): void {
    const words = this.#words;
    const at = this.#at;
    // The first unit was cleared with the lock held; the caller's words and the keys' last words follow it.
    words.fill(0, at + UNIT_BYTES / 4, tagsAt(at));
    words[at + RECORD.checkedSequence] = request.startSequence;
    words[at + RECORD.urlHash] = request.urlHash;
    words[at + RECORD.keyBytes] = request.key.length;
    words[at + RECORD.varyBytes] = request.vary.length;
    words[at + RECORD.tagCount] = request.tags.length;
    words[at + RECORD.headBytes] = request.headBytes;
    words[at + RECORD.bodyBytes] = request.bodyBytes;
    words[at + RECORD.urlStart] = request.urlStart;
    words[at + RECORD.pathEnd] = request.pathEnd;
    words[at + RECORD.storedAtS] = request.nowS;
    words[at + RECORD.usableUntilS] = request.usableUntilS;
    for (let tag = 0; tag < request.tags.length; tag++) words[tagsAt(at) + tag] = request.tags[tag] ?? 0;
    this.#setPadded(keyAt(words, at), request.key);
    this.#setPadded(varyAt(words, at), request.vary);
  }

  /** Writes bytes from a word on, the last word padded with zeros. */
  #setPadded(word: number, part: Uint8Array): void {
    if (part.length > 0) this.#words[word + ((part.length - 1) >> 2)] = 0;
    this.bytes.set(part, word * 4);
  }
}
