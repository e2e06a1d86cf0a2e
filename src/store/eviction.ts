/**
 * Which key goes when memory is full. LRU, LFU, TTL and random take samples, as Redis does; S3-FIFO keeps queues.
 *
 * Every entry has one word about its use: LRU keeps seconds there, LFU minutes and a logarithmic counter (Redis' own: factor
 * 10, minus one for each idle minute), S3-FIFO a number that its queues know it by and how often it was used, up to 3.
 */
import type { Random } from "../base/index.ts";
import type { StoreEviction as Policy } from "../config/index.ts";
import type { Ground, Keyspace } from "./keyspace.ts";
import { S3Fifo } from "./s3-fifo.ts";

/** Names as in `maxmemory-policy`; allkeys-s3-fifo is ours. */
export { STORE_EVICTIONS as POLICIES, type StoreEviction as Policy } from "../config/index.ts";

/** Samples of which the worst goes: ten is within a hair of true LRU, by Redis' own measurements. */
const SAMPLES = 10;

/** Draws for a key that expires before a volatile policy gives up. */
const DRAWS_MAX = 200;

/** LFU: a new key starts here, so that it lives long enough to be used again. */
const LFU_START = 5;
const LFU_FACTOR = 10;

/** A key that goes: its database and entry. */
export interface Victim {
  readonly space: Keyspace;
  readonly ref: number;
}

export class Eviction {
  readonly #ground: Ground;
  readonly #spaces: () => readonly Keyspace[];
  #policy: Policy = "noeviction";
  #queues: S3Fifo | undefined;

  constructor(ground: Ground, spaces: () => readonly Keyspace[]) {
    this.#ground = ground;
    this.#spaces = spaces;
    this.setPolicy("noeviction");
  }

  get policy(): Policy {
    return this.#policy;
  }

  /** Memory that the policy itself takes. */
  get heldBytes(): number {
    return this.#queues?.heldBytes ?? 0;
  }

  /** Changes the policy. What is known about the use of keys starts anew. O(keys). */
  setPolicy(policy: Policy): void {
    this.#policy = policy;
    this.#queues = undefined;
    const ground = this.#ground;
    ground.added = undefined;
    if (policy === "allkeys-s3-fifo") {
      const queues = new S3Fifo(this.#spaces);
      this.#queues = queues;
      ground.touched = (used) => ((used & 3) < 3 ? used + 1 : used);
      ground.fresh = () => 0;
      ground.added = (space, ref) => queues.add(space, ref);
    } else if (policy.endsWith("-lfu")) {
      ground.touched = (used) => bumped(used, this.#minutes(), ground.random);
      ground.fresh = () => (this.#minutes() << 8) | LFU_START;
    } else {
      ground.touched = () => Math.floor(ground.nowMs / 1000) | 0;
      ground.fresh = () => Math.floor(ground.nowMs / 1000) | 0;
    }
    for (const space of this.#spaces()) {
      space.dict.each((ref) => {
        space.dict.setUsed(ref, ground.fresh());
        ground.added?.(space, ref);
      });
    }
  }

  /** The key that goes next, or undefined when the policy finds none. */
  victim(): Victim | undefined {
    if (this.#policy === "noeviction") return undefined;
    if (this.#queues !== undefined) return this.#queues.victim();
    let worst: Victim | undefined;
    let worstValue = Number.NEGATIVE_INFINITY;
    const onlyVolatile = this.#policy.startsWith("volatile-");
    for (let taken = 0, drawn = 0; taken < SAMPLES && drawn < DRAWS_MAX; drawn++) {
      const space = this.#someSpace();
      const ref = space?.random() ?? 0;
      if (space === undefined || ref === 0) return worst;
      if (onlyVolatile && space.dict.expiry(ref) === 0) continue;
      taken++;
      const value = this.#badness(space, ref);
      if (value <= worstValue) continue;
      worst = { space, ref };
      worstValue = value;
    }
    return worst;
  }

  /** A database by chance, each as likely as it has keys. */
  #someSpace(): Keyspace | undefined {
    const spaces = this.#spaces().filter(({ size }) => size > 0);
    if (spaces.length <= 1) return spaces[0];
    let left = this.#ground.random() * spaces.reduce((sum, { size }) => sum + size, 0);
    return spaces.find(({ size }) => (left -= size) < 0) ?? spaces[0];
  }

  #badness(space: Keyspace, ref: number): number {
    const used = space.dict.used(ref);
    if (this.#policy.endsWith("-lru")) return Math.floor(this.#ground.nowMs / 1000) - used;
    if (this.#policy.endsWith("-lfu")) return -decayed(used, this.#minutes());
    return this.#policy === "volatile-ttl" ? -space.dict.expiry(ref) : this.#ground.random();
  }

  /** Seconds that a key has not been used, as far as the policy knows. */
  idleSeconds(used: number): number {
    return Math.max(0, Math.floor(this.#ground.nowMs / 1000) - used);
  }

  /** How often a key is used: the logarithmic counter. */
  frequency(used: number): number {
    return decayed(used, this.#minutes());
  }

  #minutes(): number {
    return Math.floor(this.#ground.nowMs / 60_000) & 0xffff;
  }
}

function decayed(used: number, minutes: number): number {
  const idle = (minutes - (used >>> 8)) & 0xffff;
  return Math.max(0, (used & 0xff) - idle);
}

function bumped(used: number, minutes: number, random: Random): number {
  const counter = decayed(used, minutes);
  const over = Math.max(0, counter - LFU_START);
  const isMore = counter < 255 && random() < 1 / (over * LFU_FACTOR + 1);
  return (minutes << 8) | (isMore ? counter + 1 : counter);
}
