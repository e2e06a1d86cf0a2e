/**
 * A large list: nodes of a few KiB, each a typed array with its elements one behind the other, linked by their order in an
 * array. Both ends are O(1) amortised; an index is found by stepping over whole nodes.
 *
 *   node: … free … | length (uint32) bytes length (uint32) | … | … free …
 *
 * The length stands before and behind an element, so that a node can be walked both ways.
 */
import { copyBytes, type Weight } from "../memory/dict.ts";
import { readUint32, writeUint32 } from "./packed.ts";

/** Bytes of a node: Redis' own list-max-listpack-size of -2 is 8 KiB. */
const NODE_BYTES = 8192;

/** Bytes around an element. */
const FRAME_BYTES = 8;

/** What a node weighs beside its bytes: two objects and a place in an array. */
const NODE_OVERHEAD_BYTES = 160;

interface Node {
  readonly bytes: Uint8Array;
  start: number;
  end: number;
  count: number;
}

/** Gets an element; false ends the walk. */
export type ElementVisitor = (bytes: Uint8Array, start: number, end: number) => boolean | undefined;

export class Deque {
  length = 0;
  /** Memory of the nodes. */
  heldBytes = 0;
  /** The element that was found last. */
  bytes: Uint8Array = new Uint8Array(0);
  start = 0;
  end = 0;
  #nodes: Node[] = [];
  /** Nodes before this are gone: taking the first one must not move all others. */
  #first = 0;
  readonly #weight: Weight;

  constructor(weight: Weight) {
    this.#weight = weight;
  }

  /** Gives its memory up. */
  dispose(): void {
    this.#weight.bytes -= this.heldBytes;
  }

