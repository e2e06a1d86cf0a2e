/**
 * One database: keys of any type over one table, with expiry.
 *
 * A value is bytes in its key's entry: a string, or a small list, set, hash or sorted set, packed. One that grew is a
 * structure of its own, and the entry holds its number. Whoever changes an entry says so first (`beforeWrite`), so that a
 * snapshot can write down what was there when it began.
 */
import type { Random } from "../base/index.ts";
import { copyBytes, Dict, FLAG, type Weight } from "./memory/dict.ts";
import type { HashSecret } from "./memory/siphash.ts";
import type { Slab } from "./memory/slab.ts";
import { PACKED_EMPTY_BYTES, readUint32, writeUint32 } from "./values/packed.ts";

/** Types of values. 0 is no value. */
export const TYPE = { string: 1, list: 2, set: 3, zset: 4, hash: 5 } as const;

/** What TYPE replies. */
export const TYPE_NAMES: readonly string[] = ["none", "string", "list", "set", "zset", "hash"];

/** Added to a type whose value is a structure. */
const STRUCTURED = 16;

/** Shards of a database: growing one of 256 is short even at a hundred million keys. */
const SHARD_BITS = 8;

/** A value that is too large to be packed. */
export interface Structure {
  /** Bytes that it takes, as far as it knows. */
  readonly heldBytes: number;
  /** Gives its memory back. */
  dispose(): void;
}

/** A place in the index, at its usual load. */
const SLOT_BYTES = 14;

/** What all databases of a store share. */
export interface Ground {
  readonly slab: Slab;
  readonly secret: HashSecret;
  readonly random: Random;
  /** Memory beside the slab. */
  readonly weight: Weight;
  /** Milliseconds since the Unix epoch; does not jump while the store runs. */
  nowMs: number;
  /** Told before an entry that no snapshot has seen yet changes. */
  dump: ((space: Keyspace, ref: number) => void) | undefined;
  /** Whether entries carry the mark of a snapshot that is under way when it is set (or when it is not). */
  dumpedWhen: boolean;
  /** Told after a key has gone because its time was over. */
  expired: (space: Keyspace, key: Uint8Array) => void;
  /** What the word about the use of an entry becomes when it is used, and when it is new. */
  touched: (used: number) => number;
  fresh: () => number;
  /** Told of a new key. */
  added: ((space: Keyspace, ref: number) => void) | undefined;
  /** While a log is read again nothing expires by itself: the log says what did. */
  expiryPaused: boolean;
}

export class Keyspace {
  readonly index: number;
  readonly dict: Dict;
  readonly ground: Ground;
  readonly #structures: (Structure | undefined)[] = [];
  readonly #freeStructures: number[] = [];

  constructor(index: number, ground: Ground) {
    this.index = index;
    this.ground = ground;
    this.dict = new Dict(ground.slab, ground.secret, SHARD_BITS, ground.weight);
  }

  get size(): number {
    return this.dict.size;
  }

  // --- finding ------------------------------------------------------------------------------------------------

  /** The entry of a key that has not expired, opened, or 0. Counts as a use. */
  find(bytes: Uint8Array, start: number, end: number): number {
    const ref = this.peek(bytes, start, end);
    if (ref !== 0) this.dict.setUsed(ref, this.ground.touched(this.dict.used(ref)));
    return ref;
  }

  /** As `find`, without counting as a use. */
  peek(bytes: Uint8Array, start: number, end: number): number {
    const ref = this.dict.find(bytes, start, end);
    if (ref === 0 || !this.dict.has(ref, FLAG.expires)) return ref;
    return this.expireIfDue(ref) ? 0 : ref;
  }

  /** Takes an entry out when its time is over. */
  expireIfDue(ref: number): boolean {
    const { dict, ground } = this;
    const atMs = dict.expiry(ref);
    if (atMs === 0 || atMs > ground.nowMs || ground.expiryPaused) return false;
    dict.open(ref);
    const key = dict.bytes.slice(dict.keyStart, dict.valueStart);
    const { hash } = dict;
    this.remove(ref);
    dict.hash = hash; // a new entry for the same key may follow
    ground.expired(this, key);
    return true;
  }

  /** One of `TYPE`. */
  typeOf(ref: number): number {
    return this.dict.kind(ref) & (STRUCTURED - 1);
  }

  isStructured(ref: number): boolean {
    return this.dict.kind(ref) >= STRUCTURED;
  }

  /** The structure of an entry; undefined when it is packed. */
  structureOf(ref: number): Structure | undefined {
    if (!this.isStructured(ref)) return undefined;
    this.dict.open(ref);
    return this.#structures[readUint32(this.dict.bytes, this.dict.valueStart)];
  }

  /** Bytes that a key and its value take, roughly for what is a structure. */
  bytesOf(ref: number): number {
    const structure = this.structureOf(ref);
    const own = this.dict.slab.capacity(ref) + SLOT_BYTES;
    return own + (structure?.heldBytes ?? 0);
  }

  /** A copy of a key. */
  keyOf(ref: number): Uint8Array {
    this.dict.open(ref);
    return this.dict.bytes.slice(this.dict.keyStart, this.dict.valueStart);
  }

  // --- changing -----------------------------------------------------------------------------------------------

