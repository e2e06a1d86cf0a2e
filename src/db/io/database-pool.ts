/**
 * A pool as pg's, over one primary and its replicas or a router before them: `query`, `connect`, `end`, so that Kysely, Drizzle and what
 * else takes a `pg.Pool` run unchanged; and beside that tokens, consistency, transactions that try again.
 */
import { EventEmitter } from "node:events";
import {
  type MetricFamily,
  renderMetrics,
  systemClock,
  systemRandom,
  systemScheduler,
} from "../../base/index.ts";
import { postgresUrl } from "../../postgres/index.ts";
import { Causality } from "../causality.ts";
import type { RouteReason } from "../route.ts";
import { type Consistency, checkedHints, durationMs, type Hints } from "../terms.ts";
import { Core, type Counters } from "./core.ts";
import { type Driver, loadDriver, requireDriver } from "./driver.ts";
import { Primary } from "./primary.ts";
import type { Query } from "./query.ts";
import { Replica } from "./replica.ts";
import { RoutedClient } from "./routed-client.ts";
import { type PoolEvent, Server } from "./server.ts";
import { runTransaction, type TransactionOptions } from "./transaction.ts";

/** "200ms", or milliseconds. */
export type Duration = string | number;

/** What is opened. */
export interface DatabaseOptions {
  /** The router, or the primary; a list holds the servers that may become it. */
  readonly url: string | readonly string[];
  /** Each of one server. Not with `router`. */
  readonly replicas?: readonly string[];
  /** `url` is a router's: it gets hints and chooses. Default false. */
  readonly router?: boolean;
  /** Default "session". */
  readonly consistency?: Consistency;
  /** Of "bounded". Default "1s". */
  readonly maxLag?: Duration;
  /** How long a read waits for a replica before it goes to the primary. Default "50ms". */
  readonly wait?: Duration;
  /** How long statements wait, unsent, while there is no primary. Default "10s". */
  readonly hold?: Duration;
  /** Of one statement: the server ends it then. Default none. */
  readonly deadline?: Duration;
  /** Further options of `pg.Pool`, per server: `max`, `ssl`, `types` … */
  readonly pool?: Readonly<Record<string, unknown>>;
}

/** The terms of what runs within `run`: what is left out is the pool's. */
export interface RunOptions extends Hints {
  /** A token: answers hold all that it stands for. */
  readonly after?: string | undefined;
}

/** What happened so far. */
export interface DatabaseStats {
  readonly routed: Partial<Record<RouteReason, number>>;
  readonly fellBack: Counters["fellBack"];
  readonly retried: number;
  readonly unknown: number;
  /** Rounds of tries in which no primary was found. */
  readonly withoutPrimary: number;
  readonly replicas: readonly {
    readonly there: boolean;
    readonly inFlight: number;
    readonly served: number;
  }[];
}

const DEFAULTS = { maxLag: "1s", wait: "50ms", hold: "10s" } as const;

/** Connecting takes no longer than this, so that another server is tried. */
const CONNECT_MS = 3000;

/** Reads wait no longer for one of a replica's connections: the primary can do them. */
const REPLICA_QUEUE_MS = 3000;

/** How much longer than the server a client waits for the end of a statement. */
const DEADLINE_SLACK_MS = 1000;

/** As pg says it. */
const ENDED = "Cannot use a pool after calling end on the pool";

type ConnectCallback = (
  error: Error | undefined,
  client: RoutedClient | undefined,
  release: (destroy?: Error | boolean) => void,
) => void;

/** Options of pg's pool with its defaults. */
export interface PgPoolOptions {
  max: number;
  maxUses: number;
  allowExitOnIdle: boolean;
  maxLifetimeSeconds: number;
  idleTimeoutMillis: number | null;
}

