/**
 * A target group with its connections: the pure group decides who, its pools hold the connections to them, and a
 * bounded queue holds the exchanges that wait when every connection allowed is in use.
 */
import { BoundedQueue } from "../../base/index.ts";
import type { Target, TargetGroup } from "../../config/index.ts";
import { Group, type GroupContext } from "../group.ts";
import { type KeyHash, keyHash } from "../hash-key.ts";
import type { RequestView } from "../route.ts";
import { Pool } from "./pool.ts";
import type { Upstream, UpstreamContext } from "./upstream.ts";

/** An exchange that waits for a connection. */
export interface Waiter {
  dequeued(): void;
}

/** What a group and its connections work with. */
export interface UpstreamGroupContext extends GroupContext, Omit<UpstreamContext, "roomFreed"> {
  /** Requests that may wait at once. */
  readonly queueMax: () => number;
}

export class UpstreamGroup {
  readonly #group: Group;
  readonly #context: UpstreamGroupContext;
  readonly #upstreamContext: UpstreamContext;
  readonly #queue: BoundedQueue<Waiter>;
  /** Waiters that left before their turn; they are skipped when it comes. */
  readonly #left = new Set<Waiter>();
  #pools: Pool[] = [];
  #keyHash: KeyHash;

  constructor(spec: TargetGroup, context: UpstreamGroupContext) {
    this.#context = context;
    const { transport, nowMs, keepAliveMs } = context;
    this.#upstreamContext = { transport, nowMs, keepAliveMs, roomFreed: () => this.#roomFreed() };
    this.#group = new Group(spec, context);
    this.#queue = new BoundedQueue(context.queueMax());
    this.#keyHash = keyHash(spec.algorithm, spec.hashKey, context.random);
    this.#adopt(spec);
  }

  get name(): string {
    return this.#group.name;
  }
  /** Row in the scoreboard. */
  get row(): number {
    return this.#group.spec.slot;
  }
  get spec(): TargetGroup {
    return this.#group.spec;
  }
  get pools(): readonly Pool[] {
    return this.#pools;
  }
  get queueTimeoutMs(): number {
    return this.#group.spec.connections.queueTimeoutMs;
  }

  update(spec: TargetGroup): void {
    this.#group.update(spec);
    this.#keyHash = keyHash(spec.algorithm, spec.hashKey, this.#context.random);
    this.#adopt(spec);
  }

  keyHash(request: RequestView): number {
    return this.#keyHash(request);
  }
  pick(hash: number, exclude: number): number {
    return this.#group.pick(hash, exclude);
  }
  answered(index: number, status: number, latencyMs: number): void {
    if (index >= 0) this.#group.answered(index, status, latencyMs);
  }
  failed(index: number, latencyMs: number): void {
    if (index >= 0) this.#group.failed(index, latencyMs);
  }

  /** Takes a connection back, and gives the place to whoever waits. */
  release(upstream: Upstream, nowMs: number): void {
    upstream.pool.release(upstream, nowMs);
    this.#serveQueue();
  }

  /** False when the queue is full. */
  enqueue(waiter: Waiter): boolean {
    this.#left.delete(waiter);
    return this.#queue.push(waiter);
  }
  leaveQueue(waiter: Waiter): void {
    if (this.#queue.size > 0) this.#left.add(waiter);
  }

  /** Once a second: ends ejections, closes connections that rested too long. */
  sweep(nowMs: number): void {
    this.#group.sweep();
    for (const pool of this.#pools) pool.sweep(nowMs);
  }

  /** The group is gone from the config. */
  close(): void {
    for (const pool of this.#pools) pool.closeIdle();
  }

  #serveQueue(): void {
    for (let next = this.#queue.shift(); next !== undefined; next = this.#queue.shift()) {
      if (this.#left.delete(next)) continue;
      next.dequeued();
      return;
    }
    this.#left.clear();
  }

  /** Pools follow the targets: kept for those that stay, closed for those that go. */
  #adopt(spec: TargetGroup): void {
    const old = new Map(this.#pools.map((pool) => [pool.target.id, pool]));
    this.#pools = spec.targets.map((target, index) => this.#poolFor(target, index, old));
    for (const pool of old.values()) pool.retire();
  }

  #poolFor(target: Target, index: number, old: Map<string, Pool>): Pool {
    const pool = old.get(target.id) ?? new Pool(this.#upstreamContext);
    old.delete(target.id);
    pool.update(target, index, this.spec.connections);
    return pool;
  }

  #roomFreed(): void {
    if (this.#queue.size > 0) this.#serveQueue();
  }
}
