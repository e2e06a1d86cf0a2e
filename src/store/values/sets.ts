/** Sets: packed while they are small, a table of their own when they have grown. */
import { parseInteger } from "../../resp/index.ts";
import type { Keyspace } from "../keyspace.ts";
import { Dict, FLAG } from "../memory/dict.ts";
import { newTable, PACKED_ELEMENT_BYTES_MAX, PACKED_PAIRS_MAX } from "./hashes.ts";
import { PackedOr } from "./packed-or.ts";

/** Gets a member. */
export type MemberVisitor = (bytes: Uint8Array, start: number, end: number) => void;

/** The set of one entry: `open`, then ask and change. The entry is not removed when it becomes empty: that is the caller's. */
export class Sets {
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
    return this.#at.large?.size ?? this.#at.walk().count;
  }

  /** The table of a large set. */
  get table(): Dict | undefined {
    return this.#at.large;
  }

  has(bytes: Uint8Array, start: number, end: number): boolean {
    if (this.#at.large !== undefined) return this.#at.large.find(bytes, start, end) !== 0;
    return this.#at.walk().find(bytes, start, end, 1);
  }

  /** Adds a member; false when it is there already. */
  add(bytes: Uint8Array, start: number, end: number): boolean {
    const isThere = this.has(bytes, start, end);
    if (isThere) return false;
    this.#noteText(bytes, start, end);
    const isLarge = end - start > PACKED_ELEMENT_BYTES_MAX || this.length >= PACKED_PAIRS_MAX;
    if (this.#at.large === undefined && isLarge) this.#grow();
    if (this.#at.large !== undefined) {
      this.#at.large.find(bytes, start, end);
      this.#at.large.insert(bytes, start, end, 0);
    } else {
      const packed = this.#at.walk();
      packed.insert(packed.length, bytes, start, end);
      this.#at.ref = packed.ref;
    }
    return true;
  }

  /** A set that ever held what is no integer is not called an intset any more. */
  #noteText(bytes: Uint8Array, start: number, end: number): void {
    const { dict } = this.#at.space;
    if (dict.has(this.ref, FLAG.raw)) return;
    const isInteger = !Number.isNaN(parseInteger(bytes, start, end)) && isCanonical(bytes, start, end);
    if (!isInteger || this.length >= INTSET_MAX) dict.setFlag(this.ref, FLAG.raw, true);
  }

  remove(bytes: Uint8Array, start: number, end: number): boolean {
    const table = this.#at.large;
    if (table !== undefined) {
      const ref = table.find(bytes, start, end);
      if (ref !== 0) table.remove(ref);
      return ref !== 0;
    }
    const packed = this.#at.walk();
    if (!packed.find(bytes, start, end, 1)) return false;
    packed.remove(packed.at, packed.after, 1);
    this.#at.ref = packed.ref;
    return true;
  }

  /** Visits every member. Nothing may change meanwhile. */
  each(visit: MemberVisitor): void {
    const table = this.#at.large;
    if (table !== undefined) {
      table.each((ref) => {
        table.open(ref);
        visit(table.bytes, table.keyStart, table.valueStart);
      });
      return;
    }
    const walk = this.#at.ownWalk();
    while (walk.next()) visit(walk.bytes, walk.start, walk.end);
  }

  /** A copy of a member by chance. */
  random(): Uint8Array {
    const space = this.#at.space;
    const draw = space.ground.random();
    if (this.#at.large !== undefined) {
      this.#at.large.open(this.#at.large.random(draw));
      return this.#at.large.bytes.slice(this.#at.large.keyStart, this.#at.large.valueStart);
    }
    const packed = this.#at.walk();
    packed.seek(Math.floor(draw * packed.count));
    packed.next();
    return packed.bytes.slice(packed.start, packed.end);
  }

  #grow(): void {
    const table = newTable(this.#at.space);
    this.each((bytes, start, end) => {
      table.find(bytes, start, end);
      table.insert(bytes, start, end, 0);
    });
    this.#at.grow(table);
  }
}

/** Members up to which a set of integers is an intset, in Redis. */
const INTSET_MAX = 512;

/** No leading zero, no "-0". */
function isCanonical(bytes: Uint8Array, start: number, end: number): boolean {
  const first = bytes[start] === 45 ? start + 1 : start;
  return bytes[first] !== 48 || (end - first === 1 && first === start);
}
