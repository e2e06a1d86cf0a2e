/**
 * Sorted sets: packed in order while they are small (member, score as a double of 8 bytes, …), a table and an order of their own
 * when they have grown.
 */

import type { Keyspace, Structure } from "../keyspace.ts";
import { Dict } from "../memory/dict.ts";
import { newTable, PACKED_ELEMENT_BYTES_MAX, PACKED_PAIRS_MAX } from "./hashes.ts";
import { Order } from "./order.ts";
import type { Packed } from "./packed.ts";
import { PackedOr } from "./packed-or.ts";

const SCORE_BYTES = 8;

const score8 = new Uint8Array(SCORE_BYTES);
const scoreView = new DataView(score8.buffer);

/** Gets a member and its score. */
export type ScoredVisitor = (bytes: Uint8Array, start: number, end: number, score: number) => void;

/** The structure of a large one: member -> score, and their order. */
class SortedTable implements Structure {
  readonly members: Dict;
  readonly order: Order;

  constructor(space: Keyspace) {
    this.members = newTable(space);
    this.order = new Order(space.ground.weight, (a, b) => compareKeys(this.members, a, b));
  }

  get heldBytes(): number {
    return this.members.heldBytes + this.order.heldBytes;
  }

  dispose(): void {
    this.members.dispose();
    this.order.dispose();
  }
}

/** The sorted set of one entry: `open`, then ask and change. Removing it when it becomes empty is the caller's. */
export class SortedSets {
  /** The score that was found last. */
  score = 0;
  readonly #at: PackedOr<SortedTable> = new PackedOr(SortedTable);

  open(space: Keyspace, ref: number): this {
    this.#at.open(space, ref);
    return this;
  }

  /** The entry; changes when the value grows. */
  get ref(): number {
    return this.#at.ref;
  }

  get length(): number {
    return this.#at.large?.order.length ?? this.#at.walk().count >> 1;
  }

  /** The table of a large one; values are scores. */
  get table(): Dict | undefined {
    return this.#at.large?.members;
  }

  /** Finds the score of a member. */
  get(bytes: Uint8Array, start: number, end: number): boolean {
    if (this.#at.large !== undefined) {
      const { members } = this.#at.large;
      if (members.find(bytes, start, end) === 0) return false;
      this.score = readScore(members.bytes, members.valueStart);
      return true;
    }
    const walk = this.#at.walk();
    if (!walk.find(bytes, start, end, 2)) return false;
    walk.next();
    this.score = readScore(walk.bytes, walk.start);
    return true;
  }