/**
 * The pool. Make it with `openDatabase`, or `new Pool(options)`. It emits what pg's does, for each server's connections: "connect", "acquire", "release" and "remove"
 * with pg's own client, and "error" of a connection that ended while idle, if somebody listens.
 *
 * An EventEmitter because pg's pool is one: libraries ask for all of its methods.
 */
export class DatabasePool extends EventEmitter {
  readonly #core: Core;
  readonly #servers: readonly Server[];
  #isEnding = false;
  #isEnded = false;

  /** As `openDatabase`, for where there is no `await`. @throws Error when the package pg is not installed. */
  constructor(options: DatabaseOptions, driver: Driver = requireDriver()) {
    super();
    const { consistency = "session", replicas = [], router = false } = options;
    checkedHints({ consistency });
    if (router && replicas.length > 0)
      throw new TypeError("replicas: a router knows its own; leave them out");
    const deadline = options.deadline === undefined ? undefined : durationMs(options.deadline, "deadline");
    const pool = {
      ...(deadline === undefined
        ? {}
        : { statement_timeout: deadline, query_timeout: deadline + DEADLINE_SLACK_MS }),
      ...options.pool,
    };
    const outside = { clock: systemClock, scheduler: systemScheduler, random: systemRandom };
    const holdMs = durationMs(options.hold ?? DEFAULTS.hold, "hold");
    const emit = (event: PoolEvent, ...values: unknown[]): void => {
      if (this.listenerCount(event) > 0) this.emit(event, ...values);
    };
    const { connectionTimeoutMillis: ownMs } = options.pool ?? {};
    const connectMs = typeof ownMs === "number" ? ownMs : CONNECT_MS;
    const server = (url: string, queueMs: number): Server =>
      new Server({ url: postgresUrl(url), driver, pool, connectMs, queueMs, emit });
    const queueMs = typeof ownMs === "number" ? ownMs : holdMs;
    const primaries = (typeof options.url === "string" ? [options.url] : options.url).map((url) =>
      server(url, queueMs),
    );
    if (primaries.length === 0) throw new TypeError("url: has none");
    const replicaMs = Math.min(queueMs, REPLICA_QUEUE_MS);
    const read = replicas.map((url) => new Replica({ server: server(url, replicaMs), ...outside }));
    this.#servers = [...primaries, ...read.map((replica) => replica.server)];
    this.#core = new Core({
      driver,
      primary: new Primary({ servers: primaries, holdMs, ...outside }),
      replicas: read,
      hints: router,
      consistency,
      maxLagMs: durationMs(options.maxLag ?? DEFAULTS.maxLag, "maxLag"),
      waitMs: durationMs(options.wait ?? DEFAULTS.wait, "wait"),
      ...outside,
    });
  }

  // --- as pg's pool -------------------------------------------------------------------------------------------

  /** A client, to be given back by `release`. Takes a connection when its first statement does. */
  connect(): Promise<RoutedClient>;
  connect(callback: ConnectCallback): void;
  connect(callback?: ConnectCallback): Promise<RoutedClient> | void {
    const ended = new Error(ENDED);
    if (callback === undefined)
      return this.#isEnding ? Promise.reject(ended) : Promise.resolve(new RoutedClient(this.#core));
    if (this.#isEnding) return callback(ended, undefined, () => {});
    const client = new RoutedClient(this.#core);
    callback(undefined, client, (destroy) => client.release(destroy));
  }

  /** One statement on the connection that suits it. As pg's: a text or an object, values, a callback. */
  readonly query: Query = ((config: unknown, values?: unknown, callback?: unknown): unknown =>
    this.#query(config, values, callback)) as Query;

  #query(config: unknown, values: unknown, callback: unknown): unknown {
    if (typeof config === "object" && config !== null && "submit" in config)
      throw new TypeError("a cursor or stream needs a client: take one with connect()");
    const client = new RoutedClient(this.#core);
    if (this.#isEnding) client.refuse(ENDED);
    const answer: unknown = client.query(config as string, values as unknown[], callback as never);
    client.release();
    return answer;
  }

  /** Closes all connections when they are not in use any more. */
  end(): Promise<void>;
  end(callback: (error?: Error) => void): void;
  end(callback?: (error?: Error) => void): Promise<void> | void {
    const ended = this.#end();
    if (callback === undefined) return ended;
    ended.then(() => callback(), callback);
  }

  async #end(): Promise<void> {
    if (this.#isEnding) throw new Error("Called end on pool more than once");
    this.#isEnding = true;
    await Promise.all(this.#servers.map((server) => server.end()));
    this.#isEnded = true;
  }

  get ending(): boolean {
    return this.#isEnding;
  }

  get ended(): boolean {
    return this.#isEnded;
  }

  /** What a server's pool was made with; all have the same. */
  get options(): PgPoolOptions {
    return this.#servers[0]?.pool.options as PgPoolOptions & Record<string, unknown>;
  }

  get totalCount(): number {
    return this.#sum("totalCount");
  }

  get idleCount(): number {
    return this.#sum("idleCount");
  }

  get waitingCount(): number {
    return this.#sum("waitingCount");
  }

  get expiredCount(): number {
    return this.#sum("expiredCount");
  }

  #sum(name: "totalCount" | "idleCount" | "waitingCount" | "expiredCount"): number {
    return this.#servers.reduce((sum, { pool }) => sum + pool[name], 0);
  }

  // --- beyond pg ----------------------------------------------------------------------------------------------

  /** Runs a transaction; again as a whole where Postgres asks for it. Rejects with `UnknownOutcomeError` when COMMIT got no answer. */
  transaction<T>(work: (client: RoutedClient) => Promise<T>, options: TransactionOptions = {}): Promise<T> {
    return runTransaction(this.#core, work, options);
  }

  /**
   * Runs `work` under terms of its own: all queries made in it, through whatever library, are held to them. Its commits are in its
   * token, and in no other's.
   */
  run<T>({ after, ...hints }: RunOptions, work: () => T): T {
    return this.#core.within(this.#core.newTerms(new Causality(after), hints), work);
  }

  /** The token of what was committed here: within `run` by it, elsewhere by the process. "" when nothing was. */
  token(): Promise<string> {
    return this.#core.terms.causality.token();
  }

  /** Counts since the start. */
  stats(): DatabaseStats {
    const { counters, options } = this.#core;
    return {
      routed: { ...counters.routed },
      fellBack: { ...counters.fellBack },
      retried: counters.retried,
      unknown: counters.unknown,
      withoutPrimary: options.primary.rounds,
      replicas: options.replicas.map((replica) => ({
        there: replica.isThere(),
        inFlight: replica.inFlight,
        served: replica.served,
      })),
    };
  }

  /** The counts in Prometheus' text format. */
  metrics(): string {
    const { routed, fellBack, retried, unknown, withoutPrimary } = this.stats();
    const counter = (name: string, help: string, values: Readonly<Record<string, number>>): MetricFamily => ({
      name: `tenfold_db_${name}_total`,
      help,
      type: "counter",
      samples: Object.entries(values).map(([reason, value]) => ({
        labels: reason === "" ? {} : { reason },
        value,
      })),
    });
    return renderMetrics([
      counter("statements", "Statements by the reason of their route.", routed),
      counter("fell_back", "Reads that the primary answered in a replica's place.", fellBack),
      counter("retried", "Statements and transactions that were tried again.", { "": retried }),
      counter("unknown_outcomes", "Statements lost after they were sent.", { "": unknown }),
      counter("without_primary", "Rounds of tries that found no primary.", { "": withoutPrimary }),
    ]);
  }
}

/** Opens a pool. Connects by and by. Rejects when the package pg is not installed; throws a TypeError for what makes no sense. */
export async function openDatabase(options: DatabaseOptions): Promise<DatabasePool> {
  return new DatabasePool(options, await loadDriver());
}
