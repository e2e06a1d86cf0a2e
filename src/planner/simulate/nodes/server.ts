/**
 * A server: so many visits at once, the others in a queue, first come first served. A task's CPU, a database server.
 */
import { IntQueue } from "../int-queue.ts";
import type { Usage } from "../usage.ts";
import type { World } from "../world.ts";

/** What a server works with. */
export interface ServerContext {
  readonly world: World;
  /** Of the node that it belongs to. */
  readonly usage: Usage;
  readonly cores: number;
  readonly queueMax: number;
  /** How long the visit will take, drawn when it begins. */
  readonly draw: (visit: number) => number;
}

/** One server. */
export class Server {
  readonly #context: ServerContext;
  readonly #queue = new IntQueue();
  #busy = 0;
  /** Work takes this many times as long. */
  slowness = 1;
  /** Pauses so far; work under way is prolonged by what is added meanwhile. */
  pausedMs = 0;
  #pausedUntilMs = -Infinity;
  /** Work done, core-milliseconds. */
  workedMs = 0;

  constructor(context: ServerContext) {
    this.#context = context;
  }

  get busy(): number {
    return this.#busy;
  }
  get queued(): number {
    return this.#queue.size;
  }

  /** False when its queue is full. */
  submit(visit: number): boolean {
    const { cores, queueMax, usage, world } = this.#context;
    if (this.#busy < cores) {
      this.#begin(visit);
      return true;
    }
    if (this.#queue.size >= queueMax) return false;
    this.#queue.push(visit);
    usage.moveQueued(1, world.nowMs);
    return true;
  }

  /** Its time is over: true when the visit is done, false when a pause prolonged it. */
  worked(visit: number): boolean {
    const { world } = this.#context;
    const prolongedMs = this.pausedMs - (world.visits.sinceMs[visit] ?? 0);
    if (prolongedMs > 0) {
      world.visits.sinceMs[visit] = this.pausedMs;
      world.work(visit, prolongedMs);
      return false;
    }
    this.#release();
    return true;
  }

  /** Stops for a while. */
  pause(ms: number): void {
    const { nowMs } = this.#context.world;
    this.pausedMs += ms - Math.max(0, this.#pausedUntilMs - nowMs);
    this.#pausedUntilMs = nowMs + ms;
  }

  /** The server is gone with all it held; the visits are the caller's to end. */
  clear(): void {
    const { usage, world } = this.#context;
    usage.moveBusy(-this.#busy, world.nowMs);
    usage.moveQueued(-this.#queue.size, world.nowMs);
    this.#busy = 0;
    while (this.#queue.size > 0) this.#queue.shift();
  }

  #begin(visit: number): void {
    const { usage, world, draw } = this.#context;
    this.#busy++;
    usage.moveBusy(1, world.nowMs);
    const ms = draw(visit) * this.slowness;
    this.workedMs += ms;
    world.visits.sinceMs[visit] = this.pausedMs;
    world.work(visit, ms + Math.max(0, this.#pausedUntilMs - world.nowMs));
  }

  #release(): void {
    const { usage, world } = this.#context;
    const next = this.#queue.shift();
    if (next < 0) {
      this.#busy--;
      usage.moveBusy(-1, world.nowMs);
      return;
    }
    usage.moveQueued(-1, world.nowMs);
    this.#busy--;
    usage.moveBusy(-1, world.nowMs);
    this.#begin(next);
  }
}
