/**
 * S3-FIFO (Yang et al., "FIFO queues are all you need for cache eviction", SOSP 2023): three queues, and no moves on a
 * hit.
 *
 * New nodes enter a small queue, a tenth of the room. What was used by the time it reaches the end moves to the main
 * queue; the rest becomes a ghost. A ghost that comes back enters the main queue at once. At the end of the main queue what was
 * used since goes round again with one use less. So things asked for once, which are most, pass through quickly.
 *
 * Differences from the paper (bench/cache-hit-ratio.ts has what they bring):
 * - One use instead of two is enough to move to the main queue.
 * - While the main queue has much room, the small queue's end moves there whatever its uses: of a loop longer than the
 *   cache a part stays, where the paper's policy keeps nothing.
 * - A round in the main queue that brings no use is wasted. Where most are, what is popular is what is new: the small
 *   queue grows, and a node goes round once for all its uses. That turns back as soon as old uses foretell new ones.
 */
import { murmur3String } from "../../base/index.ts";
import type { Eviction, EvictionContext, EvictionNode } from "./eviction.ts";
import { Ghosts } from "./ghosts.ts";
import { NodeList } from "./node-list.ts";

const SMALL_SHARE = 0.1;
/** Ghosts, of the capacity. */
const GHOST_SHARE = 0.9;
/** Two bits per counter. */
const USES_MAX = 3;
/** Uses that a node needs to move from the small queue to the main one. */
const USES_TO_MOVE = 1;
/** The main queue has much room while less than this share of it is taken; evicting for one node never gives so much. */
const FULL_SHARE = 15 / 16;

/** Where rounds are wasted the small queue grows to this, by a step per so many rounds. */
const SMALL_SHARE_MAX = 0.5;
const STEP_SHARE = 0.02;
const ROUNDS_SHARE = 1 / 8;
const ROUNDS_MIN = 32;
const WASTED_SHARE = 0.48;

const SMALL = 0;
const MAIN = 1;
const HASH_SEED = 0x6768_6f73;

/** The default policy: few moves, and near the best on most traffic. */
export function createS3Fifo(context: EvictionContext): Eviction {
  return new S3Fifo(context);
}

class S3Fifo implements Eviction {
  readonly #context: EvictionContext;
  readonly #small: NodeList = new NodeList(SMALL);
  readonly #main: NodeList = new NodeList(MAIN);
  readonly #ghosts: Ghosts;
  readonly #smallMin: number;
  #smallMax: number;
  #mainFull = 0;
  #rounds = 0;
  #wasted = 0;

  constructor(context: EvictionContext) {
    this.#context = context;
    this.#smallMin = Math.max(1, context.capacity * SMALL_SHARE);
    this.#smallMax = this.#smallMin;
    this.#ghosts = new Ghosts(context.capacity * GHOST_SHARE);
    this.#setSmallMax(this.#smallMin);
  }

  get usedCost(): number {
    return this.#small.cost + this.#main.cost;
  }

  touch(node: EvictionNode): void {
    if (node.uses < USES_MAX) node.uses++;
  }

  admit(node: EvictionNode, cost: number): void {
    node.seat.hash = murmur3String(node.seat.key, HASH_SEED);
    node.seat.cost = cost;
    this.#evictTo(this.#context.capacity - cost);
    enter(this.#ghosts.take(node.seat.hash) ? this.#main : this.#small, node);
    this.#ghosts.ensure(this.#small.size + this.#main.size);
  }

  resize(node: EvictionNode, cost: number): void {
    this.touch(node);
    this.#listOf(node).resize(node, cost);
    this.#evictTo(this.#context.capacity);
  }

  remove(node: EvictionNode): void {
    this.#listOf(node).remove(node);
  }

  #listOf(node: EvictionNode): NodeList {
    return node.seat.place === SMALL ? this.#small : this.#main;
  }

  #evictTo(max: number): void {
    const small = this.#small;
    const main = this.#main;
    while (small.cost + main.cost > max && small.size + main.size > 0) {
      if (small.size > 0 && (small.cost > this.#smallMax || main.size === 0)) this.#leaveSmall();
      else this.#leaveMain();
    }
  }

  #leaveSmall(): void {
    const node = this.#small.oldest;
    if (node === undefined) return;
    this.#small.remove(node);
    if (node.uses >= USES_TO_MOVE || this.#main.cost < this.#mainFull) {
      enter(this.#main, node);
      return;
    }
    this.#ghosts.add(node.seat.hash, node.seat.cost);
    this.#context.drop(node);
  }

  #leaveMain(): void {
    const node = this.#main.oldest;
    if (node === undefined) return;
    this.#main.remove(node);
    if (node.seat.mark > 0) this.#judge(node.uses < node.seat.mark);
    if (node.uses > 0) {
      node.uses = this.#smallMax > this.#smallMin ? 0 : node.uses - 1;
      node.seat.mark = node.uses + 1;
      this.#main.push(node);
    } else {
      this.#context.drop(node);
    }
  }

  /** Counts a round in the main queue, and moves the border after some. */
  #judge(wasWasted: boolean): void {
    const { capacity } = this.#context;
    this.#rounds++;
    if (wasWasted) this.#wasted++;
    if (this.#rounds < Math.max(ROUNDS_MIN, capacity * ROUNDS_SHARE)) return;
    const grows = this.#wasted > this.#rounds * WASTED_SHARE;
    this.#rounds = 0;
    this.#wasted = 0;
    const wanted = this.#smallMax + capacity * (grows ? STEP_SHARE : -STEP_SHARE);
    this.#setSmallMax(Math.max(this.#smallMin, Math.min(capacity * SMALL_SHARE_MAX, wanted)));
  }

  #setSmallMax(max: number): void {
    this.#smallMax = max;
    this.#mainFull = (this.#context.capacity - max) * FULL_SHARE;
  }
}

/** `mark` is the uses that a node must have at the queue's end for its last round not to be wasted; 0 in the first. */
function enter(queue: NodeList, node: EvictionNode): void {
  node.uses = 0;
  node.seat.mark = 0;
  queue.push(node);
}
