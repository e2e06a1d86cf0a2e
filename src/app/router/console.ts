/**
 * The router's console: PgBouncer's commands, carried out for all workers together. Workers ask here what their clients have asked them.
 *
 * Averages are taken over the time since the last look but one, so over one to two periods.
 */
import type { Cancel, Log, Scheduler } from "../../base/index.ts";
import { VERSION } from "../../base/io/index.ts";
import {
  type ConsoleFacts,
  type ConsoleReply,
  HELP,
  type PausedNames,
  type PoolCommand,
  parseConsoleCommand,
  type Shown,
  type StateDetail,
  showTable,
  type Traffic,
  trafficNow,
  type WorkerState,
} from "../../database/index.ts";

/** As PgBouncer's `stats_period`. */
const PERIOD_MS = 60_000;

/** Longest wait of a PAUSE for transactions to end, and how often it looks. */
const PAUSE_MS = 120_000;
const LOOK_MS = 50;

/** What the console needs of the router. */
export interface ConsoleParts {
  readonly scheduler: Scheduler;
  readonly nowMs: () => number;
  readonly log: Log;
  /** How many workers there should be. */
  readonly workers: number;
  /** Where the workers stand. */
  readonly states: (detail: StateDetail) => Promise<readonly WorkerState[]>;
  /** What the settings say. */
  readonly facts: () => Omit<
    ConsoleFacts,
    "version" | "states" | "paused" | "before" | "beforeMs" | "periodMs"
  >;
  /** Tells all workers. */
  readonly pause: (names: PausedNames) => void;
  readonly reconnect: (database: string | undefined) => void;
  readonly kill: (database: string) => void;
  /** Reads settings again; throws what is wrong with them. Undefined: there is nothing to read. */
  readonly reload: (() => void) | undefined;
  /** Begins to stop. Undefined: who started the router ends it. */
  readonly shutdown: (() => void) | undefined;
}

interface Look {
  readonly atMs: number;
  readonly traffic: ReadonlyMap<string, Traffic>;
}

export class RouterConsole {
  readonly #parts: ConsoleParts;
  #paused: PausedNames = { all: false, databases: [] };
  #before: Look;
  #last: Look;
  #cancel: Cancel = () => {};
  #isStopped = false;

  constructor(parts: ConsoleParts) {
    this.#parts = parts;
    this.#before = this.#last = { atMs: parts.nowMs(), traffic: new Map() };
    this.#lookLater();
  }

  /** Databases whose statements wait: what a new worker begins with. */
  get paused(): PausedNames {
    return this.#paused;
  }

  stop(): void {
    this.#isStopped = true;
    this.#cancel();
  }

