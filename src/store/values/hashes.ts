/** Hashes: packed while they are small, a table of their own when they have grown. */

import type { Keyspace } from "../keyspace.ts";
import { Dict } from "../memory/dict.ts";
import { Packed } from "./packed.ts";

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

const packed = new Packed();

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
  ref = 0;
  /** The value that was found last. */
  bytes: Uint8Array = new Uint8Array(0);
  start = 0;
  end = 0;
  #space: Keyspace | undefined;
  #table: Dict | undefined;

  open(space: Keyspace, ref: number): this {
    this.#space = space;
    this.ref = ref;
    const structure = space.structureOf(ref);
    this.#table = structure instanceof Dict ? structure : undefined;
    return this;
  }

  #owner(): Keyspace {
    if (this.#space === undefined) throw new Error("hash: not opened");
    return this.#space;
  }

  get length(): number {
    return this.#table?.size ?? packed.open(this.#owner().dict, this.ref).count >> 1;
  }

  /** The table of a large hash. */
  get table(): Dict | undefined {
    return this.#table;
  }

  /** Finds the value of a field. */
  get(field: Uint8Array, start: number, end: number): boolean {
    const table = this.#table;
    if (table !== undefined) {
      if (table.find(field, start, end) === 0) return false;
      this.bytes = table.bytes;
      this.start = table.valueStart;
      this.end = table.valueEnd;
      return true;
    }
    if (!packed.open(this.#owner().dict, this.ref).find(field, start, end, 2)) return false;
    packed.next();
    this.bytes = packed.bytes;
    this.start = packed.start;
    this.end = packed.end;
    return true;
  }

  /** Sets a field; true when it is new. */
  set(field: Uint8Array, fs: number, fe: number, value: Uint8Array, vs: number, ve: number): boolean {
    if (this.#table === undefined && !this.#fits(fe - fs, ve - vs)) this.#grow();
    if (this.#table !== undefined) return setInTable(this.#table, field, fs, fe, value, vs, ve);
    const { dict } = this.#owner();
    packed.open(dict, this.ref);
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
    this.ref = packed.ref;
    return !isThere;
  }

  #fits(fieldLength: number, valueLength: number): boolean {
    return fieldLength <= PACKED_ELEMENT_BYTES_MAX && valueLength <= PACKED_ELEMENT_BYTES_MAX;
  }

  /** Takes a field out; false when there is none. */
  delete(field: Uint8Array, start: number, end: number): boolean {
    const table = this.#table;
    if (table !== undefined) {
      const ref = table.find(field, start, end);
      if (ref !== 0) table.remove(ref);
      return ref !== 0;
    }
    if (!packed.open(this.#owner().dict, this.ref).find(field, start, end, 2)) return false;
    const from = packed.at;
    packed.next();
    packed.remove(from, packed.after, 2);
    this.ref = packed.ref;
    return true;
  }

  /** Visits every field. Nothing may change meanwhile. */
  each(visit: PairVisitor): void {
    const table = this.#table;
    if (table !== undefined) {
      table.each((ref) => {
        table.open(ref);
        visit(table.bytes, table.keyStart, table.valueStart, table.valueStart, table.valueEnd);
      });
      return;
    }
    const walk = new Packed().open(this.#owner().dict, this.ref);
    while (walk.next()) {
      const { start, end } = walk;
      walk.next();
      visit(walk.bytes, start, end, walk.start, walk.end);
    }
  }

  #grow(): void {
    const space = this.#owner();
    const table = newTable(space);
    this.each((bytes, fs, fe, vs, ve) => setInTable(table, bytes, fs, fe, bytes, vs, ve));
    this.ref = space.setStructure(this.ref, table);
    this.#table = table;
  }
}

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
