/**
 * What all clients of one pool share: the servers, what is known of the database's functions, positions, counts; and the choice of a
 * connection for each statement.
 */
import { AsyncLocalStorage } from "node:async_hooks";
import type { Clock, Random, Scheduler } from "../../base/index.ts";
import { formatLsn, parseLsn } from "../../pgwire/index.ts";
import {
  hintStatements,
  type RoutingHint,
  Statements,
  type TextFacts,
  VOLATILE_SQL,
  VolatileFunctions,
  withHint,
} from "../../sql/index.ts";
import { Causality, type Floor } from "../causality.ts";
import { type Route, type RouteReason, routeOf } from "../route.ts";
import { type Consistency, checkedHints, type Hints, routingConsistency } from "../terms.ts";
import type { Driver } from "./driver.ts";
import { PositionReader } from "./position-reader.ts";
import type { Primary } from "./primary.ts";
import type { QueryAnswer } from "./query.ts";
import type { Replica } from "./replica.ts";
import type { Lease, Server } from "./server.ts";

/** How statements of one `run` are to be treated. */
export interface Terms {
  readonly causality: Causality;
  readonly consistency: Consistency;
  readonly maxLagMs: number;
  readonly target: "primary" | "replica" | undefined;
}

/** What a core is made of. */
export interface CoreOptions {
  readonly driver: Driver;
  readonly primary: Primary;
  readonly replicas: readonly Replica[];
  /** Servers are behind a router: it is told by hints, and chooses. */
  readonly hints: boolean;
  readonly consistency: Consistency;
  readonly maxLagMs: number;
  readonly waitMs: number;
  readonly clock: Clock;
  readonly scheduler: Scheduler;
  readonly random: Random;
}

/** Counts since the start. */
export interface Counters {
  readonly routed: Partial<Record<RouteReason, number>>;
  /** Reads that no replica could answer in time, by reason, so that the primary did. */
  readonly fellBack: { behind: number; away: number; busy: number; refused: number; lost: number };
  retried: number;
  unknown: number;
}

/** Texts that a replica refused and that are remembered: each costs a round trip the first time. */
const REFUSED_MAX = 1000;

/** pg_proc is read again after so long: new functions are rare, and what a replica refuses is asked of the primary. */
const FUNCTIONS_MS = 60_000;

const POSITION_SQL = "SELECT pg_current_wal_insert_lsn()::text AS lsn";

/** One pool's shared part. */
export class Core {
  readonly options: CoreOptions;
  readonly statements: Statements = new Statements();
  readonly counters: Counters = {
    routed: {},
    fellBack: { behind: 0, away: 0, busy: 0, refused: 0, lost: 0 },
    retried: 0,
    unknown: 0,
  };
  readonly #terms = new AsyncLocalStorage<Terms>();
  readonly #readers = new WeakMap<Server, PositionReader>();
  readonly #default: Terms;
  readonly #refused = new Set<string>();
  #volatile: VolatileFunctions | undefined;
  #readAtMs = Number.NEGATIVE_INFINITY;
  #reading: Promise<void> | undefined;
  /** The newest position of the primary that was asked for, for `bounded` reads. */
  #sample: { readonly atMs: number; readonly lsn: Promise<bigint | undefined> } | undefined;

