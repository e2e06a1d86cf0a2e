/**
 * The way of one query: by the cache, through it, or as a write that is announced.
 *
 *   transaction control  ->  keep book, announce what was written before COMMIT
 *   a write              ->  in a transaction: note it; by itself: announce, run, settle
 *   refused              ->  as it is
 *   a query              ->  the reader
 */
import { AS_TEXT, type QueryResult, resultOf, type TypeParsers } from "./answer.ts";
import type { DatedCatalog } from "./catalog/catalog-source.ts";
import type { Resolution } from "./catalog/resolve.ts";
import type { QueryCall } from "./client.ts";
import { parametersKey } from "./parameters.ts";
import type { QueryCache } from "./query-cache.ts";
import type { Found } from "./reader.ts";
import type { Reason } from "./reasons.ts";
import type { Session } from "./session.ts";
import type { Statement } from "./statement/statements.ts";
import { countBypass } from "./stats.ts";
import { EVERYTHING, SCHEMA } from "./versions/versions.ts";
import type { WriteOutcome } from "./write-guard.ts";

/** Where queries go: one session, or a pool that chooses one for each. */
export interface Destination {
  readonly session: Session;
  /** Whether any session that the query may run in is not as its pool made it. */
  readonly isChanged: () => boolean;
  /** A pool's queries have no transaction of their own. */
  readonly isShared: boolean;
  readonly query: (config: unknown) => Promise<QueryResult>;
  readonly types: TypeParsers | undefined;
  readonly isBinary: boolean;
}

/** A query that went out, in its order. `done` is its result. */
export interface Issued {
  readonly done: Promise<QueryResult>;
}

/** A schema that moves again and again is left to settle. */
const SCHEMA_TRIES = 3;

/** Sends one query on its way. Resolves when the next one of the same session may follow. */
export async function dispatch(cache: QueryCache, to: Destination, call: QueryCall): Promise<Issued> {
  if (!cache.statements.ready) await cache.statements.load();
  const statement = cache.statements.of(call.text);
  const { facts } = statement;
  if (facts.steps.length > 0) return control(cache, to, call, statement);
  const dated = await catalogFor(cache, to);
  const resolution = cache.resolve(statement, dated);
  if (facts.session === "reset" && !to.isShared) to.session.changed = false;
  if (facts.session === "changed-locally" && to.session.inTransaction) to.session.changedLocally = true;
  if (facts.session === "changed" || resolution.writes.length > 0) {
    if (resolution.refusal !== undefined) countBypass(cache.counters, resolution.refusal);
    const names = writesIn(to, facts, resolution);
    const tables = { names, schema: dated?.version, commitsMidway: facts.commitsMidway };
    const issued = write(cache, to, call, tables);
    return facts.session === "changed" ? changingSession(to, issued) : issued;
  }
  const reason = resolution.refusal ?? refusalOf(cache, to, call, resolution);
  if (reason !== undefined || dated === undefined)
    return bypass(cache, to, call, reason ?? "catalog-unavailable");
  return read(cache, to, call, statement);
}

/** The catalog. A session that is not as its pool made it, or is in a transaction, does not load it for the others. */
export async function catalogFor(cache: QueryCache, to: Destination): Promise<DatedCatalog | undefined> {
  if (to.session.inTransaction || to.isChanged()) return cache.catalogs.current;
  return cache.catalog((text) => to.query({ text, types: AS_TEXT, rowMode: "array" }));
}

/** What a statement changes. Where the search path may be another one, names may mean other tables. */
export function writesIn(
  { session, isChanged }: Destination,
  facts: Statement["facts"],
  { writes }: Resolution,
): readonly string[] {
  const isAsMade = facts.session !== "changed" && facts.session !== "changed-locally";
  if (writes.length === 0 || (isAsMade && !isChanged() && !session.changedLocally)) return writes;
  return writes.includes(SCHEMA) ? [EVERYTHING, SCHEMA] : [EVERYTHING];
}

/** What the call or its session, not its text, has against the cache. */
function refusalOf(
  cache: QueryCache,
  to: Destination,
  call: QueryCall,
  resolution: Resolution,
): Reason | undefined {
  const { config } = call;
  if (to.session.inTransaction) return "in-transaction";
  if (to.isChanged()) return "session-changed";
  if (config.cache === false) return "opted-out";
  if (config.binary === true || to.isBinary) return "binary-format";
  if (config.rows !== undefined) return "stream";
  if (cache.reader.resultClass === undefined) return "client-unknown";
  return cache.guard.isUntold(resolution.reads) ? "pending-write" : undefined;
}

function bypass(cache: QueryCache, to: Destination, call: QueryCall, reason: Reason): Issued {
  countBypass(cache.counters, reason);
  return { done: to.query(call.config) };
}

// --- queries ----------------------------------------------------------------------------------------------------