  /** Gives a member a score, whether or not it was there. */
  set(score: number, bytes: Uint8Array, start: number, end: number): void {
    const isThere = this.get(bytes, start, end);
    if (isThere && this.score === score) return;
    const isLarge = end - start > PACKED_ELEMENT_BYTES_MAX || (!isThere && this.length >= PACKED_PAIRS_MAX);
    if (this.#at.large === undefined && isLarge) this.#grow();
    if (this.#at.large !== undefined) {
      setInTable(this.#at.large, score, bytes, start, end);
      return;
    }
    if (isThere) this.delete(bytes, start, end);
    const walk = this.#at.walk();
    const at = this.#packedPlace(walk, score, bytes, start, end);
    walk.insert(at, bytes, start, end);
    // Minus zero becomes zero, as in Redis.
    scoreView.setFloat64(0, score + 0, true);
    walk.insert(walk.after, score8, 0, SCORE_BYTES);
    this.#at.ref = walk.ref;
  }

  /** Where a new member goes. */
  #packedPlace(walk: Packed, score: number, bytes: Uint8Array, start: number, end: number): number {
    while (walk.next()) {
      const { at, start: memberStart, end: memberEnd } = walk;
      walk.next();
      const other = readScore(walk.bytes, walk.start);
      if (other > score) return at;
      if (other === score && compareBytes(walk.bytes, memberStart, memberEnd, bytes, start, end) > 0)
        return at;
    }
    return walk.length;
  }

  /** Takes a member out; false when there is none. */
  delete(bytes: Uint8Array, start: number, end: number): boolean {
    const table = this.#at.large;
    if (table !== undefined) {
      const ref = table.members.find(bytes, start, end);
      if (ref === 0) return false;
      table.order.remove(readScore(table.members.bytes, table.members.valueStart), ref);
      table.members.remove(ref);
      return true;
    }
    const walk = this.#at.walk();
    if (!walk.find(bytes, start, end, 2)) return false;
    const from = walk.at;
    walk.next();
    walk.remove(from, walk.after, 2);
    this.#at.ref = walk.ref;
    return true;
  }

  /** How many stand before a member, -1 when it is none. */
  rank(bytes: Uint8Array, start: number, end: number): number {
    const table = this.#at.large;
    if (table !== undefined) {
      const ref = table.members.find(bytes, start, end);
      if (ref === 0) return -1;
      this.score = readScore(table.members.bytes, table.members.valueStart);
      return table.order.rank(this.score, ref);
    }
    const walk = this.#at.walk();
    for (let rank = 0; walk.next(); rank++) {
      const isIt = walk.is(bytes, start, end);
      walk.next();
      if (!isIt) continue;
      this.score = readScore(walk.bytes, walk.start);
      return rank;
    }
    return -1;
  }

  /** How many of the first ones `isBefore` holds for. */
  countWhile(isBefore: (score: number, bytes: Uint8Array, start: number, end: number) => boolean): number {
    const table = this.#at.large;
    if (table !== undefined) {
      const { members } = table;
      return table.order.countWhile((score, ref) => {
        members.open(ref);
        return isBefore(score, members.bytes, members.keyStart, members.valueStart);
      });
    }
    const walk = this.#at.walk();
    for (let count = 0; ; count++) {
      if (!walk.next()) return count;
      const { start, end } = walk;
      walk.next();
      if (!isBefore(readScore(walk.bytes, walk.start), walk.bytes, start, end)) return count;
    }
  }

  /** Visits `count` members from `rank` on, downwards when `reverse`. Nothing may change meanwhile. */
  each(rank: number, count: number, reverse: boolean, visit: ScoredVisitor): void {
    if (count <= 0) return;
    const table = this.#at.large;
    if (table !== undefined) {
      const { members } = table;
      table.order.each(rank, count, reverse, (ref, score) => {
        members.open(ref);
        visit(members.bytes, members.keyStart, members.valueStart, score);
      });
      return;
    }
    const places: [number, number, number][] = [];
    const walk = this.#at.ownWalk();
    while (walk.next()) {
      const { start, end } = walk;
      walk.next();
      places.push([start, end, readScore(walk.bytes, walk.start)]);
    }
    for (let i = 0; i < count; i++) {
      const place = places[reverse ? rank - i : rank + i];
      if (place !== undefined) visit(walk.bytes, ...place);
    }
  }

  #grow(): void {
    const table = new SortedTable(this.#at.space);
    this.each(0, this.length, false, (bytes, start, end, score) =>
      setInTable(table, score, bytes, start, end),
    );
    this.#at.grow(table);
  }
}

function setInTable(
  { members, order }: SortedTable,
  score: number,
  bytes: Uint8Array,
  start: number,
  end: number,
): void {
  let ref = members.find(bytes, start, end);
  if (ref === 0) ref = members.insert(bytes, start, end, SCORE_BYTES);
  else order.remove(readScore(members.bytes, members.valueStart), ref);
  members.open(ref);
  scoreView.setFloat64(0, score, true);
  members.bytes.set(score8, members.valueStart);
  order.add(score, ref);
}

/** A score of 8 bytes, wherever it lies. */
export function readScore(bytes: Uint8Array, at: number): number {
  for (let i = 0; i < SCORE_BYTES; i++) score8[i] = bytes[at + i] ?? 0;
  return scoreView.getFloat64(0, true);
}

function compareKeys(members: Dict, a: number, b: number): number {
  members.open(a);
  const { bytes, keyStart, valueStart } = members;
  members.open(b);
  return compareBytes(bytes, keyStart, valueStart, members.bytes, members.keyStart, members.valueStart);
}

/** Order of two byte strings, as memcmp and then the shorter first. */
// oxlint-disable-next-line max-params -- slices as bytes, start and end: an object for each would be garbage on the hot path (bench/store.ts)
export function compareBytes(
  a: Uint8Array,
  aStart: number,
  aEnd: number,
  b: Uint8Array,
  bStart: number,
  bEnd: number,
): number {
  const length = Math.min(aEnd - aStart, bEnd - bStart);
  for (let i = 0; i < length; i++) {
    const difference = (a[aStart + i] ?? 0) - (b[bStart + i] ?? 0);
    if (difference !== 0) return difference;
  }
  return aEnd - aStart - (bEnd - bStart);
}
