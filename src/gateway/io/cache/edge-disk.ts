/**
 * The disk tier as the requests of one worker use it: what leaves memory goes there, and what memory does not have is looked
 * for there before a target is asked.
 *
 *   read -> small: back into memory, where all who waited find it
 *        -> large: held open, for as long as somebody is sent it or a target is asked about it
 *        -> a slice: back into memory whatever its size, or none
 *        -> none
 *
 * One read is for everybody who wants the key at that time.
 */
import {
  type Entry,
  type NotKept,
  type Reservation,
  type ReserveRequest,
  type Store,
  StoredResponse,
} from "../../../edge/index.ts";
import type { DiskRecord, DiskTier } from "../../../edge/io/index.ts";
import { equals } from "../../../http/index.ts";
import type { CacheKey } from "./cache-key.ts";
import { isCodedKey } from "./coder.ts";
import type { FetchOrder } from "./fetch-order.ts";

/** Clients of one worker that are sent something large at once; each may cost a piece of memory while it is slow. */
const SENDS_MAX = 512;

/** Already used: it is on disk as it was. */
const USED = 3;

/** Which of the responses for a key answers a request. */
export type Matches = (stored: StoredResponse) => boolean;

/** What is read: a response, which may stay on disk, or a slice, which is in memory when it is there. */
export type What = "response" | "slice";

/** What reading brought: look again, it is there; of another variant; or there is nothing to be had. */
export type Reading = "there" | "other" | "none";

interface Readers {
  readonly key: Uint8Array;
  readonly done: ((reading: Reading) => void)[];
}

/** A response whose body is on disk. Who uses it for longer than a turn retains it. */
export class Held {
  readonly key: Pick<CacheKey, "hashHi" | "hashLo">;
  readonly record: DiskRecord;
  readonly stored: StoredResponse;
  readonly #end: () => void;
  #users = 0;

  constructor(key: Pick<CacheKey, "hashHi" | "hashLo">, record: DiskRecord, end: () => void) {
    this.key = key;
    this.record = record;
    this.stored = new StoredResponse(record.entry);
    this.#end = end;
  }

  retain(): void {
    this.#users++;
  }
  release(): void {
    if (--this.#users === 0) this.#end();
  }
}

export class EdgeDisk {
  readonly tier: DiskTier;
  readonly #store: Store;
  readonly #readers = new Map<number, Readers>();
  readonly #held = new Map<number, Held[]>();
  /** What orders ask a target about. */
  readonly #askedAbout = new WeakMap<FetchOrder, Held>();
  readonly #asking = new Set<FetchOrder>();
  #stopping: Promise<void> | undefined;
  /** Clients that are being sent something large. */
  sends = 0;

  constructor(tier: DiskTier, store: Store) {
    this.tier = tier;
    this.#store = store;
    store.onLeave((entry, uses) => this.#offer(entry, uses));
  }

  get maySend(): boolean {
    return this.sends < SENDS_MAX;
  }

  /** Forms in other codings are made again: nobody looks for one here. */
  #offer(entry: Entry, uses: number): void {
    const { bytes, keyOffset, keyBytes } = entry;
    if (!isCodedKey(bytes, keyOffset, keyOffset + keyBytes)) this.tier.offer(entry, uses);
  }

  // --- reading ------------------------------------------------------------------------------------------------

  /** Whether it is worth reading. */
  mayHave({ hashHi, hashLo }: Pick<CacheKey, "hashHi" | "hashLo">): boolean {
    return this.tier.mayHave(hashHi, hashLo);
  }

  /** Reads what matches for a key, or waits for the read that is under way; `done` is called in a later turn. */
  // oxlint-disable-next-line max-params -- what is read, and who waits for it
  read(what: What, key: CacheKey, matches: Matches, done: (reading: Reading) => void): void {
    const number = numberOf(key);
    const readers = this.#readers.get(number);
    if (readers !== undefined && equals(readers.key, 0, readers.key.length, key.bytes)) {
      readers.done.push(done);
      return;
    }
    const mine: Readers = { key: key.bytes, done: [done] };
    if (readers === undefined) this.#readers.set(number, mine);
    void this.#read(what, key, matches).then(({ reading, held }) => {
      if (this.#readers.get(number) === mine) this.#readers.delete(number);
      for (const each of mine.done) each(reading);
      held?.release();
    });
  }

