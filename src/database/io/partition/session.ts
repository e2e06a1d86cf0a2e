/** A connection that partitions one table: as the table's owner, one at a time, with transactions that wait for no writer for long. */
import type { Scheduler } from "../../../base/index.ts";
import { type PgConnection, type PgRow, PgServerError } from "../../../pgwire/io/index.ts";
import {
  factsQuery,
  PartitionProblem,
  quoteName,
  quoteTable,
  quoteText,
  type Scheme,
  stateOf,
  type TableFacts,
  type TableName,
} from "../../partition/index.ts";

/** What is kept of a copy. */
export interface KeptState {
  readonly scheme: Scheme;
  readonly fingerprint: string;
  readonly stage: "copying" | "copied" | "swapped";
  readonly position: readonly string[] | undefined;
  readonly copied: number;
}

/** One statement over a whole table may take so long. */
const WHOLE_TABLE_MS: number = 12 * 3600_000;

/** Others who wait behind a lock that we wait for stand still for no longer. Shorter than Postgres' deadlock_timeout (1 s), so that we are who gives up. */
const LOCK_TIMEOUT_MS = 800;
const LOCK_TRIES = 60;
const LOCK_PAUSE_MS = 1000;

/** The server may not have noticed yet that one before us died. */
const TURN_TRIES = 60;
const TURN_PAUSE_MS = 500;

/** Whether the server gave up waiting for somebody's lock (55P03) or found a deadlock (40P01). */
export function isLockProblem(error: unknown): boolean {
  return error instanceof PgServerError && (error.code === "55P03" || error.code === "40P01");
}

/** The statements and waits of one table's partitioning. */
export class PartitionSession {
  readonly name: TableName;
  readonly #connection: PgConnection;
  readonly #scheduler: Scheduler;

  constructor(connection: PgConnection, name: TableName, scheduler: Scheduler) {
    this.#connection = connection;
    this.name = name;
    this.#scheduler = scheduler;
  }

  /** Reads the table, becomes its owner and waits for its turn. Throws a `PartitionProblem`. */
  async open(): Promise<TableFacts> {
    await this.#connection.query(
      "set search_path = ''; set standard_conforming_strings = on; set datestyle = 'ISO'; set timezone = 'UTC'; set extra_float_digits = 3; set intervalstyle = 'postgres'; set bytea_output = 'hex'; set statement_timeout = 0; set client_min_messages = warning",
    );
    // Postgres 14 and up: a long statement of ours ends soon after we do.
    await this.rows(
      "select set_config(name, '2s', false) from pg_settings where name = 'client_connection_check_interval'",
    );
    const { oid, owner } = await this.facts();
    await this.#connection.query(`set role ${quoteName(owner)}`);
    for (let tries = 1; ; tries++) {
      // oxlint-disable-next-line no-await-in-loop -- one try after the other
      const [row] = await this.rows(
        `select pg_try_advisory_lock(1952804452, ${oid}::oid::int8::bit(32)::int4) as mine`,
      );
      // oxlint-disable-next-line no-await-in-loop -- what was read before may be another table by now
      if (row?.["mine"] === "t") return this.facts();
      if (tries === TURN_TRIES)
        throw new PartitionProblem(
          `${this.name.table} is being partitioned by another process`,
          "let it end, or end it first",
        );
      // oxlint-disable-next-line no-await-in-loop -- a pause
      await this.pause(TURN_PAUSE_MS);
    }
  }

  async facts(): Promise<TableFacts> {
    const [row] = await this.rows(factsQuery(this.name));
    if (row?.["facts"]) return JSON.parse(row["facts"]) as TableFacts;
    const { schema, table } = this.name;
    throw new PartitionProblem(
      `there is no table ${schema}.${table}`,
      "write TABLE or SCHEMA.TABLE as psql's \\d shows it",
    );
  }

  /** Undefined when nothing was begun. */
  async state(): Promise<KeptState | undefined> {
    const at = stateOf(this.name);
    const there = await this.rows(
      `select 1 from pg_tables where schemaname = ${quoteText(at.schema)} and tablename = ${quoteText(at.table)}`,
    );
    if (there.length === 0) return undefined;
    const [row] = await this.rows(
      `select scheme, fingerprint, stage, position, copied from ${quoteTable(at)}`,
    );
    if (row === undefined) return undefined;
    return {
      scheme: JSON.parse(row["scheme"] ?? "") as Scheme,
      fingerprint: row["fingerprint"] ?? "",
      stage: row["stage"] as KeptState["stage"],
      position: row["position"] ? (JSON.parse(row["position"]) as string[]) : undefined,
      copied: Number(row["copied"]),
    };
  }

  rows(sql: string, timeoutMs: number = WHOLE_TABLE_MS): Promise<readonly PgRow[]> {
    return this.#connection.rows(sql, timeoutMs);
  }

  /** Runs `steps` in one transaction; what fails leaves nothing behind. */
  async transaction(steps: readonly string[], lockTimeoutMs: number): Promise<void> {
    const sql = ["begin", `set local lock_timeout = ${lockTimeoutMs}`, ...steps, "commit"].join(";\n");
    await this.#orRollBack(this.#connection.query(sql, WHOLE_TABLE_MS));
  }

  /** The same for steps that need a strong lock: gives it up after a second, so that nobody waits behind it, and tries again. */
  async patiently(lock: string, check: () => Promise<void>, steps: readonly string[]): Promise<void> {
    for (let tries = 1; ; tries++) {
      try {
        // oxlint-disable-next-line no-await-in-loop -- one try after the other
        return await this.#orRollBack(this.#locked(lock, check, steps));
      } catch (error) {
        if (!isLockProblem(error)) throw error;
        if (tries === LOCK_TRIES)
          throw new PartitionProblem(
            `${quoteTable(this.name)} was locked by others each time for ${LOCK_TRIES} tries`,
            "look for long transactions in pg_stat_activity, then run the command again",
          );
      }
      // oxlint-disable-next-line no-await-in-loop -- a pause
      await this.pause(LOCK_PAUSE_MS);
    }
  }

  async #locked(lock: string, check: () => Promise<void>, steps: readonly string[]): Promise<void> {
    await this.#connection.query(
      `begin; set local lock_timeout = ${LOCK_TIMEOUT_MS}; ${lock}`,
      WHOLE_TABLE_MS,
    );
    await check();
    await this.#connection.query([...steps, "commit"].join(";\n"), WHOLE_TABLE_MS);
  }

  async #orRollBack<T>(work: Promise<T>): Promise<void> {
    try {
      await work;
    } catch (error) {
      if (this.#connection.isOpen) await this.#connection.query("rollback");
      throw error;
    }
  }

  pause(ms: number): Promise<void> {
    return new Promise((done) => void this.#scheduler.after(ms, done));
  }
}