  /** Carries out a command. Rejects only for a mistake of ours. */
  async run(text: string): Promise<ConsoleReply> {
    const command = parseConsoleCommand(text);
    switch (command.kind) {
      case "wrong":
        return failed(command.message);
      case "show":
        return await this.#show(command.what);
      case "pool":
        this.#parts.log.warn("router-console", {
          command: command.command,
          database: command.database ?? "",
        });
        return await this.#toPools(command.command, command.database);
      case "reload":
        return this.#reload();
      case "shutdown":
        return this.#shutdown();
    }
  }

  async #show(what: Shown): Promise<ConsoleReply> {
    if (what === "HELP") {
      const rows = HELP.map((line) => [line]);
      return { kind: "table", table: { columns: ["Console usage"], rows }, tag: "SHOW" };
    }
    const states = await this.#parts.states(DETAILS[what] ?? "pools");
    const facts: ConsoleFacts = {
      ...this.#parts.facts(),
      version: VERSION,
      states,
      paused: this.#paused,
      before: this.#before.traffic,
      beforeMs: this.#parts.nowMs() - this.#before.atMs,
      periodMs: PERIOD_MS,
    };
    return { kind: "table", table: showTable(what, facts), tag: "SHOW" };
  }

  async #toPools(command: PoolCommand, database: string | undefined): Promise<ConsoleReply> {
    const { reconnect, kill } = this.#parts;
    if (command === "RECONNECT") {
      reconnect(database);
      return done(command);
    }
    if (command === "RESUME") return this.#resume(database);
    if (command === "PAUSE") return await this.#pause(database);
    this.#setPaused(pausedAnd(this.#paused, database));
    if (database !== undefined) kill(database);
    return done(command);
  }

  #setPaused(names: PausedNames): void {
    this.#paused = names;
    this.#parts.pause(names);
  }

  #resume(database: string | undefined): ConsoleReply {
    const { all, databases } = this.#paused;
    if (database === undefined) {
      if (!all && databases.length === 0) return failed("pooler is not paused/suspended");
      this.#setPaused({ all: false, databases: [] });
      return done("RESUME");
    }
    if (all) return failed("all databases are paused: say RESUME alone");
    if (!databases.includes(database)) return failed(`database ${database} is not paused`);
    this.#setPaused({ all, databases: databases.filter((name) => name !== database) });
    return done("RESUME");
  }

  /** Answers when no server connection is left, so that the server may be stopped. */
  async #pause(database: string | undefined): Promise<ConsoleReply> {
    const names = pausedAnd(this.#paused, database);
    this.#setPaused(names);
    const endMs = this.#parts.nowMs() + PAUSE_MS;
    for (;;) {
      const states = await this.#parts.states("pools"); // oxlint-disable-line no-await-in-loop -- it waits
      const open = openServers(states, database);
      if (open === 0 && states.length >= this.#parts.workers) return done("PAUSE");
      if (this.#paused !== names) return failed("other commands came in between: look at SHOW DATABASES");
      if (this.#isStopped) return failed("the router is being stopped");
      if (this.#parts.nowMs() > endMs)
        return failed(`${open} server connections are still in use; what is paused stays so until RESUME`);
      // oxlint-disable-next-line no-await-in-loop -- see above
      await new Promise<void>((resolve) => this.#parts.scheduler.after(LOOK_MS, resolve));
    }
  }

  #reload(): ConsoleReply {
    const { reload } = this.#parts;
    if (reload === undefined) return failed("this router has its settings from the config of its cluster");
    try {
      reload();
      return done("RELOAD");
    } catch (problem) {
      return failed(
        `the settings stay as they are: ${problem instanceof Error ? problem.message : String(problem)}`,
      );
    }
  }

  #shutdown(): ConsoleReply {
    const { shutdown, scheduler } = this.#parts;
    if (shutdown === undefined) return failed("this router is ended by its cluster");
    scheduler.after(LOOK_MS, shutdown); // behind the answer
    return done("SHUTDOWN");
  }

  #lookLater(): void {
    this.#cancel = this.#parts.scheduler.after(PERIOD_MS, () => void this.#look());
  }

  async #look(): Promise<void> {
    const states = await this.#parts.states("pools");
    this.#before = this.#last;
    this.#last = { atMs: this.#parts.nowMs(), traffic: trafficNow({ states }) };
    if (!this.#isStopped) this.#lookLater();
  }
}

const DETAILS: Partial<Record<Shown, StateDetail>> = { CLIENTS: "clients", SERVERS: "servers" };

function done(tag: string): ConsoleReply {
  return { kind: "done", tag };
}
function failed(message: string): ConsoleReply {
  return { kind: "failed", message };
}

function pausedAnd({ all, databases }: PausedNames, database: string | undefined): PausedNames {
  if (database === undefined) return { all: true, databases };
  return { all, databases: [...new Set([...databases, database])] };
}

function openServers(states: readonly WorkerState[], database: string | undefined): number {
  return states
    .flatMap(({ pools }) => pools)
    .filter((pool) => database === undefined || pool.database === database)
    .reduce(
      (sum, pool) =>
        sum +
        pool.serversActive +
        pool.serversBeingCancelled +
        pool.serversIdle +
        pool.serversTested +
        pool.serversInLogin,
      0,
    );
}
