/** Clients of the demo: they write rows at a steady rate through the router, and note what they were told. */
import { PgConnection, type PgConnectionOptions } from "../../pgwire/io/index.ts";
import { nowMs, wait } from "./time.ts";

/** What the clients saw. */
export interface Written {
  /** Rows that were sent, acknowledged or not. */
  readonly sent: number;
  /** Ids of rows that the database said it has. */
  readonly acknowledged: readonly number[];
  /** Errors by their text, with how often. */
  readonly errors: ReadonlyMap<string, number>;
  /** The longest time from one acknowledgement to the next one, of all clients together. */
  readonly longestPauseMs: number;
}

/** A client that writes slowly holds nobody up: the rate is shared by so many. */
const CLIENTS = 8;

const RECONNECT_MS = 20;
const QUERY_TIMEOUT_MS = 60_000;

export class DemoWriters {
  readonly #login: PgConnectionOptions;
  readonly #periodMs: number;
  readonly #running: Promise<unknown>;
  readonly #acknowledged: number[] = [];
  readonly #errors = new Map<string, number>();
  #sent = 0;
  #lastMs = nowMs();
  #longestPauseMs = 0;
  #isOver = false;

  /** Begins at once; `rate`: rows a second. The table "writes" must be there. */
  constructor(login: PgConnectionOptions, rate: number) {
    this.#login = login;
    this.#periodMs = (CLIENTS * 1000) / rate;
    this.#running = Promise.all(Array.from({ length: CLIENTS }, (_, client) => this.#client(client)));
  }

  get acknowledged(): number {
    return this.#acknowledged.length;
  }

  /** Ends it, and tells what was seen. */
  async stop(): Promise<Written> {
    this.#isOver = true;
    await this.#running;
    return {
      sent: this.#sent,
      acknowledged: this.#acknowledged,
      errors: this.#errors,
      longestPauseMs: Math.round(this.#longestPauseMs),
    };
  }

  async #client(client: number): Promise<void> {
    await wait((this.#periodMs * client) / CLIENTS);
    while (!this.#isOver) {
      try {
        const connection = await PgConnection.connect(this.#login);
        await this.#writeBy(connection).finally(() => connection.close());
      } catch (problem) {
        const text = problem instanceof Error ? problem.message : String(problem);
        this.#errors.set(text, (this.#errors.get(text) ?? 0) + 1);
        await wait(RECONNECT_MS);
      }
    }
  }

  async #writeBy(connection: PgConnection): Promise<void> {
    let dueMs = nowMs();
    while (!this.#isOver) {
      const id = ++this.#sent;
      await connection.rows(`insert into writes (id) values (${id})`, QUERY_TIMEOUT_MS);
      this.#acknowledged.push(id);
      const atMs = nowMs();
      this.#longestPauseMs = Math.max(this.#longestPauseMs, atMs - this.#lastMs);
      this.#lastMs = atMs;
      // What a pause has held up is not made good by a burst.
      dueMs = Math.max(dueMs + this.#periodMs, atMs);
      await wait(dueMs - atMs);
    }
  }
}
