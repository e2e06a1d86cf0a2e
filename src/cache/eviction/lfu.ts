/**
 * LFU with decay, as Redis has it (evict.c, "LFU implementation"): a logarithmic counter of uses in 0..255 that loses
 * one for every minute without a use.
 *
 * A use raises counter c with a chance of 1 / ((c - 5) x 10 + 1): about a million uses fill it. A new node starts at 5,
 * so that it is not the next to go. Who leaves is the lowest of 10 nodes picked at random. Without the decay LFU is often the
 * worst policy of all, since what was popular once never leaves.
 */
import { type Eviction, type EvictionContext, type EvictionNode, NOWHERE } from "./eviction.ts";

/** Redis' lfu-log-factor: how slowly the counter rises. */
const LOG_FACTOR = 10;
/** Redis' LFU_INIT_VAL. */
const FIRST = 5;
const COUNTER_MAX = 255;
/** Redis' lfu-decay-time of 1 minute. */
const DECAY_MS = 60_000;
/** Nodes looked at per eviction; Redis' manual: 10 approximates the true order very closely. */
const SAMPLES = 10;

/** Least frequently used, of late. */
export function createLfu(context: EvictionContext): Eviction {
  return new Lfu(context);
}

class Lfu implements Eviction {
  readonly #context: EvictionContext;
  /** In no order; `place` is a node's index, `mark` the minute of its last use. */
  readonly #nodes: EvictionNode[] = [];
  #used = 0;

  constructor(context: EvictionContext) {
    this.#context = context;
  }

  get usedCost(): number {
    return this.#used;
  }

  touch(node: EvictionNode): void {
    const minute = this.#minute();
    const uses = decayed(node, minute);
    const above = Math.max(0, uses - FIRST);
    const rises = uses < COUNTER_MAX && this.#context.random() * (above * LOG_FACTOR + 1) < 1;
    node.uses = rises ? uses + 1 : uses;
    node.seat.mark = minute;
  }

  admit(node: EvictionNode, cost: number): void {
    this.#evictTo(this.#context.capacity - cost);
    node.seat.cost = cost;
    node.uses = FIRST;
    node.seat.mark = this.#minute();
    node.seat.place = this.#nodes.length;
    this.#nodes.push(node);
    this.#used += node.seat.cost;
  }

  resize(node: EvictionNode, cost: number): void {
    this.touch(node);
    this.#used += cost - node.seat.cost;
    node.seat.cost = cost;
    this.#evictTo(this.#context.capacity);
  }

  remove(node: EvictionNode): void {
    const last = this.#nodes.pop();
    if (last !== undefined && last !== node) {
      this.#nodes[node.seat.place] = last;
      last.seat.place = node.seat.place;
    }
    node.seat.place = NOWHERE;
    this.#used -= node.seat.cost;
  }

  #evictTo(max: number): void {
    while (this.#used > max && this.#nodes.length > 0) {
      const out = this.#lowestOfSome();
      if (out === undefined) return;
      this.remove(out);
      this.#context.drop(out);
    }
  }

  #lowestOfSome(): EvictionNode | undefined {
    const nodes = this.#nodes;
    const minute = this.#minute();
    let lowest: EvictionNode | undefined;
    let least = Number.POSITIVE_INFINITY;
    for (let sample = 0; sample < SAMPLES; sample++) {
      const node = nodes[Math.floor(this.#context.random() * nodes.length)];
      const uses = node === undefined ? least : decayed(node, minute);
      if (uses < least) {
        least = uses;
        lowest = node;
      }
    }
    return lowest;
  }

  #minute(): number {
    return Math.floor(this.#context.clock.nowMs() / DECAY_MS);
  }
}

/** The counter less one per minute since the last use. */
function decayed(node: EvictionNode, minute: number): number {
  return Math.max(0, node.uses - (minute - node.seat.mark));
}
