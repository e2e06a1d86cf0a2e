/**
 * Reads the facts out of a parse tree of libpg-query, which is PostgreSQL's own grammar.
 *
 * The walk knows three things: what a node is (its key begins with a capital), where a name of WITH hides a table, and
 * which nodes may stand in a cached query. Everything it does not know refuses.
 */
import type { Reason } from "../reasons.ts";
import type { Effect, Facts, Name, SessionChange, TransactionStep, Write, WriteOperation } from "./facts.ts";
import { HARMLESS_SETTINGS, HARMLESS_STATEMENTS, QUERY_NODES, TRANSACTION_STEPS } from "./syntax.ts";

/** A node's fields, as the parser's JSON has them. */
export type ParseNode = Readonly<Record<string, unknown>>;

/** Names that WITH gives, in scope. */
type Scope = ReadonlySet<string>;

const NO_SCOPE: Scope = new Set();

/** PostgreSQL reads these words as times wherever a time is wanted; a digit may follow at once. Its longest time text has 128 characters. */
const TIME_WORD = /(?<![a-z])(?:now|today|tomorrow|yesterday)(?![a-z])/i;
const TIME_TEXT_MAX = 128;

/** Whether a text could be read as a time that moves. */
export function isTimeText(text: string): boolean {
  return text.length <= TIME_TEXT_MAX && TIME_WORD.test(text);
}

/** The facts of the statements of one text. */
export function classify(statements: readonly ParseNode[]): Facts {
  const walk = new Walk();
  for (const statement of statements) walk.statement(statement);
  if (statements.length !== 1) walk.refuse("several-statements");
  else if (walk.reads.size === 0) walk.refuse("no-tables");
  return walk.facts(statements.length);
}

/** What is taken for true of a text that cannot be parsed, if the server runs it all the same. */
export const UNPARSABLE: Facts = {
  statements: 1,
  refusal: "unparsable",
  reads: [],
  functions: [],
  operators: [],
  attributes: [],
  writes: [],
  effect: "schema",
  commitsMidway: false,
  session: "changed",
  steps: [],
};

class Walk {
  readonly reads: Map<string, Name> = new Map();
  readonly #functions = new Map<string, Name>();
  readonly #operators = new Set<string>();
  readonly #attributes = new Set<string>();
  readonly #writes: Write[] = [];
  readonly #steps: TransactionStep[] = [];
  #refusal: Reason | undefined;
  #effect: Effect = "none";
  #commitsMidway = false;
  #session: SessionChange = "kept";

