/**
 * The object store of the edge cache, as one worker sees it: find, store, purge, and who fetches what.
 *
 * All workers of a gateway open the same block of memory (see layout.ts), so that the cache is as large as its
 * memory and not that divided by the workers, a purge reaches all of them when it returns, and an object is fetched
 * once. Reading takes no lock. What goes wrong makes the store forget objects, never mix them up.
 */
import { murmur3 } from "../../base/index.ts";
import { Columns, type IsAlive } from "./columns.ts";
import { type CachedAs, COUNTER, type Counter, type Refusal } from "./counters.ts";
import { Entry } from "./entry.ts";
import { Flights, Markers } from "./flights.ts";
import { Ghosts } from "./ghosts.ts";
import { type Block, BUCKET_SLOTS, HEADER, openBlock, type StoreSizes, UNIT_BYTES } from "./layout.ts";
import type { PurgeMirror } from "./purge-mirror.ts";
import { type Purge, Purges } from "./purges.ts";
import { Reader } from "./reader.ts";
import { type RecordMemory, recordUnits } from "./record.ts";
import { type Reservation, type ReserveRequest, shapeOf } from "./reservation.ts";
import { PURGED, type Purged } from "./sequence.ts";
import { Slots } from "./slots.ts";
import { Writer } from "./writer.ts";

/** Makes the second hash of a key unlike the first. */
const SECOND_SEED = 0x5bd1_e995;

/** Uses of what has gone round a ring: its count was lowered for that. */
const USED_AGAIN = 2;

/** Who opens the block. */
export interface StoreUser {
  /** Column of this process; no other process may use it at the same time. */
  readonly worker: number;
  readonly pid: number;
  readonly isAlive: IsAlive;
}

/** What the store holds and did, over all workers. */
export interface StoreStats {
  readonly entries: number;
  /** Bytes of the objects that can be found. */
  readonly liveBytes: number;
  /** Bytes that objects can take. */
  readonly capacityBytes: number;
  readonly counters: Readonly<Record<Counter, number>>;
}

export class Store {
  readonly sizes: StoreSizes;
  readonly flights: Flights;
  readonly markers: Markers;
  readonly #block: Block;
  readonly #words: Int32Array;
  readonly #columns: Columns;
  readonly #slots: Slots;
  readonly #purges: Purges;
  readonly #reader: Reader;
  readonly #writer: Writer;

  /** Throws when `bytes` is not a block of this layout. */
  constructor(bytes: Uint8Array, { worker, pid, isAlive }: StoreUser) {
    const block = openBlock(bytes);
    this.sizes = block.layout.sizes;
    if (worker < 0 || worker >= this.sizes.workers) throw new RangeError(`edge store: no column ${worker}`);
    this.#block = block;
    this.#words = block.words;
    const columns = new Columns(block, worker, pid, isAlive);
    const slots = new Slots(block);
    const purges = new Purges(block, columns);
    this.#columns = columns;
    this.#slots = slots;
    this.#purges = purges;
    this.#reader = new Reader(block, slots, columns, purges);
    this.#writer = new Writer({ block, columns, slots, purges, ghosts: new Ghosts(block) });
    this.flights = new Flights(block, columns);
    this.markers = new Markers(block);
  }

  /** The two words that keys are found by: the high one. */
  hashHigh(key: Uint8Array, start: number, end: number): number {
    return murmur3(key, start, end, this.#words[HEADER.seed] ?? 0);
  }
  /** The low one. */
  hashLow(key: Uint8Array, start: number, end: number): number {
    return murmur3(key, start, end, (this.#words[HEADER.seed] ?? 0) ^ SECOND_SEED);
  }

  /** Grows when the store was emptied after the death of a worker. */
  get epoch(): number {
    return Atomics.load(this.#words, HEADER.epoch);
  }
  /** The number of the latest purge: read it before a request goes to the origin, and store the answer with it. */
  get purgeSequence(): number {
    return this.#purges.sequence;
  }

  /**
   * The first object stored for `key[start, end)`. It is pinned, and its bytes stay, until the next call of `find`,
   * `next`, `at`, `walk` or `release`; `pin` keeps it longer. Allocates nothing.
   */
  // oxlint-disable-next-line max-params -- an object for them would be allocated for each request
  find(hashHi: number, hashLo: number, key: Uint8Array, start: number, end: number): Entry | undefined {
    return this.#reader.find(hashHi, hashLo, key, start, end);
  }
  /** The next variant of the same key. */
  next(): Entry | undefined {
    return this.#reader.next();
  }
  /** Lets go of the object that was found. */
  release(): void {
    this.#reader.release();
  }

  /** Keeps the object that was found until `unpin`: the pin's number; -1 when none is left and bytes must be copied. */
  pin(): number {
    return this.#columns.pin(this.#reader.entry.unit);
  }
  unpin(pin: number): void {
    this.#columns.unpin(pin);
  }
  /** Shows a pinned object again. */
  at(pin: number): Entry {
    return this.#reader.show(this.#columns.pinned(pin));
  }

  /**
   * Shows each object that this worker puts out and that is still good, and how often it was asked for beside the first
   * time: 0 to 3, at least 2 when it has stayed for that. Under the store's lock: `take` may copy the bytes, nothing else.
   */
  onLeave(take: (entry: Entry, uses: number) => void): void {
    const entry = new Entry(this.#block);
    this.#writer.onLeave((unit) => {
      entry.unit = unit;
      take(entry, entry.wasUsedAgain ? Math.max(USED_AGAIN, entry.access) : entry.access);
    });
  }

  /** Makes room for an object, or says why not. "busy" and "pinned" may be tried again. */
  reserve(request: ReserveRequest): Reservation | Refusal {
    return this.#writer.reserve(request);
  }
  /** Whether an object of this shape is one that the store takes at all. */
  mayTake(request: ReserveRequest): boolean {
    return recordUnits(shapeOf(request)) <= this.sizes.objectUnitsMax;
  }
  /** Removes all variants of a key: how many there were; "busy" when it should be tried again. */
  // oxlint-disable-next-line max-params -- the same five as `find`
  remove(hashHi: number, hashLo: number, key: Uint8Array, start: number, end: number): number | "busy" {
    return this.#writer.remove(hashHi, hashLo, key, start, end);
  }

  /**
   * Purges: no worker shows what it concerns as fresh once this returned. O(1) for any number of objects. Its
   * sequence; "busy" when nothing was done and it should be tried again, which only purges of prefixes that are not
   * folders ask for, and one in a thousand million others.
   */
  purge(purge: Purge): number | "busy" {
    let sequence = this.#purges.needsList(purge) ? 0 : this.#purges.purge(purge, false);
    if (sequence !== 0) return this.#purged(purge, sequence);
    const isDone = this.#writer.locked((forget) => {
      sequence = this.#purges.purge(purge, false);
      if (sequence !== 0) return;
      forget();
      sequence = this.#purges.purge(purge, true);
    });
    return isDone ? this.#purged(purge, sequence) : "busy";
  }

  #purged({ kind }: Purge, sequence: number): number {
    this.#columns.count(`purged ${kind}`, 1);
    return sequence;
  }