async function read(
  cache: QueryCache,
  to: Destination,
  call: QueryCall,
  statement: Statement,
): Promise<Issued> {
  const parameters = parametersKey(call.values);
  if ("refusal" in parameters) return bypass(cache, to, call, parameters.refusal);
  const { config } = call;
  for (let tries = 0; tries < SCHEMA_TRIES; tries += 1) {
    const dated = await catalogFor(cache, to);
    const resolution = cache.resolve(statement, dated);
    if (dated === undefined || resolution.refusal !== undefined)
      return bypass(cache, to, call, resolution.refusal ?? "catalog-unavailable");
    const found: Found = await cache.reader.find({
      identity: [dated.catalog.database, dated.catalog.session, statement.normalised, parameters.text],
      reads: resolution.reads,
      schema: dated.version,
      run: () => to.query({ ...config, types: AS_TEXT, rowMode: "array" }),
    });
    if (found.kind === "bypass") return bypass(cache, to, call, found.reason);
    const Result = cache.reader.resultClass;
    if (found.kind === "answer" && Result !== undefined) {
      const result = resultOf(found.answer, Result, config.rowMode, config.types ?? to.types);
      return { done: Promise.resolve(result) };
    }
    cache.catalogs.invalidate();
  }
  return bypass(cache, to, call, "catalog-unavailable");
}

// --- writes -----------------------------------------------------------------------------------------------------

/** What a write changes. */
interface Tables {
  readonly names: readonly string[];
  /** The version of the catalog that says so. */
  readonly schema: string | undefined;
  readonly commitsMidway: boolean;
}

async function write(cache: QueryCache, to: Destination, call: QueryCall, tables: Tables): Promise<Issued> {
  if (tables.names.length === 0) return { done: to.query(call.config) };
  if (!to.session.inTransaction) return announced(cache, to, call, tables);
  to.session.write(tables.names);
  return { done: to.query(call.config) };
}

/** Marks, runs, settles. The result is given when the versions are new. */
async function announced(
  cache: QueryCache,
  to: Destination,
  call: QueryCall,
  tables: Tables,
): Promise<Issued> {
  const announcement = await cache.guard.announce(tables.names, tables.schema);
  const run = async (): Promise<QueryResult> => {
    let outcome: WriteOutcome = "unknown";
    try {
      const result = await to.query(call.config);
      // A transaction that had failed answers COMMIT with ROLLBACK.
      outcome = result.command === "ROLLBACK" ? "rolled-back" : "committed";
      return result;
    } catch (error) {
      outcome = isRefusal(error) ? (tables.commitsMidway ? "committed" : "rolled-back") : "unknown";
      throw error;
    } finally {
      if (tables.names.includes(SCHEMA)) cache.catalogs.invalidate();
      await cache.guard.settle(announcement, outcome);
    }
  };
  return { done: run() };
}

/** SQLSTATE classes that come instead of a commit. Others may come after one, or tell of a lost connection. */
const REFUSALS = /^(?:0[A-Z0-7]|1|2|3|4(?!0003)|53|54|55|57014|P|H)/;

/** Whether an error is the server's word that nothing was committed. */
function isRefusal(error: unknown): boolean {
  const code = typeof error === "object" && error !== null && "code" in error ? error.code : undefined;
  return typeof code === "string" && /^[0-9A-Z]{5}$/.test(code) && REFUSALS.test(code);
}

/** The session is another one from here on, unless the server refuses. */
async function changingSession(to: Destination, issued: Promise<Issued>): Promise<Issued> {
  const before = to.session.changed;
  to.session.changed = true;
  const { done } = await issued;
  done.catch((error: unknown) => {
    if (isRefusal(error)) to.session.changed = before;
  });
  return { done };
}

// --- transactions -----------------------------------------------------------------------------------------------

async function control(
  cache: QueryCache,
  to: Destination,
  call: QueryCall,
  { facts }: Statement,
): Promise<Issued> {
  countBypass(cache.counters, facts.refusal ?? "command");
  const { session } = to;
  if (facts.session === "changed") session.changed = true;
  const [step] = facts.steps;
  // BEGIN, COMMIT and more in one text, or through a pool, where nobody knows which session they meet.
  const isObscure = to.isShared || facts.statements > 1;
  if (isObscure && to.isShared) session.changed = true;
  if (isObscure) return obscureControl(cache, to, call, facts.steps);
  if (step === "commit" || step === "commit-chain") {
    const tables = {
      names: [...session.written],
      schema: cache.catalogs.current?.version,
      commitsMidway: false,
    };
    // Where the write is refused the transaction has not ended.
    const issued = tables.names.length > 0 ? await announced(cache, to, call, tables) : undefined;
    session.end(step === "commit-chain");
    if (issued !== undefined) return issued;
  } else if (step === "begin") {
    session.begin();
  } else {
    session.end(step === "rollback-chain");
  }
  return { done: to.query(call.config) };
}

function obscureControl(
  cache: QueryCache,
  to: Destination,
  call: QueryCall,
  steps: Statement["facts"]["steps"],
): Promise<Issued> {
  for (const step of steps) {
    if (step === "begin") to.session.begin();
    else to.session.end(step.endsWith("-chain"));
  }
  const everything = [EVERYTHING, SCHEMA];
  if (to.isShared) to.session.end(false);
  else if (to.session.inTransaction) to.session.write(everything);
  return announced(cache, to, call, { names: everything, schema: undefined, commitsMidway: true });
}
