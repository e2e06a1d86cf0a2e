/** Lists: packed while they are small, a deque of nodes when they have grown. */
import type { Keyspace } from "../keyspace.ts";
import { Deque, type ElementVisitor } from "./deque.ts";
import { Packed } from "./packed.ts";

/** A packed list is walked from its head, so it ends earlier than other packed values. */
const PACKED_ELEMENTS_MAX = 64;
const PACKED_BYTES_MAX = 1024;

const packed = new Packed();

/** The list of one entry: `open`, then ask and change. The entry is not removed when it becomes empty: that is the caller's. */
export class Lists {
  ref = 0;
  /** The element that was found last. */
  bytes: Uint8Array = new Uint8Array(0);
  start = 0;
  end = 0;
  #space: Keyspace | undefined;
  #deque: Deque | undefined;

  open(space: Keyspace, ref: number): this {
    this.#space = space;
    this.ref = ref;
    const structure = space.structureOf(ref);
    this.#deque = structure instanceof Deque ? structure : undefined;
    return this;
  }

  #owner(): Keyspace {
    if (this.#space === undefined) throw new Error("list: not opened");
    return this.#space;
  }

  #walk(): Packed {
    return packed.open(this.#owner().dict, this.ref);
  }

  get length(): number {
    return this.#deque?.length ?? this.#walk().count;
  }

  push(head: boolean, bytes: Uint8Array, start: number, end: number): void {
    if (this.#deque === undefined) {
      const walk = this.#walk();
      if (walk.count < PACKED_ELEMENTS_MAX && walk.length + end - start < PACKED_BYTES_MAX) {
        walk.insert(head ? walk.after : walk.length, bytes, start, end);
        this.ref = walk.ref;
        return;
      }
    }
    const deque = this.#deque ?? this.#grow();
    if (head) deque.pushHead(bytes, start, end);
    else deque.pushTail(bytes, start, end);
  }

  /** Takes an element from an end; it lies in `bytes` until the next change. False when there is none. */
  pop(head: boolean): boolean {
    const deque = this.#deque;
    if (deque !== undefined) {
      const popped = head ? deque.popHead() : deque.popTail();
      this.#took(deque);
      return popped;
    }
    const walk = this.#walk();
    if (walk.count === 0) return false;
    walk.seek(head ? 0 : walk.count - 1);
    walk.next();
    // The bytes are about to move.
    this.bytes = walk.bytes.slice(walk.start, walk.end);
    this.start = 0;
    this.end = this.bytes.length;
    walk.remove(walk.at, walk.after, 1);
    this.ref = walk.ref;
    return true;
  }

  /** Finds element `index`, from 0. */
  at(index: number): boolean {
    const deque = this.#deque;
    if (deque !== undefined) {
      const found = deque.at(index);
      this.#took(deque);
      return found;
    }
    const walk = this.#walk();
    if (index < 0 || index >= walk.count) return false;
    walk.seek(index);
    walk.next();
    this.#took(walk);
    return true;
  }

  #took({
    bytes,
    start,
    end,
  }: {
    readonly bytes: Uint8Array;
    readonly start: number;
    readonly end: number;
  }): void {
    this.bytes = bytes;
    this.start = start;
    this.end = end;
  }

  /** Visits up to `count` elements from `index` on. Nothing may change meanwhile. */
  each(index: number, count: number, visit: ElementVisitor): void {
    if (this.#deque !== undefined) {
      this.#deque.each(index, count, visit);
      return;
    }
    const walk = new Packed().open(this.#owner().dict, this.ref);
    walk.seek(index);
    for (let i = 0; i < count && walk.next(); i++)
      if (visit(walk.bytes, walk.start, walk.end) === false) return;
  }

  /** Visits all from the last to the first. */
  eachBackwards(visit: ElementVisitor): void {
    if (this.#deque !== undefined) {
      this.#deque.eachBackwards(visit);
      return;
    }
    const places: [number, number][] = [];
    const walk = new Packed().open(this.#owner().dict, this.ref);
    while (walk.next()) places.push([walk.start, walk.end]);
    for (const [start, end] of places.toReversed()) if (visit(walk.bytes, start, end) === false) return;
  }

  /** Puts other bytes in place of element `index`, which must exist. */
  set(index: number, bytes: Uint8Array, start: number, end: number): void {
    if (this.#deque !== undefined) return this.#deque.set(index, bytes, start, end);
    const walk = this.#walk();
    walk.seek(index);
    walk.next();
    walk.replace(bytes, start, end);
    this.ref = walk.ref;
  }

  /** Puts an element before `index`; at the end when `index` is the length. */
  insert(index: number, bytes: Uint8Array, start: number, end: number): void {
    if (index >= this.length) return this.push(false, bytes, start, end);
    if (this.#deque === undefined && this.#walk().length + end - start >= PACKED_BYTES_MAX) this.#grow();
    if (this.#deque !== undefined) return this.#deque.insertBefore(index, bytes, start, end);
    const walk = this.#walk();
    walk.seek(index);
    walk.insert(walk.after, bytes, start, end);
    this.ref = walk.ref;
  }

  /** Takes element `index` out, which must exist. */
  removeAt(index: number): void {
    if (this.#deque !== undefined) return this.#deque.removeAt(index);
    const walk = this.#walk();
    walk.seek(index);
    walk.next();
    walk.remove(walk.at, walk.after, 1);
    this.ref = walk.ref;
  }

  /** Keeps `[from, to)` alone. */
  trim(from: number, to: number): void {
    if (this.#deque !== undefined) return this.#deque.trim(from, to);
    const walk = this.#walk();
    const { count } = walk;
    if (to < count) {
      walk.seek(to);
      walk.remove(walk.after, walk.length, count - to);
    }
    if (from > 0) {
      walk.seek(from);
      const end = walk.after;
      walk.rewind();
      walk.remove(walk.after, end, Math.min(from, walk.count));
    }
    this.ref = walk.ref;
  }

  #grow(): Deque {
    const space = this.#owner();
    const deque = new Deque(space.ground.weight);
    this.each(0, this.length, (bytes, start, end) => {
      deque.pushTail(bytes, start, end);
      return true;
    });
    this.ref = space.setStructure(this.ref, deque);
    this.#deque = deque;
    return deque;
  }
}