  #weigh(bytes: number): void {
    this.heldBytes += bytes;
    this.#weight.bytes += bytes;
  }

  pushHead(bytes: Uint8Array, start: number, end: number): void {
    const needed = end - start + FRAME_BYTES;
    let node = this.#nodes[this.#first];
    if (node === undefined || node.start < needed) {
      node = this.#newNode(needed, true);
      if (this.#first > 0) this.#nodes[--this.#first] = node;
      else this.#unshift(node);
    }
    node.start -= needed;
    writeFrame(node.bytes, node.start, bytes, start, end);
    node.count++;
    this.length++;
  }

  pushTail(bytes: Uint8Array, start: number, end: number): void {
    const needed = end - start + FRAME_BYTES;
    let node = this.#nodes.at(-1);
    if (node === undefined || this.#first === this.#nodes.length || node.bytes.length - node.end < needed) {
      node = this.#newNode(needed, false);
      this.#nodes.push(node);
    }
    writeFrame(node.bytes, node.end, bytes, start, end);
    node.end += needed;
    node.count++;
    this.length++;
  }

  /** Takes the first element out; it lies in `bytes` until the next change. */
  popHead(): boolean {
    const node = this.#nodes[this.#first];
    if (node === undefined) return false;
    this.#stand(node, node.start);
    node.start = this.end + 4;
    this.length--;
    if (--node.count === 0) this.#drop(this.#first);
    return true;
  }

  /** Takes the last element out; it lies in `bytes` until the next change. */
  popTail(): boolean {
    const node = this.#first < this.#nodes.length ? this.#nodes.at(-1) : undefined;
    if (node === undefined) return false;
    this.#stand(node, this.#before(node, node.end));
    node.end = this.start - 4;
    this.length--;
    if (--node.count === 0) this.#drop(this.#nodes.length - 1);
    return true;
  }

  /** Finds element `index`, from 0; false when there is none. O(nodes). */
  at(index: number): boolean {
    return index >= 0 && index < this.length && this.#locate(index) !== undefined;
  }

  /** Visits `count` elements from `index` on, upwards. */
  each(index: number, count: number, visit: ElementVisitor): void {
    let left = Math.min(count, this.length - index);
    if (left <= 0) return;
    let number = this.#locate(index) ?? 0;
    let at = this.start - 4;
    for (; left > 0; number++) {
      const node = this.#nodes[number];
      if (node === undefined) return;
      for (at = at < 0 ? node.start : at; at < node.end && left > 0; at = this.end + 4, left--) {
        this.#stand(node, at);
        if (visit(node.bytes, this.start, this.end) === false) return;
      }
      at = -1;
    }
  }

  /** Visits all elements from the last to the first. */
  eachBackwards(visit: ElementVisitor): void {
    for (let number = this.#nodes.length - 1; number >= this.#first; number--) {
      const node = this.#nodes[number];
      if (node === undefined) return;
      for (let at = node.end; at > node.start; at = this.start - 4) {
        this.#stand(node, this.#before(node, at));
        if (visit(node.bytes, this.start, this.end) === false) return;
      }
    }
  }

  /** Puts other bytes in place of element `index`, which must exist. */
  set(index: number, bytes: Uint8Array, start: number, end: number): void {
    const number = this.#locate(index);
    const node = this.#nodes[number ?? -1];
    if (number === undefined || node === undefined) return;
    this.#replace(number, this.start - 4, this.end + 4, [bytes.slice(start, end)]);
  }

  /** Puts an element before `index`, which must exist. */
  insertBefore(index: number, bytes: Uint8Array, start: number, end: number): void {
    const number = this.#locate(index);
    if (number !== undefined)
      this.#replace(number, this.start - 4, this.start - 4, [bytes.slice(start, end)]);
  }

  /** Takes element `index` out, which must exist. */
  removeAt(index: number): void {
    const number = this.#locate(index);
    if (number !== undefined) this.#replace(number, this.start - 4, this.end + 4, []);
  }

  /** Keeps `[from, to)` alone. O(what is taken away). */
  trim(from: number, to: number): void {
    const behind = this.length - to;
    for (let i = 0; i < from; i++) this.popHead();
    for (let i = 0; i < behind; i++) this.popTail();
  }

  // --- nodes --------------------------------------------------------------------------------------------------

  #newNode(needed: number, fromEnd: boolean): Node {
    const bytes = new Uint8Array(Math.max(NODE_BYTES, needed));
    this.#weigh(bytes.length + NODE_OVERHEAD_BYTES);
    const start = fromEnd ? bytes.length : 0;
    return { bytes, start, end: start, count: 0 };
  }

  /** Room for as many nodes before the first as there are, so that pushing at the head stays cheap. */
  #unshift(node: Node): void {
    const room = Math.max(1, this.#nodes.length);
    const gap = Array.from<Node>({ length: room });
    this.#nodes = [...gap, ...this.#nodes];
    this.#first = room - 1;
    this.#nodes[this.#first] = node;
  }

  #drop(number: number): void {
    const [node] = number === this.#first ? [this.#nodes[number]] : this.#nodes.splice(number, 1);
    if (number === this.#first) {
      delete this.#nodes[number];
      this.#first++;
    }
    if (node !== undefined) this.#weigh(-node.bytes.length - NODE_OVERHEAD_BYTES);
    if (this.#first === this.#nodes.length) {
      this.#nodes = [];
      this.#first = 0;
    } else if (this.#first > 64 && this.#first * 2 > this.#nodes.length) {
      this.#nodes.splice(0, this.#first);
      this.#first = 0;
    }
  }

  /** The node of an element, which becomes the present one. */
  #locate(index: number): number | undefined {
    return index * 2 <= this.length ? this.#locateUp(index) : this.#locateDown(index);
  }

  #locateUp(index: number): number | undefined {
    let left = index;
    for (let number = this.#first; number < this.#nodes.length; number++) {
      const node = this.#nodes[number];
      if (node === undefined) return undefined;
      if (left < node.count) return this.#within(node, left, number);
      left -= node.count;
    }
    return undefined;
  }

  #locateDown(index: number): number | undefined {
    let left = this.length - index;
    for (let number = this.#nodes.length - 1; number >= this.#first; number--) {
      const node = this.#nodes[number];
      if (node === undefined) return undefined;
      if (left <= node.count) return this.#within(node, node.count - left, number);
      left -= node.count;
    }
    return undefined;
  }

  #within(node: Node, index: number, number: number): number {
    if (index * 2 <= node.count) {
      let at = node.start;
      for (let i = 0; i < index; i++) at += readUint32(node.bytes, at) + FRAME_BYTES;
      this.#stand(node, at);
    } else {
      let at = node.end;
      for (let i = node.count; i > index; i--) at = this.#before(node, at);
      this.#stand(node, at);
    }
    return number;
  }

  /** Where the element begins that ends at `at`. */
  #before(node: Node, at: number): number {
    return at - readUint32(node.bytes, at - 4) - FRAME_BYTES;
  }

  #stand(node: Node, at: number): void {
    this.bytes = node.bytes;
    this.start = at + 4;
    this.end = this.start + readUint32(node.bytes, at);
  }

  /** Puts elements in place of the bytes `[from, to)` of a node, which becomes one or two new ones. */
  #replace(number: number, from: number, to: number, elements: readonly Uint8Array[]): void {
    const node = this.#nodes[number];
    if (node === undefined) return;
    const pieces = [...split(node, node.start, from), ...elements, ...split(node, to, node.end)];
    this.length += pieces.length - node.count;
    this.#weigh(-node.bytes.length - NODE_OVERHEAD_BYTES);
    const nodes = this.#pack(pieces);
    this.#nodes.splice(number, 1, ...nodes);
    if (this.#first === this.#nodes.length) {
      this.#nodes = [];
      this.#first = 0;
    }
  }

  #pack(pieces: readonly Uint8Array[]): Node[] {
    const total = pieces.reduce((sum, piece) => sum + piece.length + FRAME_BYTES, 0);
    // Where all do not fit into one node, both halves get room to grow.
    const each = total <= NODE_BYTES ? NODE_BYTES : Math.max(NODE_BYTES / 2, Math.ceil(total / 2));
    const nodes: Node[] = [];
    let node: Node | undefined;
    for (const piece of pieces) {
      const needed = piece.length + FRAME_BYTES;
      if (node === undefined || node.end + needed > Math.min(each, node.bytes.length)) {
        node = this.#newNode(needed, false);
        nodes.push(node);
      }
      writeFrame(node.bytes, node.end, piece, 0, piece.length);
      node.end += needed;
      node.count++;
    }
    return nodes;
  }
}

function writeFrame(into: Uint8Array, at: number, bytes: Uint8Array, start: number, end: number): void {
  writeUint32(into, at, end - start);
  const behind = copyBytes(bytes, start, end, into, at + 4);
  writeUint32(into, behind, end - start);
}

function split(node: Node, from: number, to: number): Uint8Array[] {
  const pieces: Uint8Array[] = [];
  for (let at = from; at < to; ) {
    const length = readUint32(node.bytes, at);
    pieces.push(node.bytes.subarray(at + 4, at + 4 + length));
    at += length + FRAME_BYTES;
  }
  return pieces;
}
