/** Clients that send statements at a steady rate, on sessions that they keep; what they were told, and how long they waited. */
import { PgConnection, type PgConnectionOptions, type PgRow } from "../../src/pgwire/io/index.ts";
import { pause } from "./wait.ts";

/** What they do. */
export interface SteadyLoad {
  readonly login: PgConnectionOptions;
  /** Statements a second, of all clients together. */
  readonly rate: number;
  readonly clients: number;
  /** `id` differs from statement to statement. */
  readonly statement: (id: number) => string;
  /** What has been answered. */
  readonly answered?: (rows: readonly PgRow[]) => void;
}

/** Of all loads of this process: no row is written twice. */
let nextId = 1;

const RECONNECT_MS = 20;

/** Longer than a router lets anybody wait: what is late is told by the router, with its reason. */
const QUERY_TIMEOUT_MS = 60_000;

export class SteadyClients {
  readonly #load: SteadyLoad;
  readonly #running: Promise<unknown>;
  /** Ids of statements that were answered without an error. */
  readonly done: number[] = [];
  /** SQLSTATE, or why there was no answer -> how often. */
  readonly errors: Map<string, number> = new Map();
  readonly #startedMs: number = performance.now();
  #lastMs: number = performance.now();
  #longestPauseMs = 0;
  #endedMs = 0;

  /** Begins at once. */
  constructor(load: SteadyLoad) {
    this.#load = load;
    this.#running = Promise.all(Array.from({ length: load.clients }, (_, client) => this.#run(client)));
  }

  get count(): number {
    return this.done.length;
  }
  get errorCount(): number {
    return [...this.errors.values()].reduce((sum, times) => sum + times, 0);
  }
  /** The longest time from one answer to the next one, of all clients together. */
  get longestPauseMs(): number {
    return this.#longestPauseMs;
  }
  /** Answers a second, pauses among the seconds. */
  get rate(): number {
    return (this.count * 1000) / (this.#endedMs - this.#startedMs);
  }

  async stop(): Promise<void> {
    this.#endedMs = performance.now();
    await this.#running;
  }

  async #run(client: number): Promise<void> {
    await pause((1000 / this.#load.rate) * client);
    while (this.#endedMs === 0) {
      try {
        const connection = await PgConnection.connect(this.#load.login);
        await this.#use(connection).finally(() => connection.close());
      } catch (problem) {
        this.#failed(problem);
        await pause(RECONNECT_MS);
      }
    }
  }

  /** Sends until its session is lost; an error of the server's does not end it. */
  async #use(connection: PgConnection): Promise<void> {
    const periodMs = (this.#load.clients * 1000) / this.#load.rate;
    let dueMs = performance.now();
    while (this.#endedMs === 0) {
      const id = nextId++;
      try {
        const rows = await connection.rows(this.#load.statement(id), QUERY_TIMEOUT_MS);
        this.#answered(id, rows);
      } catch (problem) {
        if (!connection.isOpen) throw problem;
        this.#failed(problem);
      }
      // What a pause has held up is not made good by a burst.
      const nowMs = performance.now();
      dueMs = Math.max(dueMs + periodMs, nowMs);
      await pause(dueMs - nowMs);
    }
  }

  #answered(id: number, rows: readonly PgRow[]): void {
    const nowMs = performance.now();
    this.done.push(id);
    this.#longestPauseMs = Math.max(this.#longestPauseMs, nowMs - this.#lastMs);
    this.#lastMs = nowMs;
    this.#load.answered?.(rows);
  }

  #failed(problem: unknown): void {
    const { code } = problem as { readonly code?: unknown };
    const why = typeof code === "string" ? code : String(problem);
    this.errors.set(why, (this.errors.get(why) ?? 0) + 1);
  }
}
