/** A doubly linked list through the nodes themselves: no allocation, every operation O(1). */
import { type EvictionNode, NOWHERE } from "./eviction.ts";

/** A queue of nodes from oldest to newest, with the sum of their costs. */
export class NodeList {
  /** What `place` of its nodes is set to. */
  readonly place: number;
  newest: EvictionNode | undefined;
  oldest: EvictionNode | undefined;
  cost = 0;
  size = 0;

  /** An empty list; `place` tells it from the policy's other lists. */
  constructor(place: number) {
    this.place = place;
  }

  /** Adds a node that is in no list. */
  push(node: EvictionNode): void {
    const { newest } = this;
    node.seat.place = this.place;
    node.seat.older = newest;
    node.seat.newer = undefined;
    if (newest === undefined) this.oldest = node;
    else newest.seat.newer = node;
    this.newest = node;
    this.cost += node.seat.cost;
    this.size++;
  }

  /** Takes out a node of this list. */
  remove(node: EvictionNode): void {
    const { newer, older } = node.seat;
    if (newer === undefined) this.newest = older;
    else newer.seat.older = older;
    if (older === undefined) this.oldest = newer;
    else older.seat.newer = newer;
    node.seat.newer = undefined;
    node.seat.older = undefined;
    node.seat.place = NOWHERE;
    this.cost -= node.seat.cost;
    this.size--;
  }

  /** Makes a node of this list the newest. */
  moveToNewest(node: EvictionNode): void {
    if (node === this.newest) return;
    this.remove(node);
    this.push(node);
  }

  /** Gives a node of this list another cost. */
  resize(node: EvictionNode, cost: number): void {
    this.cost += cost - node.seat.cost;
    node.seat.cost = cost;
  }
}
