/**
 * The cache behind one wrapped pool or client: what all its sessions share, and what a user asks it.
 */

import type { Random, Scheduler } from "../../base/index.ts";
import { type Clock, systemClock, systemRandom, systemScheduler } from "../../base/index.ts";
import { classOf, type QueryResult } from "./answer.ts";
import { CatalogSource, type DatedCatalog } from "./catalog/catalog-source.ts";
import { CATALOG_SQL } from "./catalog/catalog-sql.ts";
import { descendants, type FunctionRule, type Resolution, type Rules, resolve } from "./catalog/resolve.ts";
import { GuardedCalls } from "./guarded-calls.ts";
import { CHANNEL, type NotificationClient } from "./notify.ts";
import { Reader } from "./reader.ts";
import { REASONS, type Reason } from "./reasons.ts";
import { memoryResults } from "./results/memory-results.ts";
import { respResults } from "./results/resp-results.ts";
import type { ResultStore } from "./results/results.ts";
import { isUnstableBuiltin, STABLE_FUNCTIONS } from "./statement/functions.ts";
import { type Statement, Statements } from "./statement/statements.ts";
import { type Counters, newCounters, type QueryCacheStats, queryCacheMetrics } from "./stats.ts";
import { memoryVersions } from "./versions/memory-versions.ts";
import { type RespCaller, respVersions } from "./versions/resp-versions.ts";
import { EVERYTHING, SCHEMA, type VersionStore } from "./versions/versions.ts";
import { WriteGuard } from "./write-guard.ts";

/** All have defaults. */
export interface QueryCacheOptions {
  /** A store for versions and answers that all processes share. Default: this process's memory, for apps of one process. */
  readonly store?: RespCaller;
  /** Instead of `store`, for versions alone. All processes and routers that write to the database share them. */
  readonly versions?: VersionStore;
  /** Instead of `store`, for answers alone. */
  readonly results?: ResultStore;
  /** Longest life of an answer, ms; ends up to 10 % earlier, at random. The bound on staleness where all else fails. Default 60 s. */
  readonly ttlMs?: number;
  /** Larger answers are not kept. Default 256 KiB, as memory counts. */
  readonly resultBytesMax?: number;
  /** What your functions read and write, by the name that queries use. Unknown ones are not cached. */
  readonly functions?: Readonly<Record<string, FunctionRule>>;
  /** Table -> tables that its triggers write. A table with triggers that is not named here changes everything. */
  readonly triggers?: Readonly<Record<string, readonly string[]>>;
  /** What to do with a write when the store does not answer: "write" (default; others may be stale up to `ttlMs`) or "refuse". */
  readonly whenUnmarked?: "write" | "refuse";
  /** Definitions that were changed by other ways are noticed within this. Default 60 s. */
  readonly catalogRefreshMs?: number;
  readonly clock?: Clock;
  readonly scheduler?: Scheduler;
  readonly random?: Random;
}

/** What `explain` says of a statement. */
export interface QueryExplanation {
  readonly cacheable: boolean;
  readonly reason: Reason | undefined;
  /** The reason in words. */
  readonly because: string | undefined;
  /** Tables that its answer depends on. */
  readonly reads: readonly string[];
  /** Tables whose versions it changes; "*" is all of them, "#schema" all definitions. */
  readonly writes: readonly string[];
  readonly normalised: string;
}

const TTL_MS = 60_000;
const RESULT_BYTES_MAX = 256 * 1024;
const CATALOG_REFRESH_MS = 60_000;

/** Runs a text past the cache, for texts in arrays, in a session that is as its pool made it. */
export type Ask = (text: string) => Promise<QueryResult>;

/** One wrapped pool's or client's cache. */
export class QueryCache {
  readonly statements: Statements = new Statements();
  readonly counters: Counters = newCounters();
  readonly guard: WriteGuard;
  readonly reader: Reader;
  readonly catalogs: CatalogSource;
  readonly #versionsBreaker: GuardedCalls;
  readonly #resultsBreaker: GuardedCalls;
  readonly #rules: Rules;
  readonly #ask: Ask;
  readonly #resolutions = new WeakMap<Statement, { dated: DatedCatalog; resolution: Resolution }>();

