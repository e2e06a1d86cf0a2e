/**
 * The interface of an eviction policy: who leaves when a cache is full.
 *
 * The cache owns a map from key to node; a policy owns the order of the nodes and nothing else.
 */
import type { Clock, Random } from "../../base/index.ts";

/** What a policy orders. In two objects, so that the one that each read touches fits a line of the processor's cache. */
export interface EvictionNode {
  /** How often it was used, in the policy's own measure. */
  uses: number;
  readonly seat: Seat;
}

/** The rest of a node, which reads do not need. All but `key` and `cost` belongs to the policy; `newSeat` starts it. */
export interface Seat {
  key: string;
  /** What it takes of the capacity: 1 where entries are counted, else bytes. */
  cost: number;
  /** The queue or slot where it is; `NOWHERE` outside. */
  place: number;
  /** Another number of the policy. */
  mark: number;
  /** Hash of the key, where the policy needs one. */
  hash: number;
  newer: EvictionNode | undefined;
  older: EvictionNode | undefined;
}

/** `place` of a node that no policy has. */
export const NOWHERE = -1;

/** The seat of a node that no policy has. */
export function newSeat(key: string): Seat {
  return { key, cost: 0, place: NOWHERE, mark: 0, hash: 0, newer: undefined, older: undefined };
}

/** Order of the nodes of one cache. Every call is O(1) amortised. */
export interface Eviction {
  /** A read found the node. */
  touch(node: EvictionNode): void;
  /** Takes in a new node at this cost. Evicts until there is room; with some policies the one to leave is the node itself. */
  admit(node: EvictionNode, cost: number): void;
  /** The value changed and with it the cost; counts as a use. Evicts others, or the node itself, when it is too much. */
  resize(node: EvictionNode, cost: number): void;
  /** Takes out a node that was deleted. `drop` is not called for it. */
  remove(node: EvictionNode): void;
  /** Cost of all nodes. */
  readonly usedCost: number;
}

/** What a policy is made of. */
export interface EvictionContext {
  /** Most that the costs of nodes may add up to, at least 1. */
  readonly capacity: number;
  readonly clock: Clock;
  readonly random: Random;
  /** Called for each node that leaves. */
  readonly drop: (node: EvictionNode) => void;
}
