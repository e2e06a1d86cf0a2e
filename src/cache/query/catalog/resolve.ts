/**
 * What a statement reads and changes in a given database: names resolved, views taken apart, closures taken.
 *
 * A read depends on a table and its partitions and heirs. A write changes a table, its partitions and heirs, what foreign keys
 * carry on, and whatever the user's triggers do. Where that cannot be known it changes everything.
 */
import type { Reason } from "../reasons.ts";
import type { Facts, Name, Write } from "../statement/facts.ts";
import { isUnstableBuiltin, STABLE_FUNCTIONS } from "../statement/functions.ts";
import { EVERYTHING, SCHEMA } from "../versions/versions.ts";
import type { Catalog, Relation } from "./catalog.ts";

/** What the user says of a function: the tables it reads and writes, as "schema.table" or a name on the search path. */
export interface FunctionRule {
  /** Given: queries that call it may be cached, and depend on these. */
  readonly reads?: readonly string[];
  /** Tables it changes. Default: none where it is in the options at all. */
  readonly writes?: readonly string[];
}

/** What the user says of the database. */
export interface Rules {
  /** By function name, as the queries write it. */
  readonly functions: Readonly<Record<string, FunctionRule>>;
  /** Table -> the tables that its triggers change. */
  readonly triggers: Readonly<Record<string, readonly string[]>>;
}

/** What was found. */
export interface Resolution {
  readonly refusal: Reason | undefined;
  /** Tables, `EVERYTHING` and `SCHEMA` that an answer depends on. Empty where it is refused. */
  readonly reads: readonly string[];
  /** Tables, `EVERYTHING` or `SCHEMA` that change. */
  readonly writes: readonly string[];
}

/** Views in views deeper than this are refused. PostgreSQL makes no cycles, so this is about cost alone. */
const VIEW_DEPTH_MAX = 16;

/** Resolves facts; `factsOf` reads the query of a view. */
export function resolve(
  facts: Facts,
  catalog: Catalog,
  rules: Rules,
  factsOf: (text: string) => Facts,
): Resolution {
  const resolver = new Resolver(catalog, rules, factsOf);
  resolver.functions(facts);
  for (const name of facts.reads) resolver.read(name, 0);
  for (const write of facts.writes) resolver.write(write);
  if (facts.effect !== "none") resolver.writes.add(EVERYTHING);
  if (facts.effect === "schema") resolver.writes.add(SCHEMA);
  const refusal = facts.refusal ?? resolver.refusal;
  return {
    refusal,
    reads: refusal === undefined ? [SCHEMA, EVERYTHING, ...[...resolver.reads].toSorted()] : [],
    writes: resolver.writes.has(EVERYTHING)
      ? [...resolver.writes].filter((table) => table === EVERYTHING || table === SCHEMA)
      : [...resolver.writes].toSorted(),
  };
}

class Resolver {
  readonly reads: Set<string> = new Set();
  readonly writes: Set<string> = new Set();
  refusal: Reason | undefined;
  readonly #catalog: Catalog;
  readonly #rules: Rules;
  readonly #factsOf: (text: string) => Facts;

  constructor(catalog: Catalog, rules: Rules, factsOf: (text: string) => Facts) {
    this.#catalog = catalog;
    this.#rules = rules;
    this.#factsOf = factsOf;
  }

  // --- reads --------------------------------------------------------------------------------------------------

  read(name: Name, depth: number): void {
    const relation = this.#catalog.relation(name);
    if (relation === undefined) return this.#refuse(unknownRelation(name));
    if (relation.kind === "f" || relation.kind === "S") return this.#refuse("relation-kind");
    if (relation.hasRowSecurity) return this.#refuse("row-security");
    if (relation.kind === "v") return this.#view(relation, depth);
    for (const each of descendants(relation)) {
      if (each.kind === "f") this.#refuse("relation-kind");
      this.reads.add(each.key);
    }
  }

