/** Clients of a simulation: each does one thing after the other and notes what it asked and what it was told. */
import type { HistoryEntry } from "../../testing/histories/history.ts";
import type { LogRecord } from "./log-model.ts";
import type { RouterModel } from "./router-model.ts";
import type { World } from "./world.ts";

const COUNT = 4;
const PAUSE_MS = 150;
const KEYS: readonly string[] = ["a", "b", "c"];

/** An acknowledged write: when, of which term, by which server. */
export interface Acknowledged {
  readonly atMs: number;
  readonly term: number;
  readonly server: string;
  readonly value: number;
}

export class Clients {
  readonly #world: World;
  readonly #routers: readonly RouterModel[];
  readonly #servers: readonly string[];
  readonly history: HistoryEntry[] = [];
  readonly acknowledged: Acknowledged[] = [];
  /** Values that a server acknowledged without a router. */
  readonly direct: number[] = [];
  #next = 1;
  #stopped = false;
  #lastMs = 0;
  gapMs = 0;
  reads = 0;

  constructor(world: World, routers: readonly RouterModel[], servers: readonly string[]) {
    this.#world = world;
    this.#routers = routers;
    this.#servers = servers;
    this.#pauseDirect();
    for (let process = 0; process < COUNT; process += 1) this.#pause(process);
  }

  get writes(): number {
    return this.acknowledged.length;
  }

  /** Begins to measure how long writes wait. */
  measure(): void {
    this.#lastMs = this.#world.nowMs;
    this.gapMs = 0;
  }

  stop(): void {
    this.#stopped = true;
  }

  #pause(process: number): void {
    if (this.#stopped) return;
    this.#world.after(this.#world.between(1, PAUSE_MS * 2), () => this.#act(process));
  }

  #act(process: number): void {
    const world = this.#world;
    const router = world.pick(this.#routers);
    const key = world.pick(KEYS);
    const invokedMs = world.nowMs;
    if (world.chance(0.4)) {
      router.read((outcome) => {
        const values = outcome.kind === "done" ? valuesOf(outcome.value, key) : undefined;
        if (values !== undefined) this.reads += 1;
        const kind = outcome.kind === "done" ? "ok" : "failed";
        const operation = { kind: "read", key, values: values ?? [] } as const;
        this.#note({ process, invokedMs, kind, operations: [operation] });
      });
      return;
    }
    const value = this.#next++;
    router.write({ key, value }, (outcome) => {
      const kind = outcome.kind === "done" ? "ok" : outcome.kind;
      if (outcome.kind === "done") {
        const { term, server } = outcome;
        this.acknowledged.push({ atMs: world.nowMs, term, server, value });
        this.gapMs = Math.max(this.gapMs, world.nowMs - this.#lastMs);
        this.#lastMs = world.nowMs;
      }
      this.#note({ process, invokedMs, kind, operations: [{ kind: "append", key, value }] });
    });
  }

  /** A client that goes around the routers, to any server that calls itself a primary: no gate keeps it from a deposed one. */
  #pauseDirect(): void {
    if (!this.#stopped) this.#world.after(this.#world.between(50, 250), () => this.#actDirect());
  }

  #actDirect(): void {
    const world = this.#world;
    const primaries = this.#servers
      .map((name) => world.server(name))
      .filter((one) => one.isAwake && one.role === "primary");
    if (primaries.length === 0) return this.#pauseDirect();
    const server = world.pick(primaries);
    const value = this.#next++;
    const key = world.pick(KEYS);
    const invokedMs = world.nowMs;
    let isOver = false;
    const end = (kind: HistoryEntry["kind"]): void => {
      if (isOver) return;
      isOver = true;
      if (kind === "ok") this.direct.push(value);
      const operations = [{ kind: "append", key, value } as const];
      this.history.push({ process: COUNT, invokedMs, completedMs: world.nowMs, kind, operations });
      this.#pauseDirect();
    };
    world.after(3_000, () => end("unknown"));
    server.write(server.boot, { key, value }, (outcome) => end(outcome === "done" ? "ok" : "unknown"));
  }

  #note(entry: Omit<HistoryEntry, "completedMs">): void {
    this.history.push({ ...entry, completedMs: this.#world.nowMs });
    this.#pause(entry.process);
  }
}

function valuesOf(log: readonly LogRecord[], key: string): number[] {
  const values: number[] = [];
  for (const { write } of log) if (write?.key === key) values.push(write.value);
  return values;
}
