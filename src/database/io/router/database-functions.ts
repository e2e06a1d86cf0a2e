/** Which functions may write, by database: read from the primary's pg_proc, and again from time to time. */
import { VOLATILE_SQL, VolatileFunctions } from "../../../sql/index.ts";
import type { ClusterServer } from "../../view.ts";
import { ControlConnection } from "./control-connection.ts";
import type { ReadsHost } from "./reads.ts";

/** A function that was made since is refused by a replica, and retried: this is no matter of correctness. */
const RELOAD_MS = 180_000;
/** After a failure, and at least between two readings. */
const RETRY_MS = 2_000;

interface Known {
  functions: VolatileFunctions | undefined;
  readAtMs: number;
  nextMs: number;
  connection: ControlConnection | undefined;
}

export class DatabaseFunctions {
  readonly #host: ReadsHost;
  readonly #user: string;
  readonly #primary: () => ClusterServer | undefined;
  readonly #known = new Map<string, Known>();

  constructor(host: ReadsHost, user: string, primary: () => ClusterServer | undefined) {
    this.#host = host;
    this.#user = user;
    this.#primary = primary;
  }

  /** Those of a database; undefined until they have been read. Reads them when they are old. */
  of(database: string): VolatileFunctions | undefined {
    const nowMs = this.#host.context.clock.nowMs();
    let known = this.#known.get(database);
    if (known === undefined) {
      known = { functions: undefined, readAtMs: -Infinity, nextMs: -Infinity, connection: undefined };
      this.#known.set(database, known);
    }
    if (nowMs >= known.nextMs && known.connection === undefined) this.#read(database, known);
    return known.functions;
  }

  /** One was met that nobody knew. */
  reload(database: string): void {
    const known = this.#known.get(database);
    if (known === undefined) return;
    known.nextMs = Math.min(known.nextMs, known.readAtMs + RETRY_MS);
  }

  #read(database: string, known: Known): void {
    const { context, credentials } = this.#host;
    const primary = this.#primary();
    known.nextMs = context.clock.nowMs() + RETRY_MS;
    if (primary === undefined) return;
    const connection = new ControlConnection(context, primary, credentials(this.#user, database), {
      opened: () =>
        connection.ask(VOLATILE_SQL, (answer) => {
          known.connection = undefined;
          connection.close();
          if ("rows" in answer)
            this.#learn(
              known,
              answer.rows.map(([name]) => name ?? ""),
            );
        }),
      lost: (error) => {
        known.connection = undefined;
        const why = typeof error === "string" ? `the connection is ${error}` : error.message;
        context.log.warn("functions-unread", { database, error: why });
      },
    });
    known.connection = connection;
  }

  #learn(known: Known, names: readonly string[]): void {
    known.functions = new VolatileFunctions(names);
    known.readAtMs = this.#host.context.clock.nowMs();
    known.nextMs = known.readAtMs + RELOAD_MS;
  }

  stop(): void {
    for (const { connection } of this.#known.values()) connection?.close();
  }
}
