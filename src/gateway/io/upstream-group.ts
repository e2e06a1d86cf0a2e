/**
 * A target group with its connections: the pure group decides who, its pools hold the connections to them, and a
 * bounded queue holds the requests that wait while every connection allowed is in use.
 *
 * A place that comes free goes to whoever has waited longest. Which target that is counts less than that it is free:
 * a request that hashes to a target without a free place goes to another one rather than wait.
 */
import type { Target, TargetGroup } from "../../config/index.ts";
import { Group, type GroupContext } from "../group.ts";
import { type KeyHash, keyHash } from "../hash-key.ts";
import type { RequestView } from "../route.ts";
import { GROUP_COUNTER } from "../scoreboard.ts";
import { Pool } from "./pool.ts";
import type { Upstream, UpstreamContext } from "./upstream.ts";

/** A request that waits for a connection. */
export interface Waiter {
  /** Hash of its key. */
  readonly hash: number;
  /** `pool` has a place for it. It waits no longer. */
  dequeued(pool: Pool): void;
  /** That call threw. */
  crashed(error: unknown): void;
}

/** What a group of one worker works with. */
export interface UpstreamGroupContext extends GroupContext, Omit<UpstreamContext, "roomFreed"> {
  /** Requests that may wait at once. */
  readonly queueMax: () => number;
  /** The group of this name, as it is now. */
  readonly groupNamed: (name: string) => UpstreamGroup | undefined;
}

export class UpstreamGroup {
  readonly #group: Group;
  readonly #context: UpstreamGroupContext;
  readonly #upstreamContext: UpstreamContext;
  /** In the order of their coming. */
  readonly #waiters = new Set<Waiter>();
  /** Waiters are being served: places that come free meanwhile are given out by the same loop. */
  #serves = false;
  #pools: Pool[] = [];
  #keyHash: KeyHash;

  constructor(spec: TargetGroup, context: UpstreamGroupContext) {
    this.#context = context;
    const { transport, keepAliveMs } = context;
    this.#upstreamContext = { transport, keepAliveMs, roomFreed: () => this.#serveWaiters() };
    this.#group = new Group(spec, context);
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
  /** Whether no target can be expected to answer. */
  get isDown(): boolean {
    return this.#group.isDown;
  }
  /** The same of its fallback as well. Ends: a config has no circle of them. */
  get isLost(): boolean {
    return this.isDown && (this.fallback?.isLost ?? true);
  }
  /** Who answers when no target does. */
  get fallback(): UpstreamGroup | undefined {
    const { fallback } = this.#group.spec;
    return fallback === undefined ? undefined : this.#context.groupNamed(fallback.group);
  }
  /** Whether URLs are what it hashes. */
  get hashesUrl(): boolean {
    return this.#group.spec.hashKey.kind === "url";
  }
  get queueTimeoutMs(): number {
    return this.#group.spec.connections.queueTimeoutMs;
  }
  get holdMs(): number {
    return this.#group.spec.connections.holdMs;
  }
  get hasWaiters(): boolean {
    return this.#waiters.size > 0;
  }

  update(spec: TargetGroup): void {
    this.#group.update(spec);
    this.#keyHash = keyHash(spec.algorithm, spec.hashKey, this.#context.random);
    this.#adopt(spec);
    this.#serveWaiters();
  }

  keyHash(request: RequestView): number {
    return this.#keyHash(request);
  }

  /**
   * The connections of the target for a request: the balancer's choice, or, when all of that one's are in use, any that
   * has a place. When none has, the choice itself, to wait for. Undefined when no target may be used.
   */
  choose(hash: number, exclude: number): Pool | undefined {
    const chosen = this.#pools[this.#group.pick(hash, exclude)];
    return chosen === undefined || chosen.hasPlace ? chosen : (this.#leastUsed(exclude) ?? chosen);
  }

  /** A request for the group has come. */
  began(): void {
    this.#group.began();
  }
  /** Whether the budget allows to send one more request again. */
  takeRetry(): boolean {
    return this.#group.takeRetry();
  }

  /**
   * One more request goes to the fallback; `leaveFallback` gives the place back. False when it has as many as it may. Workers
   * look at each other's numbers without a lock: each may let one more through than is allowed.
   */
  enterFallback(): boolean {
    const { scoreboard, column } = this.#context;
    const isFull = scoreboard.groupFallbacks(this.row) >= (this.#group.spec.fallback?.requestsMax ?? 0);
    column.countGroup(this.row, isFull ? GROUP_COUNTER.fallbacksRefused : GROUP_COUNTER.fallbacks, 1);
    if (!isFull) column.moveFallback(this.row, 1);
    return !isFull;
  }
  leaveFallback(): void {
    this.#context.column.moveFallback(this.row, -1);
  }

  /** A response began. */
  answered(index: number, status: number, latencyMs: number): void {
    if (index >= 0) this.#group.answered(index, status, latencyMs);
  }
  /** There was none. */
  failed(index: number, latencyMs: number): void {
    if (index >= 0) this.#group.failed(index, latencyMs);
  }

  /** Takes a connection back, and gives the place to whoever waits. */
  release(upstream: Upstream, nowMs: number): void {
    upstream.pool.release(upstream, nowMs);
    if (this.#waiters.size > 0) this.#serveWaiters();
  }

  /** False when the queue is full. */
  enqueue(waiter: Waiter): boolean {
    if (this.#waiters.size >= this.#context.queueMax()) return false;
    this.#waiters.add(waiter);
    return true;
  }
  leaveQueue(waiter: Waiter): void {
    this.#waiters.delete(waiter);
  }

  /** Once a second: ends ejections, closes connections that rested too long, looks for places that health gave back. */
  sweep(nowMs: number): void {
    this.#group.sweep();
    for (const pool of this.#pools) pool.sweep(nowMs);
    this.#serveWaiters();
  }

  /** The group is gone from the config: what is in use ends with its exchange. */
  close(): void {
    this.#group.close();
    for (const pool of this.#pools) pool.retire();
  }

  #leastUsed(exclude: number): Pool | undefined {
    let least: Pool | undefined;
    for (const index of this.#group.usable) {
      const pool = this.#pools[index];
      if (pool === undefined || index === exclude || !pool.hasPlace) continue;
      if (least === undefined || pool.open - pool.idle < least.open - least.idle) least = pool;
    }
    return least;
  }

  #serveWaiters(): void {
    if (this.#serves) return;
    this.#serves = true;
    try {
      for (const waiter of this.#waiters) {
        const pool = this.choose(waiter.hash, -1);
        if (pool?.hasPlace !== true) return;
        this.#waiters.delete(waiter);
        serve(waiter, pool);
      }
    } finally {
      this.#serves = false;
    }
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
    pool.update(target, index, this.#group.spec.connections);
    return pool;
  }
}

/** What goes wrong with one waiter is its own affair: somebody else's event gave it its turn. */
function serve(waiter: Waiter, pool: Pool): void {
  try {
    waiter.dequeued(pool);
  } catch (error) {
    waiter.crashed(error);
  }
}
