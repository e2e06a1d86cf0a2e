/**
 * Advice on one database: its statements are read, indexes are guessed from them, and each guess is tried on a throw-away clone. Only
 * what was faster there is proposed.
 */

import type { Clock } from "../../../base/index.ts";
import { type Parse, Statements } from "../../../sql/index.ts";
import { type Catalog, servesForeignKey } from "../../advice/catalog.ts";
import { existingIndexes, type IndexFinding, unusedUnknown } from "../../advice/existing-indexes.ts";
import { createIndexSql, type IndexCandidate, indexCandidates } from "../../advice/index-candidates.ts";
import { BIG_BYTES, type PartitionAdvice, partitionAdvice } from "../../advice/partition-advice.ts";
import { kindOf, withSamples } from "../../advice/sample-values.ts";
import { quoteName, quoteTable, withCasts } from "../../advice/sql-text.ts";
import { type StatementNeeds, statementNeeds } from "../../advice/statement-needs.ts";
import { noPartitions, type TableFinding, tableFindings, tableUse } from "../../advice/table-use.ts";
import { type DropReason, dropReason, gainOf, type TriedIndex } from "../../advice/verdict.ts";
import type { ControlClient } from "../server/control-client.ts";
import { fetchCatalog, fetchStatements, fetchUsage, type SlowStatement } from "./facts.ts";
import { type Runnable, tryIndex } from "./trials.ts";

/** An index that was faster on the copy. */
export interface ProposedIndex {
  readonly sql: string;
  readonly table: string;
  readonly reasons: readonly string[];
  readonly bytes: number;
  readonly buildMs: number;
  readonly insertUs: { readonly before: number; readonly after: number } | undefined;
  readonly statements: readonly {
    readonly id: string;
    readonly beforeMs: number;
    readonly afterMs: number;
    /** How many times faster, by the smaller of time and blocks. */
    readonly gain: number;
  }[];
}

/** An index that is not proposed. */
export interface RejectedIndex {
  readonly sql: string;
  readonly reason: DropReason | "not-verified";
  readonly detail: string;
}

/** All advice on a database. */
export interface DatabaseAdvice {
  readonly slow: readonly SlowStatement[];
  /** Why statements are not known. */
  readonly statementsProblem: string | undefined;
  readonly proposed: readonly ProposedIndex[];
  readonly rejected: readonly RejectedIndex[];
  readonly existing: readonly IndexFinding[];
  /** Why unused indexes are not named. */
  readonly unusedProblem: string | undefined;
  readonly tables: readonly TableFinding[];
  readonly partitions: readonly PartitionAdvice[];
  /** Why there is no advice to partition. */
  readonly partitionsProblem: string | undefined;
}

/** What advice is asked of. */
export interface AdviceSource {
  /** To the database; only read from. */
  readonly client: ControlClient;
  readonly replicas: readonly ControlClient[];
  /** Opens the same database on a throw-away clone; undefined = none can be made, and nothing is proposed. */
  readonly clone: (() => Promise<ControlClient>) | undefined;
  readonly clock: Clock;
  /** Statements looked at, those that take most time together; default 50. */
  readonly statements?: number;
  /** From this size on tables may be partitioned, in bytes; default 10 GiB. */
  readonly bigBytes?: number;
}

const STATEMENTS = 50;

/** Each is built on the copy: more would take hours there. */
const CANDIDATES_MAX = 12;

interface ReadStatement extends SlowStatement {
  /** Its text as the grammar takes it. */
  readonly parsed: string;
  readonly tree: unknown;
  readonly needs: StatementNeeds;
}

/** Gathers all advice. Rejects with a `ServerError` when the server or its clone fails. */
export async function advise(source: AdviceSource): Promise<DatabaseAdvice> {
  const { client, replicas, bigBytes = BIG_BYTES } = source;
  const parse = await loadParser();
  const catalog = await fetchCatalog(client);
  const found = await fetchStatements(client, source.statements ?? STATEMENTS);
  const statements = typeof found === "string" ? [] : readStatements(found, catalog, parse);
  const usage = await fetchUsage(client, replicas);
  const asked = [...statements, ...foreignKeyStatements(catalog, parse)];
  const candidates = indexCandidates(asked, catalog).slice(0, CANDIDATES_MAX);
  const tried = await tryAll(candidates, asked, catalog, source, parse);
  const partitions = catalog.tables.flatMap(
    (table) => partitionAdvice(table, tableUse(table, statements), bigBytes) ?? [],
  );
  return {
    slow: statements.map(({ parsed: _parsed, tree: _tree, needs: _needs, ...slow }) => slow),
    statementsProblem: typeof found === "string" ? found : undefined,
    ...tried,
    existing: existingIndexes(catalog, usage),
    unusedProblem: unusedUnknown(usage),
    tables: tableFindings(catalog.tables),
    partitions,
    partitionsProblem: noPartitions(catalog.tables, partitions, bigBytes),
  };
}

