/** An object that was read from disk: its record in a buffer of its own, as the memory store's readers know it. */
import { CHUNK_BYTES, type DiskMiss } from "../disk/index.ts";
import { Entry } from "../store/entry.ts";
import type { Refusal, ReserveRequest, Store } from "../store/index.ts";
import { UNIT_BYTES } from "../store/layout.ts";
import { META_WORDS, RECORD, type RecordMemory, recordUnits } from "../store/record.ts";
import { Reservation, shapeOf } from "../store/reservation.ts";

/** Most bytes that one call of `body` gives. */
const PIECE_BYTES_MAX: number = 16 * CHUNK_BYTES;

/** Nobody publishes what is only looked at. */
const NOWHERE = { commit: (): undefined => undefined, abort: (): void => {} };

/** Reads chunks `[first, last)` of a body and proves them. */
export type ReadChunks = (first: number, last: number) => Promise<Uint8Array | DiskMiss>;

export class DiskRecord {
  /**
   * The record: key, meta words and head are there. Its body is there too when `isWhole`. Nobody else has its bytes;
   * they need no pin.
   */
  readonly entry: Entry;
  /** Whether the body lies in `entry.bytes`, checked; if not it is read in pieces by `body`. */
  readonly isWhole: boolean;
  readonly #read: ReadChunks | undefined;
  readonly #close: () => void;

  constructor(memory: RecordMemory, unit: number, read: ReadChunks | undefined, close: () => void) {
    this.entry = new Entry(memory);
    this.entry.unit = unit;
    this.isWhole = read === undefined;
    this.#read = read;
    this.#close = close;
  }

  /**
   * Bytes of the body from `start` on, up to `end` and at most 1 MiB of them, each checked; or why not, after which
   * the answer cannot be ended well. Asks the disk for the chunks that they lie in and no others.
   */
  async body(start: number, end: number): Promise<Uint8Array | DiskMiss> {
    const { bytes, bodyOffset, bodyBytes } = this.entry;
    const to = Math.min(end, bodyBytes, start + PIECE_BYTES_MAX - (start % CHUNK_BYTES));
    if (this.#read === undefined)
      return bytes.subarray(bodyOffset + start, bodyOffset + Math.min(end, bodyBytes));
    if (start >= to) return new Uint8Array(0);
    const first = Math.floor(start / CHUNK_BYTES);
    const chunks = await this.#read(first, Math.ceil(to / CHUNK_BYTES));
    if (typeof chunks === "string") return chunks;
    return chunks.subarray(start - first * CHUNK_BYTES, to - first * CHUNK_BYTES);
  }

  /**
   * Puts a whole record into the memory store: undefined when it is there now; "too-large" as well for one that is not
   * whole. What was purged meanwhile is refused by the store itself.
   */
  promote(store: Store): Refusal | undefined {
    const { entry } = this;
    if (!this.isWhole) return "too-large";
    const { bytes, keyOffset, varyOffset, headOffset, headBytes, bodyBytes } = entry;
    const room = store.reserve({
      hashHi: entry.hashHi,
      hashLo: entry.hashLo,
      urlHash: entry.urlHash,
      key: bytes.subarray(keyOffset, keyOffset + entry.keyBytes),
      urlStart: entry.urlStart,
      pathEnd: entry.pathEnd,
      vary: bytes.subarray(varyOffset, varyOffset + entry.varyBytes),
      tags: entry.tags,
      headBytes,
      bodyBytes,
      startSequence: entry.checkedSequence,
      nowS: entry.storedAtS,
      usableUntilS: entry.usableUntilS,
    });
    if (typeof room === "string") return room;
    room.bytes.set(bytes.subarray(headOffset, headOffset + headBytes + bodyBytes), room.headOffset);
    room.setStatus(entry.status);
    room.setFlags(entry.flags);
    if (entry.isSoftPurged) room.setSoftPurged();
    for (let word = 0; word < META_WORDS; word++) room.setMeta(word, entry.meta(word));
    const refusal = room.commit();
    if (refusal === "busy") room.abort();
    return refusal;
  }

  /**
   * Of a record that is not whole: the same body behind another head, which the caller writes into the reservation; there
   * is nothing to commit. This record must be closed after the new one.
   */
  renewed(request: ReserveRequest): { readonly room: Reservation; readonly record: DiskRecord } {
    const buffer = new ArrayBuffer(recordUnits(shapeOf({ ...request, bodyBytes: 0 })) * UNIT_BYTES);
    const memory = { bytes: new Uint8Array(buffer), words: new Int32Array(buffer) };
    const room = new Reservation(memory, NOWHERE, { unit: 0, pin: 0 }, request);
    memory.words[RECORD.hashHi] = request.hashHi;
    memory.words[RECORD.hashLo] = request.hashLo;
    return { room, record: new DiskRecord(memory, 0, this.#read, NOWHERE.abort) };
  }

  /** Lets go of the file. Harmless for a whole record and when called again; call it for every other one. */
  close(): void {
    this.#close();
  }
}