  facts(statements: number): Facts {
    return {
      statements,
      refusal: this.#refusal,
      reads: [...this.reads.values()],
      functions: [...this.#functions.values()],
      operators: [...this.#operators],
      attributes: [...this.#attributes],
      writes: this.#writes,
      effect: this.#effect,
      commitsMidway: this.#commitsMidway,
      session: this.#session,
      steps: this.#steps,
    };
  }

  /** The first reason stays. */
  refuse(reason: Reason): void {
    this.#refusal ??= reason;
  }

  statement(node: ParseNode): void {
    const [kind = "", fields] = wrapped(node) ?? [];
    const handle = STATEMENTS[kind];
    if (handle !== undefined) return handle(this, fields ?? {});
    this.refuse(kind in DML || kind === "" ? "writes" : "command");
    if (!HARMLESS_STATEMENTS.has(kind)) this.affect("schema");
  }

  affect(effect: Effect): void {
    if (this.#effect !== "schema") this.#effect = effect;
  }

  /** A procedure may do anything, and COMMIT as it goes. */
  procedure(): void {
    this.refuse("writes");
    this.affect("schema");
    this.#commitsMidway = true;
  }

  /** A change for good stays one, whatever comes after it. */
  session(change: SessionChange): void {
    if (this.#session !== "changed") this.#session = change;
  }

  step(step: TransactionStep): void {
    this.#steps.push(step);
  }

  write(relation: unknown, operation: WriteOperation): void {
    this.refuse("writes");
    if (isNode(relation)) this.#writes.push({ table: nameOf(relation), operation });
  }

  // --- queries ------------------------------------------------------------------------------------------------

  /** SELECT, INSERT …: names of its WITH are in scope in all its other fields. */
  query(kind: string, fields: ParseNode, scope: Scope): void {
    const inner = this.#withClause(fields["withClause"], scope);
    if (kind === "SelectStmt") {
      if (fields["lockingClause"] !== undefined) this.refuse("row-locking");
      if (fields["intoClause"] !== undefined) this.#into(fields["intoClause"]);
    } else {
      DML[kind]?.(this, fields);
    }
    for (const [field, value] of Object.entries(fields)) {
      if (field === "withClause" || field === "intoClause" || field === "lockingClause") continue;
      if (field === "relation" && kind !== "SelectStmt") continue;
      if ((field === "larg" || field === "rarg") && isNode(value)) this.query("SelectStmt", value, inner);
      else this.visit(value, inner);
    }
  }

  /** Any part of a query. */
  visit(value: unknown, scope: Scope): void {
    if (Array.isArray(value)) {
      for (const each of value) this.visit(each, scope);
    } else if (isNode(value)) {
      const inside = wrapped(value);
      if (inside === undefined) for (const each of Object.values(value)) this.visit(each, scope);
      else this.#node(inside[0], inside[1], scope);
    }
  }

  #node(kind: string, fields: ParseNode, scope: Scope): void {
    if (kind === "SelectStmt" || kind in DML) return this.query(kind, fields, scope);
    if (kind === "RangeVar") return this.#relation(nameOf(fields), scope);
    if (kind === "RangeTableSample") this.refuse("random-sample");
    else if (kind === "SQLValueFunction") this.refuse("function-unstable");
    else if (kind === "FuncCall") this.#function(fields);
    else if (kind === "ColumnRef") this.#attribute(fields["fields"], 2);
    else if (kind === "A_Indirection") this.#attribute(fields["indirection"], 1);
    else if (kind === "A_Expr") this.#operator(fields["name"]);
    else if (kind === "A_Const") this.#constant(fields["sval"]);
    else if (!QUERY_NODES.has(kind)) this.refuse("unknown-syntax");
    for (const each of Object.values(fields)) this.visit(each, scope);
  }

  #withClause(clause: unknown, outer: Scope): Scope {
    if (!isNode(clause)) return outer;
    const tables = listOf(clause["ctes"]).flatMap((each): ParseNode[] => {
      const table = wrapped(each);
      return table === undefined ? [] : [table[1]];
    });
    const scope = new Set(outer);
    const nameOfTable = (table: ParseNode): string => String(table["ctename"]);
    if (clause["recursive"] === true) for (const table of tables) scope.add(nameOfTable(table));
    for (const table of tables) {
      this.visit(table, new Set(scope));
      scope.add(nameOfTable(table));
    }
    return scope;
  }

  #relation(name: Name, scope: Scope): void {
    if (name.schema === undefined && scope.has(name.name)) return;
    this.reads.set(JSON.stringify([name.schema, name.name]), name);
  }

  #function(fields: ParseNode): void {
    const parts = textsOf(fields["funcname"]);
    const name: Name = { schema: parts.at(-2), name: parts.at(-1) ?? "" };
    this.#functions.set(parts.join("."), name);
    // With `true` as its third argument it ends with the transaction.
    if (name.name === "set_config")
      this.session(isTrue(listOf(fields["args"])[2]) ? "changed-locally" : "changed");
  }

  /** `t.f` is a column, or else the function `f(t)`. */
  #attribute(path: unknown, lengthMin: number): void {
    const names = textsOf(path);
    const last = names.at(-1);
    if (names.length >= lengthMin && last !== undefined && last !== "") this.#attributes.add(last);
  }

  #operator(name: unknown): void {
    const last = textsOf(name).at(-1);
    if (last !== undefined) this.#operators.add(last);
  }

  #constant(value: unknown): void {
    const text = isNode(value) ? value["sval"] : undefined;
    if (typeof text === "string" && isTimeText(text)) this.refuse("time-literal");
  }

  #into(clause: unknown): void {
    this.refuse("writes");
    const relation = isNode(clause) && isNode(clause["rel"]) ? clause["rel"] : {};
    this.created(relation);
  }

  /** A new relation: a temporary one is the session's own affair. */
  created(relation: unknown): void {
    if (isNode(relation) && relation["relpersistence"] === "t") this.session("changed");
    else this.affect("schema");
  }
}