async function loadParser(): Promise<Parse> {
  const { loadModule, parseSync } = await import("libpg-query");
  await loadModule();
  return (text) => parseSync(text);
}

/** The tree of the only statement of a text. */
function treeOf(text: string, parse: Parse): unknown {
  try {
    const { stmts = [] } = parse(text) as { readonly stmts?: readonly { readonly stmt?: unknown }[] };
    return stmts.length === 1 ? stmts[0]?.stmt : undefined;
  } catch {
    return undefined; // normalised texts of some utilities are no SQL
  }
}

/** Statements that name a table of the database; what tools and we ourselves ask the catalog is left out. */
function readStatements(found: readonly SlowStatement[], catalog: Catalog, parse: Parse): ReadStatement[] {
  return found.flatMap((slow) => {
    const parsed = withCasts(slow.text);
    const tree = treeOf(parsed, parse);
    const needs = statementNeeds(tree, catalog);
    const names = catalog.tables.some(({ name }) => slow.text.includes(name));
    const isOurs = needs.tables.length > 0 || (kindOf(tree) === undefined && names);
    return isOurs ? [{ ...slow, parsed, tree, needs }] : [];
  });
}

/** What Postgres runs for each row that is deleted where a foreign key points to. */
function foreignKeyStatements({ foreignKeys, tables, indexes }: Catalog, parse: Parse): ReadStatement[] {
  return foreignKeys
    .filter((key) => !indexes.some((index) => servesForeignKey(key, index)))
    .map((key) => {
      const where = key.columns.map((column, at) => `${quoteName(column)} = $${at + 1}`).join(" and ");
      const text = `select 1 from only ${quoteTable({ schema: key.schema, name: key.table })} where ${where}`;
      const tree = treeOf(text, parse);
      const needs = statementNeeds(tree, { foreignKeys, tables, indexes });
      return {
        id: `foreign key ${key.name}`,
        text,
        parsed: text,
        tree,
        needs,
        calls: 0,
        totalMs: 0,
        meanMs: 0,
        share: 0,
        rows: 0,
      };
    });
}

async function tryAll(
  candidates: readonly IndexCandidate[],
  statements: readonly ReadStatement[],
  catalog: Catalog,
  { clone, clock }: AdviceSource,
  parse: Parse,
): Promise<Pick<DatabaseAdvice, "proposed" | "rejected">> {
  const proposed: ProposedIndex[] = [];
  const rejected: RejectedIndex[] = [];
  if (candidates.length === 0) return { proposed, rejected };
  if (clone === undefined) {
    const detail = "it was tried on no copy: nothing shows that it would be used";
    for (const candidate of candidates)
      rejected.push({ sql: createIndexSql(candidate, true), reason: "not-verified", detail });
    return { proposed, rejected };
  }
  const runnable = statements.flatMap((statement) => runnableOf(statement, parse));
  const client = await clone();
  try {
    for (const candidate of candidates) {
      const tried = await tryIndex(client, candidate, runnable, catalog, clock);
      const sql = createIndexSql(candidate, true);
      const reason = "failed" in tried ? "build-failed" : dropReason(tried);
      if (reason === undefined && !("failed" in tried)) proposed.push(proposalOf(tried, sql));
      else if (reason !== undefined)
        rejected.push({ sql, reason, detail: "failed" in tried ? tried.failed : DETAILS[reason] });
    }
  } finally {
    client.close();
  }
  return { proposed, rejected };
}

const DETAILS: Readonly<Record<DropReason, string>> = {
  "not-used": "the planner does not use it",
  "no-gain": "it makes no statement twice as fast",
  "no-sample": "none of its statements could be run on the copy",
  "build-failed": "",
};

/** Statements that only read, and changes that can be taken back. */
function runnableOf({ id, parsed, tree, needs }: ReadStatement, parse: Parse): Runnable[] {
  const kind = kindOf(tree);
  const sample = withSamples(parsed, tree, needs);
  if (kind === undefined || "missing" in sample) return [];
  const [only] = new Statements(parse).of(sample.sql).statements;
  if (kind === "query" && only?.access !== "read") return [];
  const schemas = [...new Set(needs.tables.map(({ table }) => table.schema))];
  return [{ id, sql: sample.sql, schemas, changes: kind === "change" }];
}

function proposalOf({ candidate, trials, price }: TriedIndex, sql: string): ProposedIndex {
  return {
    sql,
    table: `${candidate.table.schema}.${candidate.table.name}`,
    reasons: candidate.reasons,
    ...price,
    statements: trials.map((trial) => ({
      id: trial.statement,
      beforeMs: trial.before.timeMs,
      afterMs: trial.after.timeMs,
      gain: gainOf(trial),
    })),
  };
}
