/** Clients of a database under faults: what they asked and what they were told, for the checkers of histories. */
import type { DatabaseCluster } from "../../src/app/testing/database-cluster.ts";
import { type Random, seededRandom } from "../../src/base/index.ts";
import type { HistoryEntry, Operation } from "../../src/database/testing/histories/index.ts";
import { type PgConnection, PgServerError } from "../../src/pgwire/io/index.ts";
import { pause } from "./wait.ts";

const ACCOUNTS = 4;
/** Money of the bank. */
export const TOTAL = 400;

/** A register is used by so many transactions: its checker searches all orders of them. */
const REGISTER_USES = 30;

/** What the server says when it has rolled back for certain. */
const ROLLED_BACK: readonly string[] = ["40001", "40P01"];

type Kind = "lists" | "registers" | "bank";

/** Doors that a client knocks at in turn: of servers, or of routers. */
export type Route = readonly (() => Promise<PgConnection>)[];

export class FaultClients {
  readonly #seed: number;
  readonly #random: Random;
  readonly #stop = new AbortController();
  readonly #running: Promise<unknown>;
  readonly lists: HistoryEntry[] = [];
  readonly registers: HistoryEntry[] = [];
  readonly bank: HistoryEntry[] = [];
  #next = 1;
  #uses = 0;

  /** A client for each of `routes`; they begin at once. */
  constructor(routes: readonly Route[], seed: number) {
    this.#seed = seed;
    this.#random = seededRandom(seed + 1_000_000);
    this.#running = Promise.all(routes.map((route, process) => this.#run(process, route)));
  }

  /** Makes the tables of a run. */
  static async prepare(cluster: DatabaseCluster, primary: string, seed: number): Promise<void> {
    const accounts = Array.from({ length: ACCOUNTS }, (_, id) => `('a${id}', ${TOTAL / ACCOUNTS})`);
    for (const sql of [
      `create table lists_${seed} (key text primary key, held bigint[] not null)`,
      `create table registers_${seed} (key text primary key, held bigint not null)`,
      `create table bank_${seed} (key text primary key, held bigint not null)`,
      `create table marks_${seed} (process int)`,
      `insert into bank_${seed} values ${accounts.join(", ")}`,
    ])
      await cluster.query(primary, sql);
  }

  async stop(): Promise<void> {
    this.#stop.abort();
    await this.#running;
  }

  /** All lists as `server` has them. */
  async finalLists(
    cluster: DatabaseCluster,
    server: string,
  ): Promise<ReadonlyMap<string, readonly number[]>> {
    const rows = await cluster.query(server, `select key, held::text from lists_${this.#seed}`);
    return new Map(rows.map((row) => [row["key"] ?? "", numbersIn(row["held"] ?? "")]));
  }

  async #run(process: number, route: Route): Promise<void> {
    for (let at = process; !this.#stop.signal.aborted; at += 1) {
      const connection = await route[at % route.length]?.().catch(() => undefined);
      if (connection === undefined) await pause(10);
      else await this.#use(process, connection);
    }
  }

  /** Transactions until the server is lost, or is none that takes writes. */
  async #use(process: number, connection: PgConnection): Promise<void> {
    try {
      while (!this.#stop.signal.aborted) {
        if (!(await this.#transaction(process, connection))) return;
        await pause(2 + this.#random() * 20);
      }
    } finally {
      connection.close();
    }
  }

  /** One transaction; false = this connection is of no more use. */
  async #transaction(process: number, connection: PgConnection): Promise<boolean> {
    const kind = (["lists", "registers", "bank"] as const)[Math.floor(this.#random() * 3)] ?? "lists";
    const planned = this.#plan(kind);
    const invokedMs = performance.now();
    const operations: Operation[] = [];
    const note = (outcome: HistoryEntry["kind"]): void => {
      const completedMs = performance.now();
      this[kind].push({ process, invokedMs, completedMs, kind: outcome, operations: [...operations] });
    };
    let isCommitting = false;
    const run: Run = (sql) => connection.rows(sql);
    try {
      await run("begin isolation level serializable");
      // Whoever is not the primary any more cannot acknowledge a write; it could answer reads.
      await run(`insert into marks_${this.#seed} values (${process})`);
      for (const step of planned) operations.push(...(await step(run)));
      isCommitting = true;
      await run("commit");
      note("ok");
      return true;
    } catch (problem) {
      const isCertain = problem instanceof PgServerError && ROLLED_BACK.includes(problem.code);
      if (isCommitting && !isCertain) note("unknown");
      else if (operations.length > 0) note("failed");
      if (isCertain)
        return run("rollback").then(
          () => true,
          () => false,
        );
      return false;
    }
  }

  #plan(kind: Kind): readonly Step[] {
    const random = this.#random;
    if (kind === "bank") return [bankStep(this.#seed, random)];
    if (kind === "registers") {
      this.#uses += 1;
      const key = `r${Math.floor(this.#uses / REGISTER_USES)}`;
      return [registerStep(this.#seed, key, random() < 0.5 ? this.#next++ : undefined)];
    }
    return Array.from({ length: 1 + Math.floor(random() * 3) }, () => {
      const key = `k${Math.floor(random() * 5)}`;
      return listStep(this.#seed, key, random() < 0.5 ? this.#next++ : undefined);
    });
  }
}

type Run = (sql: string) => Promise<readonly Readonly<Record<string, string | null>>[]>;
type Step = (run: Run) => Promise<Operation[]>;

function listStep(seed: number, key: string, value: number | undefined): Step {
  const table = `lists_${seed}`;
  return async (run) => {
    if (value === undefined) {
      const [row] = await run(`select held::text from ${table} where key = '${key}'`);
      return [{ kind: "read", key, values: numbersIn(row?.["held"] ?? "") }];
    }
    await run(
      `insert into ${table} values ('${key}', array[${value}]::bigint[]) on conflict (key) do update set held = ${table}.held || excluded.held`,
    );
    return [{ kind: "append", key, value }];
  };
}

function registerStep(seed: number, key: string, value: number | undefined): Step {
  const table = `registers_${seed}`;
  return async (run) => {
    if (value === undefined) {
      const [row] = await run(`select held::text from ${table} where key = '${key}'`);
      return [{ kind: "get", key, value: row === undefined ? undefined : Number(row["held"]) }];
    }
    await run(
      `insert into ${table} values ('${key}', ${value}) on conflict (key) do update set held = excluded.held`,
    );
    return [{ kind: "write", key, value }];
  };
}

function bankStep(seed: number, random: Random): Step {
  const table = `bank_${seed}`;
  const account = (): string => `a${Math.floor(random() * ACCOUNTS)}`;
  return async (run) => {
    const [from, to, amount] = [account(), account(), 1 + Math.floor(random() * 5)];
    await run(`update ${table} set held = held - ${amount} where key = '${from}'`);
    await run(`update ${table} set held = held + ${amount} where key = '${to}'`);
    const rows = await run(`select key, held::text from ${table}`);
    const balances = Object.fromEntries(rows.map((row) => [row["key"] ?? "", Number(row["held"])]));
    return [{ kind: "balances", balances }];
  };
}

/** "{1,2}" as numbers. */
function numbersIn(text: string): number[] {
  return [...text.matchAll(/\d+/g)].map(([digits]) => Number(digits));
}