/** Statements that change rows -> how. */
const DML: Readonly<Record<string, (walk: Walk, fields: ParseNode) => void>> = {
  InsertStmt: (walk, fields) =>
    walk.write(fields["relation"], fields["onConflictClause"] === undefined ? "insert" : "update"),
  UpdateStmt: (walk, fields) => walk.write(fields["relation"], "update"),
  DeleteStmt: (walk, fields) => walk.write(fields["relation"], "delete"),
  MergeStmt: (walk, fields) => walk.write(fields["relation"], "delete"),
};

const dml =
  (kind: string) =>
  (walk: Walk, fields: ParseNode): void =>
    walk.query(kind, fields, NO_SCOPE);

/** Kinds of statements -> what is noted of them. */
const STATEMENTS: Readonly<Record<string, (walk: Walk, fields: ParseNode) => void>> = {
  SelectStmt: dml("SelectStmt"),
  InsertStmt: dml("InsertStmt"),
  UpdateStmt: dml("UpdateStmt"),
  DeleteStmt: dml("DeleteStmt"),
  MergeStmt: dml("MergeStmt"),
  ExplainStmt: (walk, fields) => {
    walk.refuse("command");
    if (isNode(fields["query"])) walk.statement(fields["query"]);
  },
  CopyStmt: (walk, fields) => {
    walk.refuse("command");
    if (fields["is_from"] === true) walk.write(fields["relation"], "insert");
    walk.visit(fields["query"], NO_SCOPE);
  },
  TruncateStmt: (walk, fields) => {
    const operation = fields["behavior"] === "DROP_CASCADE" ? "truncate-cascade" : "truncate";
    for (const each of listOf(fields["relations"])) walk.write(wrapped(each)?.[1], operation);
  },
  TransactionStmt: (walk, fields) => {
    walk.refuse("command");
    const kind = String(fields["kind"]);
    const step = TRANSACTION_STEPS[kind];
    const chains = fields["chain"] === true && (step === "commit" || step === "rollback");
    if (step !== undefined) walk.step(chains ? `${step}-chain` : step);
    // What the transaction did was prepared some time ago, maybe elsewhere.
    if (kind === "TRANS_STMT_COMMIT_PREPARED") walk.affect("schema");
  },
  VariableSetStmt: (walk, fields) => {
    walk.refuse("command");
    const name = textOf(fields["name"]);
    if (name === "TRANSACTION" || HARMLESS_SETTINGS.has(name)) return;
    walk.session(fields["is_local"] === true ? "changed-locally" : "changed");
  },
  DiscardStmt: (walk, fields) => {
    walk.refuse("command");
    if (fields["target"] === "DISCARD_ALL") walk.session("reset");
  },
  CreateStmt: (walk, fields) => {
    walk.refuse("writes");
    walk.created(fields["relation"]);
  },
  CreateTableAsStmt: (walk, fields) => {
    walk.refuse("writes");
    const into = fields["into"];
    walk.created(isNode(into) ? into["rel"] : undefined);
    walk.visit(fields["query"], NO_SCOPE);
  },
  CallStmt: (walk) => walk.procedure(),
  DoStmt: (walk) => walk.procedure(),
  ExecuteStmt: (walk) => {
    walk.refuse("command");
    walk.affect("schema");
  },
  RefreshMatViewStmt: (walk, fields) => walk.write(fields["relation"], "truncate"),
};

// --- the parser's JSON ------------------------------------------------------------------------------------------

function isNode(value: unknown): value is ParseNode {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** `{ Kind: fields }` as its two halves; undefined for plain fields. */
function wrapped(value: unknown): [string, ParseNode] | undefined {
  if (!isNode(value)) return undefined;
  for (const [kind, fields] of Object.entries(value))
    if (/^[A-Z]/.test(kind)) return [kind, isNode(fields) ? fields : {}];
  return undefined;
}

function isTrue(value: unknown): boolean {
  const constant = wrapped(value)?.[1]["boolval"];
  return isNode(constant) && constant["boolval"] === true;
}

function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

function textOf(value: unknown): string {
  return typeof value === "string" ? value : "";
}

function textsOf(value: unknown): string[] {
  return listOf(value).map((each) => textOf(wrapped(each)?.[1]["sval"]));
}

function nameOf(relation: ParseNode): Name {
  const schema = relation["schemaname"];
  return { schema: typeof schema === "string" ? schema : undefined, name: String(relation["relname"]) };
}
