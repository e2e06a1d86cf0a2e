/**
 * W-TinyLFU (Einziger, Friedman & Manes, "TinyLFU", 2017) with an adaptive window (Einziger et al., "Adaptive software cache
 * management", 2018), as in Caffeine.
 *
 * New nodes enter a window that is LRU. What falls out of it must have been used more often than what would leave the
 * main part for it; a sketch knows how often. The main part is LRU in two steps: probation, and protected for what was used there. A hill
 * climber moves the border: it goes on as long as the hit ratio rises, and turns round when it falls.
 *
 * A fixed window of 1 % is fragile (of traffic where only what is new is asked for it keeps nothing), so there is
 * none here.
 */
import { murmur3String } from "../../base/index.ts";
import type { Eviction, EvictionContext, EvictionNode } from "./eviction.ts";
import { NodeList } from "./node-list.ts";
import { Sketch } from "./sketch.ts";

const WINDOW_SHARE = 0.01;
const WINDOW_SHARE_MAX = 0.8;
const PROTECTED_SHARE = 0.8;
/** First step of the climber, of the capacity, and what is left of it after each step. */
const STEP_SHARE = 0.0625;
const STEP_DECAY = 0.98;
/** A hit ratio that changes by so much means other traffic: the climber starts anew. */
const RESTART_CHANGE = 0.05;
/** Requests per entry between two steps. Caffeine has 10; fewer follow changing traffic sooner. */
const REQUESTS_PER_ENTRY = 2;
const REQUESTS_MIN = 128;
/** A rejected candidate that was used so often is taken at random now and then, so that nobody can fill the sketch. */
const WARM = 6;
const WARM_CHANCE = 1 / 128;

const WINDOW = 0;
const PROBATION = 1;
const PROTECTED = 2;
const HASH_SEED = 0x7469_6e79;

/** Window, probation and protected, with the border where it serves best. */
export function createWTinyLfu(context: EvictionContext): Eviction {
  return new WTinyLfu(context);
}

class WTinyLfu implements Eviction {
  readonly #context: EvictionContext;
  readonly #sketch: Sketch = new Sketch();
  readonly #window: NodeList = new NodeList(WINDOW);
  readonly #probation: NodeList = new NodeList(PROBATION);
  readonly #protected: NodeList = new NodeList(PROTECTED);
  #windowMax: number;
  #step: number;
  #hits = 0;
  #requests = 0;
  #lastRatio = 0;

  constructor(context: EvictionContext) {
    this.#context = context;
    this.#windowMax = Math.max(1, context.capacity * WINDOW_SHARE);
    this.#step = context.capacity * STEP_SHARE;
    this.#sketch.ensure(1);
  }

  get usedCost(): number {
    return this.#window.cost + this.#probation.cost + this.#protected.cost;
  }

  touch(node: EvictionNode): void {
    this.#sketch.add(node.seat.hash);
    this.#hits++;
    if (node.seat.place === WINDOW) {
      this.#window.moveToNewest(node);
    } else if (node.seat.place === PROTECTED) {
      this.#protected.moveToNewest(node);
    } else {
      this.#probation.remove(node);
      this.#protected.push(node);
      this.#demote();
    }
    this.#climb();
  }

  admit(node: EvictionNode, cost: number): void {
    node.seat.cost = cost;
    node.seat.hash = murmur3String(node.seat.key, HASH_SEED);
    this.#sketch.ensure(this.#size + 1);
    this.#sketch.add(node.seat.hash);
    this.#window.push(node);
    this.#shrinkWindow();
    this.#climb();
  }

  resize(node: EvictionNode, cost: number): void {
    this.#listOf(node).resize(node, cost);
    this.touch(node);
    this.#demote();
    this.#shrinkWindow();
    this.#evictMain(this.#mainMax);
  }

  remove(node: EvictionNode): void {
    this.#listOf(node).remove(node);
  }

  get #size(): number {
    return this.#window.size + this.#probation.size + this.#protected.size;
  }

  get #mainMax(): number {
    return this.#context.capacity - this.#windowMax;
  }

  #listOf(node: EvictionNode): NodeList {
    if (node.seat.place === WINDOW) return this.#window;
    return node.seat.place === PROBATION ? this.#probation : this.#protected;
  }

  /** What is too much in the protected part goes back to probation. */
  #demote(): void {
    const list = this.#protected;
    const max = this.#mainMax * PROTECTED_SHARE;
    for (let node = list.oldest; node !== undefined && list.cost > max; node = list.oldest) {
      list.remove(node);
      this.#probation.push(node);
    }
  }

  /** What is too much in the window becomes a candidate for the main part. */
  #shrinkWindow(): void {
    const list = this.#window;
    for (let node = list.oldest; node !== undefined && list.cost > this.#windowMax; node = list.oldest) {
      list.remove(node);
      this.#contest(node);
    }
  }

  /** The candidate takes the place of what was used less often, or leaves. */
  #contest(candidate: EvictionNode): void {
    const room = this.#mainMax - candidate.seat.cost;
    for (
      let victim = this.#victim();
      victim !== undefined && this.#mainCost > room;
      victim = this.#victim()
    ) {
      if (!this.#wins(candidate, victim)) return this.#context.drop(candidate);
      this.#listOf(victim).remove(victim);
      this.#context.drop(victim);
    }
    if (room < 0) this.#context.drop(candidate);
    else this.#probation.push(candidate);
  }

  #victim(): EvictionNode | undefined {
    return this.#probation.oldest ?? this.#protected.oldest;
  }

  get #mainCost(): number {
    return this.#probation.cost + this.#protected.cost;
  }

  #wins(candidate: EvictionNode, victim: EvictionNode): boolean {
    const uses = this.#sketch.count(candidate.seat.hash);
    if (uses > this.#sketch.count(victim.seat.hash)) return true;
    return uses >= WARM && this.#context.random() < WARM_CHANCE;
  }

  #evictMain(max: number): void {
    for (let out = this.#victim(); out !== undefined && this.#mainCost > max; out = this.#victim()) {
      this.#listOf(out).remove(out);
      this.#context.drop(out);
    }
  }

  /** Counts a request; at the end of a period moves the border. */
  #climb(): void {
    if (++this.#requests < Math.max(REQUESTS_MIN, this.#size * REQUESTS_PER_ENTRY)) return;
    const { capacity } = this.#context;
    const ratio = this.#hits / this.#requests;
    const change = ratio - this.#lastRatio;
    if (change < 0) this.#step = -this.#step;
    this.#step =
      Math.abs(change) >= RESTART_CHANGE
        ? Math.sign(this.#step) * capacity * STEP_SHARE
        : this.#step * STEP_DECAY;
    const least = Math.max(1, capacity * WINDOW_SHARE);
    this.#windowMax = Math.min(
      Math.max(least, capacity * WINDOW_SHARE_MAX),
      Math.max(least, this.#windowMax + this.#step),
    );
    this.#lastRatio = ratio;
    this.#requests = 0;
    this.#hits = 0;
    this.#demote();
    this.#shrinkWindow();
    this.#evictMain(this.#mainMax);
  }
}