  /** What PostgreSQL prints of a view is read as any query: so `now()` in it is seen, which pg_depend does not list. */
  #view(view: Relation, depth: number): void {
    if (view.definition === undefined || depth >= VIEW_DEPTH_MAX) return this.#refuse("view-too-deep");
    const facts = this.#factsOf(view.definition);
    if (facts.refusal !== undefined && facts.refusal !== "no-tables") this.#refuse(facts.refusal);
    this.functions(facts);
    for (const name of facts.reads) this.read(name, depth + 1);
  }

  #refuse(reason: Reason): void {
    this.refusal ??= reason;
  }

  /** Functions and operators decide whether a query may be cached, and may write. */
  functions(facts: Facts): void {
    for (const name of facts.functions) this.#function(name);
    if (facts.operators.some((operator) => this.#catalog.operators.has(operator)))
      this.#refuse("operator-unknown");
    if (facts.attributes.some((name) => this.#catalog.isVolatile({ schema: undefined, name }) !== undefined))
      this.#refuse("function-unknown");
  }

  #function(name: Name): void {
    const rule = this.#rules.functions[written(name)];
    if (rule !== undefined) return this.#ruled(rule);
    const isVolatile = name.schema === "pg_catalog" ? undefined : this.#catalog.isVolatile(name);
    if (isVolatile === true) this.writes.add(EVERYTHING);
    const isBuiltin = isVolatile === undefined && (name.schema ?? "pg_catalog") === "pg_catalog";
    if (isBuiltin && STABLE_FUNCTIONS.has(name.name)) return;
    this.#refuse(isBuiltin && isUnstableBuiltin(name.name) ? "function-unstable" : "function-unknown");
  }

  #ruled(rule: FunctionRule): void {
    for (const table of rule.writes ?? []) this.#change(nameFrom(table), false);
    if (rule.reads === undefined) return this.#refuse("function-unknown");
    for (const table of rule.reads) this.read(nameFrom(table), 0);
  }

  // --- writes -------------------------------------------------------------------------------------------------

  write({ table, operation }: Write): void {
    this.#change(table, operation !== "insert", operation === "truncate-cascade");
  }

  #change(name: Name, carriesOn: boolean, empties = false): void {
    const relation = this.#catalog.relation(name);
    if (relation === undefined) {
      // A temporary table, a catalog, or one that is newer than the picture.
      this.writes.add(EVERYTHING);
    } else if (relation.kind === "v") {
      this.#changeView(relation, carriesOn);
    } else {
      for (const changed of reached(relation, carriesOn, empties)) this.#changed(changed);
    }
  }

  #changed(relation: Relation): void {
    if (this.writes.has(relation.key)) return;
    this.writes.add(relation.key);
    if (!relation.runsCode) return;
    const named = this.#rules.triggers[relation.key] ?? this.#rules.triggers[unqualified(relation.key)];
    if (named === undefined) this.writes.add(EVERYTHING);
    else for (const table of named) this.#change(nameFrom(table), true);
  }

  /** A view that takes writes hands them to what it reads. */
  #changeView(view: Relation, carriesOn: boolean): void {
    if (view.runsCode || view.definition === undefined) {
      this.writes.add(EVERYTHING);
      return;
    }
    for (const name of this.#factsOf(view.definition).reads) this.#change(name, carriesOn);
  }
}

/** A table with its partitions and heirs. */
export function descendants(relation: Relation, seen: Set<Relation> = new Set()): Set<Relation> {
  if (seen.has(relation)) return seen;
  seen.add(relation);
  for (const child of relation.children) descendants(child, seen);
  return seen;
}

/** What a write reaches: descendants, and what foreign keys carry on (all of them where TRUNCATE … CASCADE empties). */
function reached(relation: Relation, carriesOn: boolean, empties: boolean): Set<Relation> {
  const seen = descendants(relation);
  if (!carriesOn) return seen;
  // A set's iteration goes on over what is added on the way.
  for (const each of seen)
    for (const reference of each.referencedBy)
      if (reference.cascades || empties) descendants(reference.relation, seen);
  return seen;
}

function unknownRelation({ schema, name }: Name): Reason {
  const isSystem =
    schema === "pg_catalog" ||
    schema === "information_schema" ||
    (schema === undefined && name.startsWith("pg_"));
  return isSystem ? "system-catalog" : "relation-unknown";
}

function written({ schema, name }: Name): string {
  return schema === undefined ? name : `${schema}.${name}`;
}

function nameFrom(text: string): Name {
  const dot = text.indexOf(".");
  return dot === -1
    ? { schema: undefined, name: text }
    : { schema: text.slice(0, dot), name: text.slice(dot + 1) };
}

function unqualified(key: string): string {
  return key.slice(key.indexOf(".") + 1);
}