  /** What the purges so far mean for a record that was read into other memory. Marks it as checked. */
  checkForeign(memory: RecordMemory, unit: number): Purged {
    return this.#purges.checkForeign(memory, unit);
  }

  /** What keys, URLs and tags are hashed with. */
  get hashSeed(): number {
    return this.#words[HEADER.seed] ?? 0;
  }

  /** Copies all that was purged into `mirror`; false when it should be tried again. O(rows of the tables). */
  mirrorPurges(mirror: PurgeMirror): boolean {
    return this.#writer.locked(() => this.#purges.copyTo(mirror));
  }

  /**
   * Goes on from the purges and with the hash seed of another store's mirror, its sequence raised to `sequence`. Only
   * while nobody else uses the store; what it holds is forgotten. False when it should be tried again.
   */
  adoptPurges(mirror: PurgeMirror, sequence: number): boolean {
    return this.#writer.locked((forget) => {
      forget();
      this.#words[HEADER.seed] = mirror.seed;
      this.#purges.adopt(mirror, sequence);
    });
  }

  /** How many objects a purge would concern. O(objects). */
  countConcerned(purge: Purge): number {
    let count = 0;
    this.walk((entry) => {
      if (this.#purges.check(entry.unit) !== PURGED.hard && this.#purges.concerns(purge, entry.unit)) count++;
    });
    return count;
  }

  /**
   * Shows every object, of the buckets `[from, to)` of `sizes.buckets` when given; also those that were purged and
   * not looked for since. Takes no lock.
   */
  walk(visit: (entry: Entry) => void, from = 0, to: number = this.sizes.buckets): void {
    for (let bucket = from; bucket < to; bucket++) {
      for (let slot = 0; slot < BUCKET_SLOTS; slot++) {
        if (!this.#reader.pinSlot(this.#slots.locationAt(bucket, slot))) continue;
        visit(this.#reader.entry);
      }
    }
    this.release();
  }

  /** Whether a purge took away the object that is shown, of which nobody has noticed yet. */
  get isForgotten(): boolean {
    return this.#purges.check(this.#reader.entry.unit) === PURGED.hard;
  }

  /** Adds to a counter of this worker. */
  count(counter: Counter, by = 1): void {
    this.#columns.count(counter, by);
  }
  /** Counts how a request was answered, and the bytes that its client got. */
  countAnswer({ cell, isFromStore }: CachedAs, bytes: number): void {
    this.#columns.add(cell, 1);
    this.#columns.add(COUNTER.answeredBytes, bytes);
    if (isFromStore) this.#columns.add(COUNTER.servedBytes, bytes);
  }

  /** Forgets what worker `worker`, which is gone, was reading and storing. */
  clearWorker(worker: number): void {
    this.#columns.clear(worker);
  }

  /** The same for every worker whose process is gone. Only while none is being started. */
  clearDeadWorkers(): void {
    this.#columns.clearDead();
  }

  stats(): StoreStats {
    const names = Object.keys(COUNTER) as Counter[];
    const counters = Object.fromEntries(names.map((name) => [name, this.#columns.sum(COUNTER[name])]));
    return {
      entries: this.#words[HEADER.entries] ?? 0,
      liveBytes: (this.#words[HEADER.liveUnits] ?? 0) * UNIT_BYTES,
      capacityBytes: (this.sizes.smallUnits + this.sizes.mainUnits) * UNIT_BYTES,
      // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- made from all names of the type
      counters: counters as Record<Counter, number>,
    };
  }
}