  constructor(options: CoreOptions) {
    this.options = options;
    this.#default = {
      causality: new Causality(),
      consistency: options.consistency,
      maxLagMs: options.maxLagMs,
      target: undefined,
    };
  }

  /** The terms that hold here. */
  get terms(): Terms {
    return this.#terms.getStore() ?? this.#default;
  }

  /** The pool's terms for a causality, as far as hints do not say otherwise. @throws TypeError for hints that make no sense. */
  newTerms(causality: Causality, hints: Hints): Terms {
    return { ...this.#default, causality, ...checkedHints(hints) };
  }

  /** The terms here with the hints of a statement; undefined when it has none. @throws TypeError for what makes no sense. */
  hintedTerms(hints: Hints): Terms | undefined {
    const { consistency, maxLag, target } = hints;
    if (consistency === undefined && maxLag === undefined && target === undefined) return undefined;
    return { ...this.terms, ...checkedHints(hints) };
  }

  within<T>(terms: Terms, run: () => T): T {
    return this.#terms.run(terms, run);
  }

  get volatile(): VolatileFunctions | undefined {
    return this.#volatile;
  }

  // --- where to -----------------------------------------------------------------------------------------------

  /** To be waited for before a route is asked for: what the database's functions do, the first time. Reads it again when that is due. */
  functionsFirst(): Promise<void> | undefined {
    if (this.options.clock.nowMs() - this.#readAtMs <= FUNCTIONS_MS) return undefined;
    // Without replicas it only tells reads from writes, whose positions are asked for: nobody waits for that.
    const read = this.#readFunctions();
    return this.#hasReplicas ? read : undefined;
  }

  /** The route of a text that is not bound to a connection already; counted. */
  route(text: string, facts: TextFacts): Route {
    const route = routeOf(text, facts, {
      hasReplicas: this.#hasReplicas,
      target: this.terms.target,
      volatile: this.#volatile,
      refused: this.#refused,
    });
    this.count(route.reason);
    return route;
  }

  get #hasReplicas(): boolean {
    return this.options.replicas.length > 0 && !this.options.hints;
  }

  count(reason: RouteReason): void {
    this.counters.routed[reason] = (this.counters.routed[reason] ?? 0) + 1;
  }

  /** A replica refused the text: the primary gets it from now on. */
  refuse(text: string): void {
    this.counters.fellBack.refused += 1;
    if (this.#refused.size >= REFUSED_MAX) this.#refused.clear();
    this.#refused.add(text);
  }

  /** Reads pg_proc. The first caller waits; later ones go by what was known. */
  #readFunctions(): Promise<void> | undefined {
    this.#reading ??= this.askPrimary(VOLATILE_SQL)
      .then(({ rows }) => {
        this.#volatile = new VolatileFunctions((rows as { proname: string }[]).map(({ proname }) => proname));
        this.#readAtMs = this.options.clock.nowMs();
      })
      .catch(() => {}) // reads go to the primary until it can be had
      .finally(() => {
        this.#reading = undefined;
      });
    return this.#volatile === undefined ? this.#reading : undefined;
  }

  async askPrimary(text: string): Promise<QueryAnswer> {
    const lease = await this.options.primary.acquire();
    let isBroken = true;
    try {
      const answer = (await lease.client.query(text)) as QueryAnswer;
      isBroken = false;
      return answer;
    } finally {
      lease.release(isBroken);
    }
  }

  // --- replicas -----------------------------------------------------------------------------------------------

  /** A connection to a replica that has what an answer must hold; undefined where the primary has to do it. */
  async replicaLease(): Promise<{ readonly lease: Lease; readonly replica: Replica } | undefined> {
    const { waitMs, clock } = this.options;
    const floor = await this.#floor();
    if (floor === "primary") return this.#fallsBack("behind");
    const untilMs = clock.nowMs() + waitMs;
    let why: "away" | "behind" | "busy" = "away";
    for (const replica of this.#byPreference(floor)) {
      const lease = await replica.acquire();
      if (typeof lease === "string") {
        why = lease;
        continue;
      }
      if (await replica.reaches(floor, Math.max(0, untilMs - clock.nowMs()))) return { lease, replica };
      lease.release();
      why = "behind";
    }
    return this.#fallsBack(why);
  }

  #fallsBack(why: "away" | "behind" | "busy"): undefined {
    this.counters.fellBack[why] += 1;
  }

  /** Those that have it already first, the less busy before the busier. */
  #byPreference(floor: bigint): Replica[] {
    const { replicas, random } = this.options;
    const start = Math.floor(random() * replicas.length);
    const turned = [...replicas.slice(start), ...replicas.slice(0, start)].filter((each) => each.isThere());
    const lacks = (replica: Replica): number => (replica.replayed >= floor ? 0 : 1);
    return turned.toSorted((a, b) => lacks(a) - lacks(b) || a.inFlight - b.inFlight);
  }

  /** The position that an answer must hold by the terms here. */
  async #floor(): Promise<Floor> {
    const { consistency, causality, maxLagMs } = this.terms;
    if (consistency === "eventual") return 0n;
    if (consistency === "session") return causality.floor();
    // What the primary had at a time no longer ago than allowed; `global`: after this read was asked for.
    const atMs = this.options.clock.nowMs();
    const sample = consistency === "bounded" ? this.#recent(atMs, maxLagMs) : undefined;
    const lsn = await (sample ?? this.#samplePrimary(atMs));
    return lsn ?? "primary";
  }

  #recent(atMs: number, maxLagMs: number): Promise<bigint | undefined> | undefined {
    return this.#sample !== undefined && atMs - this.#sample.atMs <= maxLagMs ? this.#sample.lsn : undefined;
  }

  #samplePrimary(atMs: number): Promise<bigint | undefined> {
    const lsn = this.askPrimary(POSITION_SQL).then(positionIn, () => undefined);
    this.#sample = { atMs, lsn };
    return lsn;
  }

  // --- causality ----------------------------------------------------------------------------------------------

  /** A commit was acknowledged on this connection, which is given back when it is not needed any more. */
  committed(lease: Lease, causality: Causality): void {
    let reader = this.#readers.get(lease.server);
    if (reader === undefined) {
      reader = new PositionReader(askPosition, this.options.scheduler);
      this.#readers.set(lease.server, reader);
    }
    causality.committed(reader.behind(lease));
  }

  /** The same where the connection is kept, or still at work: it is asked itself, behind that. Calls `then` in the end. */
  committedBehind(lease: Lease, causality: Causality, then: () => void = () => {}): void {
    const asked = askPosition(lease);
    causality.committed(asked);
    asked.then(then, then);
  }

  // --- hints --------------------------------------------------------------------------------------------------

  /** The text with what a router has to know in front. */
  async hinted(text: string): Promise<string> {
    return withHint(text, await this.#hint());
  }

  /** The same for a named statement, whose text must not change: as settings of the connection. */
  async setHints(lease: Lease): Promise<void> {
    for (const statement of hintStatements(await this.#hint())) {
      const [, name = ""] = statement.split(" ");
      if (lease.said.get(name) === statement) continue;
      // oxlint-disable-next-line no-await-in-loop -- the router answers each by itself, and takes one a text
      await lease.client.query(statement);
      lease.said.set(name, statement);
    }
  }

  async #hint(): Promise<RoutingHint> {
    const { consistency, causality, maxLagMs, target } = this.terms;
    const floor = await causality.floor();
    return {
      consistency: routingConsistency(consistency, maxLagMs),
      ...(target === undefined && floor !== "primary" ? {} : { target: target ?? "primary" }),
      ...(typeof floor === "bigint" && floor > 0n && consistency === "session"
        ? { after: formatLsn(floor) }
        : {}),
    };
  }
}

async function askPosition({ client }: Lease): Promise<bigint | undefined> {
  return positionIn((await client.query(POSITION_SQL)) as QueryAnswer);
}

function positionIn({ rows }: QueryAnswer): bigint | undefined {
  const [row] = rows as { lsn: string }[];
  return parseLsn(row?.lsn ?? "");
}
