/**
 * The connections of one worker to one target: those that wait idle for the next request, and how many are open.
 *
 * Idle connections are a stack: the warmest is used first, and the ones at the bottom age until `sweep` closes
 * them, before the target would (a request that meets a connection the target is closing is the classic 502).
 */
import type { ConnectionsConfig, Target } from "../../config/index.ts";
import { asBytes } from "../../http/index.ts";
import { Upstream, type UpstreamContext, type UpstreamUser } from "./upstream.ts";

export class Pool {
  #target: Target | undefined;
  #limits: ConnectionsConfig = { perTargetMax: 0, idleMax: 0, queueTimeoutMs: 0, holdMs: 0 };
  #index = -1;
  #authority: Uint8Array = new Uint8Array(0);
  readonly #context: UpstreamContext;
  readonly #idle: Upstream[] = [];
  readonly #open = new Set<Upstream>();

  constructor(context: UpstreamContext) {
    this.#context = context;
  }

  get target(): Target {
    if (this.#target === undefined) throw new Error("pool: used before its target was set");
    return this.#target;
  }
  /** "host:port" as bytes, for a Host field that names the target. */
  get authority(): Uint8Array {
    return this.#authority;
  }
  /** Number of the target in its group; -1 once it has left the group. */
  get index(): number {
    return this.#index;
  }
  get open(): number {
    return this.#open.size;
  }
  get idle(): number {
    return this.#idle.length;
  }
  /** Whether a request can be served now: by an idle connection, or by one more. */
  get hasPlace(): boolean {
    return this.#idle.length > 0 || this.#open.size < this.#limits.perTargetMax;
  }

  update(target: Target, index: number, limits: ConnectionsConfig): void {
    this.#target = target;
    this.#authority = asBytes(target.id);
    this.#index = index;
    this.#limits = limits;
    if (target.state === "draining") this.closeIdle();
  }

  /** The target has left the group: what is in use ends with its exchange. */
  retire(): void {
    this.#index = -1;
    this.#limits = { ...this.#limits, idleMax: 0 };
    this.closeIdle();
  }

  /** An idle connection, warmest first, or undefined. */
  take(nowMs: number): Upstream | undefined {
    for (let upstream = this.#idle.pop(); upstream !== undefined; upstream = this.#idle.pop()) {
      if (nowMs < upstream.expiresMs) return upstream;
      upstream.close();
    }
    return undefined;
  }

  /** Begins to open a connection; `user` is told when it is open or has failed. Takes the place of an idle one if need be. */
  connect(user: UpstreamUser): Upstream {
    if (this.#open.size >= this.#limits.perTargetMax) this.#idle.shift()?.close();
    const upstream = new Upstream(this, this.#context);
    upstream.user = user;
    this.#open.add(upstream);
    upstream.connect(this.target.address);
    return upstream;
  }

  /** Takes a connection back after a complete exchange. */
  release(upstream: Upstream, nowMs: number): void {
    const isWanted = this.target.state === "active" && this.#open.size <= this.#limits.perTargetMax;
    if (!isWanted || this.#idle.length >= this.#limits.idleMax) return upstream.close();
    this.#idle.push(upstream);
    upstream.rest(nowMs);
  }

  /** Forgets a connection that has closed. */
  remove(upstream: Upstream): void {
    this.#open.delete(upstream);
    const at = this.#idle.indexOf(upstream);
    if (at >= 0) this.#idle.splice(at, 1);
  }

  /** Closes idle connections whose time is over. */
  sweep(nowMs: number): void {
    for (
      let oldest = this.#idle[0];
      oldest !== undefined && nowMs >= oldest.expiresMs;
      oldest = this.#idle[0]
    ) {
      this.#idle.shift();
      oldest.close();
    }
  }

  /** Closes what is idle; connections in use end with their exchange. */
  closeIdle(): void {
    for (const upstream of this.#idle.splice(0)) upstream.close();
  }
}