  constructor(options: QueryCacheOptions, ask: Ask) {
    const { clock = systemClock, scheduler = systemScheduler, random = systemRandom, store } = options;
    const versions =
      options.versions ?? (store ? respVersions({ store, clock, random }) : memoryVersions({ clock }));
    const results = options.results ?? (store ? respResults({ store }) : memoryResults({ clock }));
    this.#ask = ask;
    this.#rules = { functions: options.functions ?? {}, triggers: options.triggers ?? {} };
    this.#versionsBreaker = new GuardedCalls(clock);
    this.#resultsBreaker = new GuardedCalls(clock);
    const { counters } = this;
    this.guard = new WriteGuard({
      versions,
      breaker: this.#versionsBreaker,
      scheduler,
      counters,
      refusesUnmarked: options.whenUnmarked === "refuse",
    });
    this.reader = new Reader({
      versions,
      results,
      versionsBreaker: this.#versionsBreaker,
      resultsBreaker: this.#resultsBreaker,
      counters,
      random,
      ttlMs: options.ttlMs ?? TTL_MS,
      bytesMax: options.resultBytesMax ?? RESULT_BYTES_MAX,
    });
    this.catalogs = new CatalogSource({
      versions,
      clock,
      refreshMs: options.catalogRefreshMs ?? CATALOG_REFRESH_MS,
    });
  }

  // --- for users ----------------------------------------------------------------------------------------------

  /** Whether a statement would be cached, and if not, why; on what it depends, and what it changes. Runs none of it. */
  async explain(text: string): Promise<QueryExplanation> {
    await this.statements.load();
    const statement = this.statements.of(text);
    const dated = await this.catalog();
    const { refusal, reads, writes } = this.resolve(statement, dated);
    return {
      cacheable: refusal === undefined,
      reason: refusal,
      because: refusal === undefined ? undefined : REASONS[refusal],
      reads: reads.filter((table) => table !== EVERYTHING && table !== SCHEMA),
      writes,
      normalised: statement.normalised,
    };
  }

  /** Counts since the start. */
  stats(): QueryCacheStats {
    const { counters } = this;
    const storeFailures = this.#versionsBreaker.failed + this.#resultsBreaker.failed;
    return { ...counters, bypassed: { ...counters.bypassed }, storeFailures };
  }

  /** The counts in Prometheus' text format. */
  metrics(): string {
    return queryCacheMetrics(this.stats());
  }

  /** Resolves when every answer that is to be kept is: before a process ends, and in tests. */
  settled(): Promise<void> {
    return this.reader.settled();
  }

  /** Says that tables ("schema.table"; default all) were written by other ways. Resolves when no older answer is given. */
  async invalidate(tables: readonly string[] = [EVERYTHING]): Promise<void> {
    await this.guard.tell(tables);
  }

  /**
   * Hears of writes made by other ways, through the triggers of `notifySql`, on a connected client of its own. What was
   * missed before is made good by one change of everything; so call it again with a new client when this one ends.
   */
  async listen(client: NotificationClient): Promise<void> {
    client.on("notification", ({ channel, payload }) => {
      if (channel === CHANNEL) void this.#heard(payload ?? EVERYTHING);
    });
    await client.query(`LISTEN ${CHANNEL}`);
    await this.invalidate();
  }

  // --- for its sessions ---------------------------------------------------------------------------------------

  /** The database's definitions, loaded by `ask` where that is due; undefined when they cannot be had. */
  catalog(ask: Ask = this.#ask): DatedCatalog | undefined | Promise<DatedCatalog | undefined> {
    return this.catalogs.ensure(async () => {
      const result = await ask(CATALOG_SQL);
      this.reader.resultClass ??= classOf(result);
      const [row] = result.rows as (readonly string[])[];
      return row?.[0] ?? "";
    });
  }

  /** What a statement reads and changes. Without a catalog nothing is cached, and a change is a change of everything. */
  resolve(statement: Statement, dated: DatedCatalog | undefined): Resolution {
    const { facts } = statement;
    if (dated === undefined) {
      const mayWrite = facts.functions.some(
        ({ name }) => !STABLE_FUNCTIONS.has(name) && !isUnstableBuiltin(name),
      );
      const writes = facts.writes.length > 0 || facts.effect !== "none" || mayWrite;
      const wide = facts.effect === "schema" ? [EVERYTHING, SCHEMA] : [EVERYTHING];
      return { refusal: facts.refusal ?? "catalog-unavailable", reads: [], writes: writes ? wide : [] };
    }
    const known = this.#resolutions.get(statement);
    if (known?.dated === dated) return known.resolution;
    const factsOf = (text: string): Statement["facts"] => this.statements.of(text).facts;
    const resolution = resolve(facts, dated.catalog, this.#rules, factsOf);
    this.#resolutions.set(statement, { dated, resolution });
    return resolution;
  }

  /** A trigger names the table of the statement; its partitions, and what it carries on, follow from the catalog. */
  async #heard(payload: string): Promise<void> {
    const dated = this.catalogs.current;
    const relation = dated?.catalog.relations.get(payload);
    if (relation === undefined)
      return this.guard.tell(payload === SCHEMA ? [SCHEMA, EVERYTHING] : [EVERYTHING]);
    return this.guard.tell([...descendants(relation)].map((each) => each.key));
  }
}