  async #read(
    what: What,
    { hashHi, hashLo, bytes }: CacheKey,
    matches: Matches,
  ): Promise<{ readonly reading: Reading; readonly held?: Held }> {
    const record = await this.tier.find({
      hashHi,
      hashLo,
      key: bytes,
      matches: (entry) => matches(new StoredResponse(entry)),
      isWhole: what === "slice",
    });
    if (typeof record === "string") return { reading: record === "other" ? "other" : "none" };
    // One that memory has no room for just now is read from here like a large one.
    if (record.promote(this.#store) === undefined) return { reading: "there" };
    if (what === "slice") return { reading: "none" };
    const held = new Held({ hashHi, hashLo }, record, () => {
      this.#drop(held);
      record.close();
    });
    this.#hold(held);
    return { reading: "there", held };
  }

  // --- what is held -------------------------------------------------------------------------------------------

  /** What is held for a key and matches. */
  // oxlint-disable-next-line max-params -- a key in three parts, as the store is asked for one
  find(hashHi: number, hashLo: number, key: Uint8Array, end: number, matches: Matches): Held | undefined {
    if (this.#held.size === 0) return undefined;
    return this.#held
      .get(numberOf({ hashHi, hashLo }))
      ?.find(({ record, stored }) => record.entry.keyEquals(key, 0, end) && matches(stored));
  }

  #hold(held: Held): void {
    held.retain();
    const number = numberOf(held.key);
    this.#held.set(number, [...(this.#held.get(number) ?? []), held]);
  }

  #drop(held: Held): void {
    const number = numberOf(held.key);
    const left = (this.#held.get(number) ?? []).filter((other) => other !== held);
    if (left.length === 0) this.#held.delete(number);
    else this.#held.set(number, left);
  }

  /** What is held of a key is found no more: it is out of date, or turned out to be broken. */
  forgetHeld(key: Pick<CacheKey, "hashHi" | "hashLo">): void {
    this.#held.delete(numberOf(key));
  }

  /** Notes that a fetch would be about `held`. */
  askAbout(order: FetchOrder, held: Held | undefined): void {
    if (held !== undefined) this.#askedAbout.set(order, held);
  }

  /** The fetch begins: what it is about stays, even if who asked leaves. */
  began(order: FetchOrder): void {
    const held = this.#askedAbout.get(order);
    if (held === undefined || this.#asking.has(order)) return;
    this.#asking.add(order);
    held.retain();
  }

  landed(order: FetchOrder): void {
    if (this.#asking.delete(order)) this.#askedAbout.get(order)?.release();
  }

  // --- writing ------------------------------------------------------------------------------------------------

  /** Room for what is too large for memory, whose older version there goes; why not, if so. */
  reserve(request: ReserveRequest): Reservation | NotKept {
    const { hashHi, hashLo, key } = request;
    const room = this.tier.reserve(request);
    if (typeof room === "string") return "too-large";
    this.#store.remove(hashHi, hashLo, key, 0, key.length);
    this.forget(hashHi, hashLo, request.vary);
    return room;
  }

  /** What is on disk of a key, or of one variant of it, is out of date. */
  forget(hashHi: number, hashLo: number, vary?: Uint8Array): void {
    this.forgetHeld({ hashHi, hashLo });
    this.tier.forget(hashHi, hashLo, vary);
  }

  /**
   * A target says that `held` is right, and what is to be said of it now: `write` fills in the head. It is found like that
   * from now on, and written behind its body's back.
   */
  renew(held: Held, request: ReserveRequest, write: (room: Reservation) => void): void {
    const { room, record } = held.record.renewed(request);
    write(room);
    held.retain();
    const renewed = new Held(held.key, record, () => {
      this.#drop(renewed);
      held.release();
    });
    this.#drop(held);
    this.#hold(renewed);
    void this.#rewrite(renewed, request, write).then(() => renewed.release());
  }

  async #rewrite(
    { record }: Held,
    request: ReserveRequest,
    write: (room: Reservation) => void,
  ): Promise<void> {
    const room = this.tier.reserve(request, USED);
    if (typeof room === "string") return;
    for (let at = 0; at < request.bodyBytes; ) {
      const piece = await record.body(at, request.bodyBytes);
      if (typeof piece === "string") return;
      room.bytes.set(piece, room.bodyOffset + at);
      at += piece.length;
    }
    write(room);
    room.commit();
  }

  /** Writes what waits, and lets go of the files. */
  stop(): Promise<void> {
    this.#stopping ??= this.tier.stop();
    return this.#stopping;
  }
}

function numberOf({ hashHi, hashLo }: Pick<CacheKey, "hashHi" | "hashLo">): number {
  return (hashHi >>> 0) * 0x20_0000 + (hashLo >>> 11);
}
