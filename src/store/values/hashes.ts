/** Hashes: packed while they are small, a table of their own when they have grown. */

import type { Keyspace } from "../keyspace.ts";
import { Dict } from "../memory/dict.ts";
import { PackedOr } from "./packed-or.ts";

/** As Redis: more than 128 fields, or one longer than 64 bytes, is large. */
export const PACKED_PAIRS_MAX = 128;
/** Longest field or value of what is packed. */
export const PACKED_ELEMENT_BYTES_MAX = 64;

/** A large hash starts with this many shards, as a power of two. */
const SHARD_BITS = 3;

/** A table as the structure of a large hash or set. */
export function newTable(space: Keyspace): Dict {
  const { slab, secret, weight } = space.ground;
  return new Dict(slab, secret, SHARD_BITS, weight);
}

/** Gets a field and its value, all in `bytes`. */
export type PairVisitor = (
  bytes: Uint8Array,
  fieldStart: number,
  fieldEnd: number,
  valueStart: number,
  valueEnd: number,
) => void;

/** The hash of one entry: `open`, then ask and change. The entry is not removed when it becomes empty: that is the caller's. */
export class Hashes {
  /** The value that was found last. */
  bytes: Uint8Array = new Uint8Array(0);
  start = 0;
  end = 0;
  readonly #at: PackedOr<Dict> = new PackedOr(Dict);

  open(space: Keyspace, ref: number): this {
    this.#at.open(space, ref);
    return this;
  }

  /** The entry; changes when the value grows. */
  get ref(): number {
    return this.#at.ref;
  }

  get length(): number {
    return this.#at.large?.size ?? this.#at.walk().count >> 1;
  }

  /** The table of a large hash. */
  get table(): Dict | undefined {
    return this.#at.large;
  }

  /** Finds the value of a field. */
  get(field: Uint8Array, start: number, end: number): boolean {
    const table = this.#at.large;
    if (table !== undefined) {
      if (table.find(field, start, end) === 0) return false;
      this.bytes = table.bytes;
      this.start = table.valueStart;
      this.end = table.valueEnd;
      return true;
    }
    const packed = this.#at.walk();
    if (!packed.find(field, start, end, 2)) return false;
    packed.next();
    this.bytes = packed.bytes;
    this.start = packed.start;
    this.end = packed.end;
    return true;
  }

  /** Sets a field; true when it is new. */
  // oxlint-disable-next-line max-params -- slices as bytes, start and end: an object for each would be garbage on the hot path (bench/store.ts)
  set(field: Uint8Array, fs: number, fe: number, value: Uint8Array, vs: number, ve: number): boolean {
    if (this.#at.large === undefined && !this.#fits(fe - fs, ve - vs)) this.#grow();
    if (this.#at.large !== undefined) return setInTable(this.#at.large, field, fs, fe, value, vs, ve);
    const packed = this.#at.walk();
    const isThere = packed.find(field, fs, fe, 2);
    if (isThere) {
      packed.next();
      packed.replace(value, vs, ve);
    } else if (packed.count >= PACKED_PAIRS_MAX * 2) {
      this.#grow();
      return this.set(field, fs, fe, value, vs, ve);
    } else {
      packed.insert(packed.length, field, fs, fe);
      packed.insert(packed.length, value, vs, ve);
    }
    this.#at.ref = packed.ref;
    return !isThere;
  }

  #fits(fieldLength: number, valueLength: number): boolean {
    return fieldLength <= PACKED_ELEMENT_BYTES_MAX && valueLength <= PACKED_ELEMENT_BYTES_MAX;
  }

  /** Takes a field out; false when there is none. */
  delete(field: Uint8Array, start: number, end: number): boolean {
    const table = this.#at.large;
    if (table !== undefined) {
      const ref = table.find(field, start, end);
      if (ref !== 0) table.remove(ref);
      return ref !== 0;
    }
    const packed = this.#at.walk();
    if (!packed.find(field, start, end, 2)) return false;
    const from = packed.at;
    packed.next();
    packed.remove(from, packed.after, 2);
    this.#at.ref = packed.ref;
    return true;
  }

  /** Visits every field. Nothing may change meanwhile. */
  each(visit: PairVisitor): void {
    const table = this.#at.large;
    if (table !== undefined) {
      table.each((ref) => {
        table.open(ref);
        visit(table.bytes, table.keyStart, table.valueStart, table.valueStart, table.valueEnd);
      });
      return;
    }
    const walk = this.#at.ownWalk();
    while (walk.next()) {
      const { start, end } = walk;
      walk.next();
      visit(walk.bytes, start, end, walk.start, walk.end);
    }
  }

  #grow(): void {
    const table = newTable(this.#at.space);
    this.each((bytes, fs, fe, vs, ve) => setInTable(table, bytes, fs, fe, bytes, vs, ve));
    this.#at.grow(table);
  }
}

// oxlint-disable-next-line max-params -- slices as bytes, start and end: an object for each would be garbage on the hot path (bench/store.ts)
function setInTable(
  table: Dict,
  field: Uint8Array,
  fs: number,
  fe: number,
  value: Uint8Array,
  vs: number,
  ve: number,
): boolean {
  const found = table.find(field, fs, fe);
  if (found === 0) table.insert(field, fs, fe, ve - vs);
  else table.resize(found, ve - vs);
  for (let i = vs; i < ve; i++) table.bytes[table.valueStart + i - vs] = value[i] ?? 0;
  return found === 0;
}