  /** To be called before an entry or its structure is changed or removed. */
  beforeWrite(ref: number): void {
    const { ground } = this;
    if (ground.dump === undefined || this.isDumped(ref)) return;
    this.markDumped(ref);
    ground.dump(this, ref);
  }

  /** Whether the snapshot that is under way has this entry, or must not have it. */
  isDumped(ref: number): boolean {
    return this.dict.has(ref, FLAG.dumped) === this.ground.dumpedWhen;
  }

  markDumped(ref: number): void {
    this.dict.setFlag(ref, FLAG.dumped, this.ground.dumpedWhen);
  }

  /** A new entry for the key that was looked for last and not found; its value has room and is not set. Opened. */
  add(type: number, bytes: Uint8Array, start: number, end: number, valueLength: number): number {
    const ref = this.dict.insert(bytes, start, end, valueLength);
    this.dict.setKind(ref, type);
    this.dict.setUsed(ref, this.ground.fresh());
    this.markDumped(ref);
    this.ground.added?.(this, ref);
    return ref;
  }

  /** A new entry with an empty packed value. */
  addPacked(type: number, bytes: Uint8Array, start: number, end: number): number {
    const ref = this.add(type, bytes, start, end, PACKED_EMPTY_BYTES);
    this.dict.bytes.fill(0, this.dict.valueStart, this.dict.valueEnd);
    return ref;
  }

  /** Makes the key hold a string. Its expiry goes, unless it is kept. Returns the entry, opened. */
  setString(
    key: Uint8Array,
    [keyStart, keyEnd]: readonly [number, number],
    value: Uint8Array,
    [start, end]: readonly [number, number],
    keepExpiry: boolean,
  ): number {
    const ref = this.find(key, keyStart, keyEnd);
    return this.putString(ref, key, keyStart, keyEnd, value, start, end, keepExpiry);
  }

  /** As `setString`, for an entry that was just looked for: `ref` or 0. Eight arguments, for no object may be made here. */
  putString(
    found: number,
    key: Uint8Array,
    keyStart: number,
    keyEnd: number,
    value: Uint8Array,
    start: number,
    end: number,
    keepExpiry: boolean,
  ): number {
    const { dict } = this;
    let ref = found;
    if (ref === 0) {
      ref = this.add(TYPE.string, key, keyStart, keyEnd, end - start);
    } else {
      this.beforeWrite(ref);
      if (dict.kind(ref) !== TYPE.string) this.#becomeString(ref);
      if (!keepExpiry && dict.has(ref, FLAG.expires)) ref = dict.setExpiry(ref, 0);
      ref = dict.resize(ref, end - start);
      dict.setFlag(ref, FLAG.raw | FLAG.text, false);
    }
    copyBytes(value, start, end, dict.bytes, dict.valueStart);
    return ref;
  }

  #becomeString(ref: number): void {
    this.#disposeStructure(ref);
    this.dict.setKind(ref, TYPE.string);
  }

  /** Replaces a packed value by a structure. Returns the entry, which may have moved. */
  setStructure(ref: number, structure: Structure): number {
    const number = this.#freeStructures.pop() ?? this.#structures.length;
    this.#structures[number] = structure;
    const moved = this.dict.resize(ref, 4);
    writeUint32(this.dict.bytes, this.dict.valueStart, number);
    this.dict.setKind(moved, this.typeOf(moved) + STRUCTURED);
    return moved;
  }

  #disposeStructure(ref: number): void {
    const structure = this.structureOf(ref);
    if (structure === undefined) return;
    const number = readUint32(this.dict.bytes, this.dict.valueStart);
    structure.dispose();
    this.#structures[number] = undefined;
    this.#freeStructures.push(number);
  }

  /** Takes an entry out, its value with it. */
  remove(ref: number): void {
    this.beforeWrite(ref);
    if (this.isStructured(ref)) this.#disposeStructure(ref);
    this.dict.remove(ref);
  }

  /** Gives another key the value of an entry, which goes. The key must not exist, and have been looked for last. */
  rename(ref: number, key: Uint8Array): number {
    this.beforeWrite(ref);
    const { dict } = this;
    dict.open(ref);
    const value = dict.bytes.slice(dict.valueStart, dict.valueEnd);
    const [kind, expiry, marks] = [dict.kind(ref), dict.expiry(ref), dict.marks(ref)];
    dict.remove(ref);
    dict.find(key, 0, key.length);
    const made = this.add(kind, key, 0, key.length, value.length);
    dict.bytes.set(value, dict.valueStart);
    dict.setFlag(made, marks, true);
    return expiry === 0 ? made : dict.setExpiry(made, expiry);
  }

  /** Changes when an entry expires, 0 for never. Returns the entry, which may have moved. */
  setExpiry(ref: number, atMs: number): number {
    this.beforeWrite(ref);
    return this.dict.setExpiry(ref, atMs);
  }

  /** Takes everything out. */
  clear(): void {
    if (this.ground.dump !== undefined) this.dict.each((ref) => this.beforeWrite(ref));
    for (const structure of this.#structures) structure?.dispose();
    this.#structures.length = 0;
    this.#freeStructures.length = 0;
    this.dict.clear();
  }

  /** An entry by chance, 0 when there is none. */
  random(): number {
    return this.dict.random(this.ground.random());
  }
}
