/**
 * One server by its URL: a pool of connections, and what the server says of itself without being asked.
 *
 * Postgres reports `in_hot_standby` on each connection, at its start and when it changes (version 14 and later): so a client
 * knows a replica without a query.
 */
import { PoolExhaustedError } from "../errors.ts";
import type { Driver, DriverClient, DriverPool } from "./driver.ts";
import type { QueryAnswer } from "./query.ts";

/** A connection that is in use by one caller. */
export interface Lease {
  readonly client: DriverClient;
  readonly server: Server;
  /** Undefined: the server is older than 14, or has not said. */
  inRecovery(): boolean | undefined;
  /** What a router has been told on the connection: the setting's name -> the statement. */
  readonly said: Map<string, string>;
  /** Asks the server to end what runs on the connection. */
  cancel(): void;
  /** Ends the connection as if the network had: what runs on it rejects. */
  cut(): void;
  /** Idempotent. `broken` closes the connection. */
  release(broken?: boolean): void;
}

interface Told {
  inRecovery: boolean | undefined;
  readonly said: Map<string, string>;
}

/** What a server's pool is made of. */
export interface ServerOptions {
  readonly url: string;
  readonly driver: Driver;
  /** pg's own. */
  readonly pool: Readonly<Record<string, unknown>>;
  readonly connectMs: number;
  /** How long who wants a connection waits for one of those in use. */
  readonly queueMs: number;
  /** Hears the events of pg's pool. */
  readonly emit: (event: PoolEvent, ...values: unknown[]) => void;
}

/** Events of pg's pool. */
export type PoolEvent = (typeof POOL_EVENTS)[number];

const POOL_EVENTS = ["connect", "acquire", "release", "remove", "error"] as const;

/** What pg's pool says when nobody gave a connection back in time; there is no code. */
const EXHAUSTED = "timeout exceeded when trying to connect";

/** A server's pool. Connects when it is asked to. */
export class Server {
  readonly #options: ServerOptions;
  readonly #told = new WeakMap<DriverClient, Told>();
  #pool: DriverPool;
  /** Connections made so far. What was learned of the server by an earlier one may not hold of it now: it may have been restarted. */
  connections = 0;
  /** Statements it has answered. */
  answers = 0;
  /** Pools that `renew` replaced, while their last connections are in use. */
  readonly #ending = new Set<Promise<void>>();

  constructor(options: ServerOptions) {
    this.#options = options;
    this.#pool = this.#open();
  }

  #open(): DriverPool {
    const told = this.#told;
    const { driver, url, connectMs, queueMs, emit } = this.#options;
    const { Client, Pool } = driver;
    // Settings are reported before the pool hands a client out: whoever wants to hear them must be there from the start.
    function Watched(options: object): DriverClient {
      // The pool's time is for both, a place in it and a connection; these are different waits.
      const client = new Client({ ...options, connectionTimeoutMillis: connectMs });
      watch(client, told);
      return client;
    }
    const pool = new Pool({
      ...this.#options.pool,
      connectionTimeoutMillis: queueMs,
      connectionString: url,
      Client: Watched,
    });
    pool.on("connect", () => {
      this.connections += 1;
    });
    // "error": an idle connection ended, and the pool has forgotten it.
    for (const event of POOL_EVENTS) pool.on(event, (...values: unknown[]) => emit(event, ...values));
    return pool;
  }

  get pool(): DriverPool {
    return this.#pool;
  }

  /** A connection. Rejects when the server cannot be reached, and with `PoolExhaustedError` when none is given back in time. */
  async acquire(): Promise<Lease> {
    let client: DriverClient;
    try {
      client = await this.#pool.connect();
    } catch (error) {
      throw this.#refusal(error);
    }
    const told = this.#told.get(client) ?? { inRecovery: undefined, said: new Map() };
    return new PoolLease(this, client, told);
  }

  #refusal(error: unknown): unknown {
    if (!(error instanceof Error) || error.message !== EXHAUSTED) return error;
    const { host } = new URL(this.#options.url);
    const { max } = this.#pool.options;
    return new PoolExhaustedError({ max: Number(max), server: host, waitedMs: this.#options.queueMs });
  }

  /** Asks the server to end what runs on a connection. By pg's client that has not connected: a cancel request is a connection of its own, which says nothing else. */
  cancel({ processID, secretKey }: DriverClient): void {
    const { driver, url, pool } = this.#options;
    const canceller = new driver.Client({ ...pool, connectionString: url });
    canceller.connection?.on("error", () => {}); // `cut` follows
    canceller.cancel?.({ activeQuery: canceller, processID, secretKey }, canceller);
  }

  /** One query on any connection. */
  async ask(text: string): Promise<QueryAnswer> {
    const lease = await this.acquire();
    let isBroken = true;
    try {
      const answer = (await lease.client.query(text)) as QueryAnswer;
      isBroken = false;
      return answer;
    } finally {
      lease.release(isBroken);
    }
  }

  /** New connections from here on; those in use end when they are given back. */
  renew(): void {
    this.#retire(this.#pool);
    this.#pool = this.#open();
  }

  #retire(pool: DriverPool): void {
    const ended = pool.end().catch(() => {});
    this.#ending.add(ended);
    void ended.then(() => this.#ending.delete(ended));
  }

  /** Resolves when all connections have ended, those in use included. */
  async end(): Promise<void> {
    this.#retire(this.#pool);
    await Promise.all(this.#ending);
  }
}

/** A client of pg's pool, in use. */
class PoolLease implements Lease {
  readonly client: DriverClient;
  readonly server: Server;
  readonly #told: Told;
  #isReleased = false;

  constructor(server: Server, client: DriverClient, told: Told) {
    this.server = server;
    this.client = client;
    this.#told = told;
  }

  inRecovery(): boolean | undefined {
    return this.#told.inRecovery;
  }

  get said(): Map<string, string> {
    return this.#told.said;
  }

  cancel(): void {
    this.server.cancel(this.client);
  }

  cut(): void {
    this.client.connection?.stream?.destroy();
  }

  release(broken = false): void {
    if (this.#isReleased) return;
    this.#isReleased = true;
    this.client.release(broken);
  }
}

function watch(client: DriverClient, all: WeakMap<DriverClient, Told>): void {
  const told: Told = { inRecovery: undefined, said: new Map() };
  all.set(client, told);
  // An error of a connection in use reaches its query as well; without a listener it would end the process.
  client.on("error", () => {});
  client.connection?.on("parameterStatus", ({ parameterName, parameterValue = "" }) => {
    if (parameterName === "in_hot_standby") told.inRecovery = parameterValue === "on";
  });
}
