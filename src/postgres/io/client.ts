/**
 * A client of Postgres for stores: prepared statements of one round trip, over a few connections of the app's own `pg`.
 *
 * No call outlives its deadline. One that waited for a connection until then is not sent any more; one that was sent may
 * still be carried out, even by a server process that hung and goes on much later, so that what is sent must be harmless
 * then. A connection whose answer is a second late is given up. What the schema lacks is made before the first call.
 */
import { type Clock, type Scheduler, systemClock, systemScheduler } from "../../base/index.ts";
import { postgresUrl } from "../url.ts";
import { type DriverPool, driver, type PooledClient, RAW, type Row, type Statement } from "./driver.ts";
import { ensureSchema, type PostgresSchema } from "./schema.ts";

/** What a client is made of. */
export interface PostgresClientOptions {
  /** `pg://`, `postgres://` or `postgresql://`. */
  readonly url: string;
  readonly schema: PostgresSchema;
  /** Shown in pg_stat_activity. */
  readonly name: string;
  /** Longest wait for an answer, connecting included. Default 1 s. */
  readonly deadlineMs?: number;
  /** Connections at most. Default 4: a statement takes a server process less than a millisecond. */
  readonly connectionsMax?: number;
  readonly clock?: Clock;
  readonly scheduler?: Scheduler;
}

const DEADLINE_MS = 1000;
const CONNECTIONS_MAX = 4;

/** Calls that wait for a connection: more than these would be late anyway. */
const WAITING_MAX = 10_000;

/** So much later than its deadline an answer may come; then the connection is given up. */
const LATE_MS = 1000;

/** A connection that nobody needs is closed after so long. */
const IDLE_MS = 60_000;

/** Tables are made within it, also while other processes make them. */
const SCHEMA_MS = 30_000;

/** SQLSTATE of what is not there (any more): a table, a function, a schema. */
const MISSING: ReadonlySet<string> = new Set(["42P01", "42883", "3F000"]);

/** A few connections and a schema. */
export class PostgresClient {
  readonly #options: PostgresClientOptions;
  readonly #deadlineMs: number;
  readonly #clock: Clock;
  readonly #scheduler: Scheduler;
  readonly #pool: DriverPool;
  #ready: Promise<void> | undefined;
  #isClosed = false;
  readonly #warned = new Set<string>();

  /** Begins to connect. Throws when the URL is none, or the package pg is not installed. */
  constructor(options: PostgresClientOptions) {
    const { Pool } = driver();
    this.#options = options;
    this.#deadlineMs = options.deadlineMs ?? DEADLINE_MS;
    this.#clock = options.clock ?? systemClock;
    this.#scheduler = options.scheduler ?? systemScheduler;
    this.#pool = new Pool({
      connectionString: postgresUrl(options.url),
      application_name: options.name,
      max: options.connectionsMax ?? CONNECTIONS_MAX,
      min: 1,
      idleTimeoutMillis: IDLE_MS,
      connectionTimeoutMillis: this.#deadlineMs + LATE_MS,
      statement_timeout: this.#deadlineMs + LATE_MS,
      keepAlive: true,
    });
    // A connection that ends shows in the call that it was lent to, or is replaced by the next.
    this.#pool.on("error", () => {});
    this.#pool.on("connect", (client) => client.on("error", () => {}));
    void this.#prepared().catch(() => {});
  }

  /** Runs a statement; its rows as texts. Rejects when there is no answer within the deadline, or the server refuses. */
  async run(statement: Statement): Promise<readonly Row[]> {
    const dueMs = this.#clock.nowMs() + this.#deadlineMs;
    if (this.#isClosed) throw new Error("the client was closed");
    if (this.#pool.waitingCount >= WAITING_MAX) throw new Error("too many calls wait for Postgres");
    await this.#within(this.#prepared(), dueMs);
    const connecting = this.#pool.connect();
    let client: PooledClient;
    try {
      client = await this.#within(connecting, dueMs);
    } catch (error) {
      connecting.then(
        (late) => late.release(),
        () => {},
      );
      throw error;
    }
    try {
      return await this.#ask(client, statement, dueMs);
    } catch (error) {
      if (MISSING.has(codeOf(error))) this.#ready = undefined;
      throw error;
    }
  }

  /** Ends the connections. Calls that wait are rejected; later ones too. */
  async close(): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    const ended = this.#pool.end();
    // A server that hangs takes no leave.
    await this.#within(ended, this.#clock.nowMs() + this.#deadlineMs).catch(() => {});
  }

  async #ask(client: PooledClient, statement: Statement, dueMs: number): Promise<readonly Row[]> {
    const giveBack = this.#lease(client, dueMs + LATE_MS);
    const answer = client.query({ ...statement, rowMode: "array", types: RAW });
    answer.then(
      () => giveBack(false),
      (error: unknown) => giveBack(isInDoubt(error)),
    );
    return (await this.#within(answer, dueMs)).rows;
  }

  /** How to give a client back, or to end it; ended it is by itself at `untilMs`. */
  #lease(client: PooledClient, untilMs: number): (ends: boolean) => void {
    let isHeld = true;
    const giveBack = (ends: boolean): void => {
      if (!isHeld) return;
      isHeld = false;
      cancel();
      client.release(ends);
    };
    const cancel = this.#scheduler.after(untilMs - this.#clock.nowMs(), () => giveBack(true));
    return giveBack;
  }

  /** Resolves when the schema is there; tries again when it could not be made. */
  #prepared(): Promise<void> {
    this.#ready ??= this.#prepare().catch((error: unknown) => {
      this.#ready = undefined;
      throw error;
    });
    return this.#ready;
  }

  async #prepare(): Promise<void> {
    const client = await this.#pool.connect();
    const giveBack = this.#lease(client, this.#clock.nowMs() + SCHEMA_MS);
    try {
      await client.query(`SET statement_timeout = ${SCHEMA_MS}`);
      await ensureSchema(client, this.#options.schema);
      await client.query("RESET statement_timeout");
      giveBack(false);
    } catch (error) {
      this.#warn(error);
      giveBack(true);
      throw error;
    }
  }

  /** What only a person can mend is said once: a cache that lacks its table is slow, and nobody would know why. */
  #warn(error: unknown): void {
    if (!(error instanceof Error) || this.#warned.has(error.message)) return;
    if (/^(?:08|57|53)/.test(codeOf(error)) || error.message.includes("Connection terminated")) return;
    this.#warned.add(error.message);
    process.emitWarning(`${this.#options.name} cannot use Postgres: ${error.message}`);
  }

  #within<T>(work: Promise<T>, dueMs: number): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      const cancel = this.#scheduler.after(dueMs - this.#clock.nowMs(), () =>
        reject(new Error(`Postgres did not answer within ${this.#deadlineMs} ms`)),
      );
      work.then(resolve, reject).finally(cancel);
    });
  }
}

/** SQLSTATE of what the server refused; "" of everything else. */
function codeOf(error: unknown): string {
  const code = error instanceof Error && "severity" in error && "code" in error ? error.code : "";
  return typeof code === "string" ? code : "";
}

/** Whether the connection is not to be used again: all but an ordinary refusal. */
function isInDoubt(error: unknown): boolean {
  return codeOf(error) === "" || (error as { severity?: string }).severity !== "ERROR";
}
