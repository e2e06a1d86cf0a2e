/**
 * One server by its URL: a pool of connections, and what the server says of itself without being asked.
 *
 * Postgres reports `in_hot_standby` on each connection, at its start and when it changes (version 14 and later): so a client
 * knows a replica without a query.
 */
import type { Driver, DriverClient, DriverPool, QueryAnswer } from "./driver.ts";

/** A connection that is in use by one caller. */
export interface Lease {
  readonly client: DriverClient;
  readonly server: Server;
  /** Undefined: the server is older than 14, or has not said. */
  inRecovery(): boolean | undefined;
  /** What a router has been told on the connection: the setting's name -> the statement. */
  readonly said: Map<string, string>;
  /** Idempotent. `broken` closes the connection. */
  release(broken?: boolean): void;
}

interface Told {
  inRecovery: boolean | undefined;
  readonly said: Map<string, string>;
}

/** A server's pool. Connects when it is asked to. */
export class Server {
  readonly url: string;
  readonly #driver: Driver;
  readonly #options: object;
  readonly #told = new WeakMap<DriverClient, Told>();
  #pool: DriverPool;
  /** Connections made so far. What was learned of the server by an earlier one may not hold of it now: it may have been restarted. */
  connections = 0;
  /** Pools that `renew` replaced, while their last connections are in use. */
  readonly #ending = new Set<Promise<void>>();

  constructor(url: string, driver: Driver, options: object) {
    this.url = url;
    this.#driver = driver;
    this.#options = options;
    this.#pool = this.#open();
  }

  #open(): DriverPool {
    const told = this.#told;
    const { Client, Pool } = this.#driver;
    // Settings are reported before the pool hands a client out: whoever wants to hear them must be there from the start.
    function Watched(options: object): DriverClient {
      const client = new Client(options);
      watch(client, told);
      return client;
    }
    const pool = new Pool({ ...this.#options, connectionString: this.url, Client: Watched });
    pool.on("error", () => {}); // an idle connection ended: the pool has forgotten it
    pool.on("connect", () => {
      this.connections += 1;
    });
    return pool;
  }

  get pool(): DriverPool {
    return this.#pool;
  }

  /** A connection. Rejects when the server cannot be reached, or none is free within the pool's time. */
  async acquire(): Promise<Lease> {
    const client = await this.#pool.connect();
    const told = this.#told.get(client) ?? { inRecovery: undefined, said: new Map() };
    let isReleased = false;
    return {
      client,
      server: this,
      inRecovery: () => told.inRecovery,
      said: told.said,
      release: (broken = false) => {
        if (isReleased) return;
        isReleased = true;
        client.release(broken);
      },
    };
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

function watch(client: DriverClient, all: WeakMap<DriverClient, Told>): void {
  const told: Told = { inRecovery: undefined, said: new Map() };
  all.set(client, told);
  // An error of a connection in use reaches its query as well; without a listener it would end the process.
  client.on("error", () => {});
  client.connection?.on("parameterStatus", ({ parameterName, parameterValue = "" }) => {
    if (parameterName === "in_hot_standby") told.inRecovery = parameterValue === "on";
  });
}
