/** Sets: packed while they are small, a table of their own when they have grown. */
import { parseInteger } from "../../resp/index.ts";
import type { Keyspace } from "../keyspace.ts";
import { Dict, FLAG } from "../memory/dict.ts";
import { newTable, PACKED_ELEMENT_BYTES_MAX, PACKED_PAIRS_MAX } from "./hashes.ts";
import { Packed } from "./packed.ts";

const packed = new Packed();

/** Gets a member. */
export type MemberVisitor = (bytes: Uint8Array, start: number, end: number) => void;

/** The set of one entry: `open`, then ask and change. The entry is not removed when it becomes empty: that is the caller's. */
export class Sets {
  ref = 0;
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
    if (this.#space === undefined) throw new Error("set: not opened");
    return this.#space;
  }

  get length(): number {
    return this.#table?.size ?? packed.open(this.#owner().dict, this.ref).count;
  }

  /** The table of a large set. */
  get table(): Dict | undefined {
    return this.#table;
  }

  has(bytes: Uint8Array, start: number, end: number): boolean {
    if (this.#table !== undefined) return this.#table.find(bytes, start, end) !== 0;
    return packed.open(this.#owner().dict, this.ref).find(bytes, start, end, 1);
  }

  /** Adds a member; false when it is there already. */
  add(bytes: Uint8Array, start: number, end: number): boolean {
    const isThere = this.has(bytes, start, end);
    if (isThere) return false;
    this.#noteText(bytes, start, end);
    const isLarge = end - start > PACKED_ELEMENT_BYTES_MAX || this.length >= PACKED_PAIRS_MAX;
    if (this.#table === undefined && isLarge) this.#grow();
    if (this.#table !== undefined) {
      this.#table.find(bytes, start, end);
      this.#table.insert(bytes, start, end, 0);
    } else {
      packed.open(this.#owner().dict, this.ref);
      packed.insert(packed.length, bytes, start, end);
      this.ref = packed.ref;
    }
    return true;
  }

  /** A set that ever held what is no integer is not called an intset any more. */
  #noteText(bytes: Uint8Array, start: number, end: number): void {
    const { dict } = this.#owner();
    if (dict.has(this.ref, FLAG.raw)) return;
    const isInteger = !Number.isNaN(parseInteger(bytes, start, end)) && isCanonical(bytes, start, end);
    if (!isInteger || this.length >= INTSET_MAX) dict.setFlag(this.ref, FLAG.raw, true);
  }

  remove(bytes: Uint8Array, start: number, end: number): boolean {
    const table = this.#table;
    if (table !== undefined) {
      const ref = table.find(bytes, start, end);
      if (ref !== 0) table.remove(ref);
      return ref !== 0;
    }
    if (!packed.open(this.#owner().dict, this.ref).find(bytes, start, end, 1)) return false;
    packed.remove(packed.at, packed.after, 1);
    this.ref = packed.ref;
    return true;
  }

  /** Visits every member. Nothing may change meanwhile. */
  each(visit: MemberVisitor): void {
    const table = this.#table;
    if (table !== undefined) {
      table.each((ref) => {
        table.open(ref);
        visit(table.bytes, table.keyStart, table.valueStart);
      });
      return;
    }
    const walk = new Packed().open(this.#owner().dict, this.ref);
    while (walk.next()) visit(walk.bytes, walk.start, walk.end);
  }

  /** A copy of a member by chance. */
  random(): Uint8Array {
    const space = this.#owner();
    const draw = space.ground.random();
    if (this.#table !== undefined) {
      this.#table.open(this.#table.random(draw));
      return this.#table.bytes.slice(this.#table.keyStart, this.#table.valueStart);
    }
    packed.open(space.dict, this.ref);
    packed.seek(Math.floor(draw * packed.count));
    packed.next();
    return packed.bytes.slice(packed.start, packed.end);
  }

  #grow(): void {
    const space = this.#owner();
    const table = newTable(space);
    this.each((bytes, start, end) => {
      table.find(bytes, start, end);
      table.insert(bytes, start, end, 0);
    });
    this.ref = space.setStructure(this.ref, table);
    this.#table = table;
  }
}

/** Members up to which a set of integers is an intset, in Redis. */
const INTSET_MAX = 512;

/** No leading zero, no "-0". */
function isCanonical(bytes: Uint8Array, start: number, end: number): boolean {
  const first = bytes[start] === 45 ? start + 1 : start;
  return bytes[first] !== 48 || (end - first === 1 && first === start);
}
