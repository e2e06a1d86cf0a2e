/**
 * What a statement asks of its tables: which columns it compares with what, in which order it wants the rows. From its parse tree
 * (libpg-query, PostgreSQL's own grammar). Only conditions that must all hold count: an OR asks for other indexes.
 */
import type { Catalog, TableFacts } from "./catalog.ts";
import { fieldsOf, isNode, listOf, namesOf, type ParseNode } from "./parse-tree.ts";

/** How a column is compared. */
export type Comparison = "=" | "in" | "any" | "<" | ">" | "is-null" | "join";

/** One condition on a column. */
export interface Condition {
  readonly column: string;
  /** A function of the column that is compared instead of it: lower, upper, date. */
  readonly wrapped: string | undefined;
  readonly comparison: Comparison;
}

/** One table in a statement. */
export interface TableNeeds {
  readonly table: TableFacts;
  readonly conditions: readonly Condition[];
  readonly order: readonly { readonly column: string; readonly descending: boolean }[];
  readonly hasLimit: boolean;
  /** Rows of it are deleted. */
  readonly deletes: boolean;
}

/** A `$1` and what it is compared with or written to. */
export interface Parameter {
  readonly number: number;
  readonly table: TableFacts;
  readonly condition: Condition;
  /** It is so long before now: `now() - $1`. */
  readonly isAge?: boolean;
}

/** All of a statement. */
export interface StatementNeeds {
  readonly tables: readonly TableNeeds[];
  readonly parameters: readonly Parameter[];
  /** Parameters of LIMIT and OFFSET. */
  readonly limits: { readonly limit: readonly number[]; readonly offset: readonly number[] };
}

interface Draft {
  readonly table: TableFacts;
  readonly conditions: Condition[];
  readonly order: { readonly column: string; readonly descending: boolean }[];
  hasLimit: boolean;
  deletes: boolean;
}

interface Scope {
  readonly byName: Map<string, Draft>;
  readonly outer: Scope | undefined;
}

interface Reading {
  readonly catalog: Catalog;
  readonly drafts: Draft[];
  readonly parameters: Parameter[];
  readonly limit: number[];
  readonly offset: number[];
}

/** Deeper statements are generated ones that nobody indexes for. */
const DEPTH_MAX = 20;

/** Reads the tree of one statement. */
export function statementNeeds(tree: unknown, catalog: Catalog): StatementNeeds {
  const reading: Reading = { catalog, drafts: [], parameters: [], limit: [], offset: [] };
  readQuery(tree, undefined, reading, 0);
  const { drafts: tables, parameters, limit, offset } = reading;
  return { tables, parameters, limits: { limit, offset } };
}

/** Reads a statement, and those in it, each with its own names and those around it. */
function readQuery(tree: unknown, outer: Scope | undefined, reading: Reading, depth: number): void {
  if (depth > DEPTH_MAX) return;
  const select = fieldsOf(tree, "SelectStmt");
  const update = fieldsOf(tree, "UpdateStmt");
  const remove = fieldsOf(tree, "DeleteStmt");
  const fields = select ?? update ?? remove;
  if (fields === undefined) return;
  const scope: Scope = { byName: new Map(), outer };
  const target = isNode(fields["relation"]) ? addTable(fields["relation"], scope, reading) : undefined;
  if (target !== undefined) target.deletes = remove !== undefined;
  for (const from of [...listOf(fields["fromClause"]), ...listOf(fields["usingClause"])])
    readFrom(from, scope, reading);
  readCondition(fields["whereClause"], scope, reading);
  if (update !== undefined && target !== undefined) readAssignments(fields["targetList"], target, reading);
  readOrder(fields, scope, reading);
  for (const side of ["larg", "rarg"]) {
    const part = fields[side];
    if (isNode(part)) readQuery({ SelectStmt: part }, outer, reading, depth + 1);
  }
  for (const inner of innerQueries(fields)) readQuery(inner, scope, reading, depth + 1);
}

/** Queries in a query, those in them left out. */
function innerQueries(fields: ParseNode): readonly unknown[] {
  const found: unknown[] = [];
  const visit = (value: unknown): void => {
    if (Array.isArray(value)) for (const each of value) visit(each);
    if (!isNode(value)) return;
    if (["SelectStmt", "UpdateStmt", "DeleteStmt"].some((kind) => isNode(value[kind]))) {
      found.push(value);
      return;
    }
    for (const each of Object.values(value)) visit(each);
  };
  for (const [name, value] of Object.entries(fields)) if (name !== "larg" && name !== "rarg") visit(value);
  return found;
}

function addTable(range: ParseNode, scope: Scope, { catalog, drafts }: Reading): Draft | undefined {
  const { relname, schemaname } = range;
  const table = catalog.tables.find(
    ({ name, schema }) => name === relname && (schemaname === undefined || schema === schemaname),
  );
  if (table === undefined) return undefined;
  const alias = isNode(range["alias"]) ? range["alias"]["aliasname"] : relname;
  const draft: Draft = { table, conditions: [], order: [], hasLimit: false, deletes: false };
  scope.byName.set(String(alias), draft);
  drafts.push(draft);
  return draft;
}

function readFrom(from: unknown, scope: Scope, reading: Reading): void {
  const range = fieldsOf(from, "RangeVar");
  if (range !== undefined) addTable(range, scope, reading);
  const join = fieldsOf(from, "JoinExpr");
  if (join === undefined) return;
  readFrom(join["larg"], scope, reading);
  readFrom(join["rarg"], scope, reading);
  readCondition(join["quals"], scope, reading);
}

function readCondition(node: unknown, scope: Scope, reading: Reading): void {
  const and = fieldsOf(node, "BoolExpr");
  if (and?.["boolop"] === "AND_EXPR")
    for (const each of listOf(and["args"])) readCondition(each, scope, reading);
  const test = fieldsOf(node, "NullTest");
  if (test?.["nulltesttype"] === "IS_NULL") note(test["arg"], "is-null", [], scope, reading);
  const expression = fieldsOf(node, "A_Expr");
  if (expression !== undefined) readExpression(expression, scope, reading);
}

const FLIPPED: Readonly<Record<string, string>> = { "<": ">", ">": "<", "<=": ">=", ">=": "<=", "=": "=" };

function readExpression(expression: ParseNode, scope: Scope, reading: Reading): void {
  const { kind, lexpr, rexpr } = expression;
  const [operator = ""] = namesOf(expression["name"]);
  if (kind === "AEXPR_IN" && operator === "=") {
    note(lexpr, "in", listOf(fieldsOf(rexpr, "List")?.["items"]), scope, reading);
  } else if (kind === "AEXPR_OP_ANY" && operator === "=") {
    note(lexpr, "any", [rexpr], scope, reading);
  } else if (kind === "AEXPR_BETWEEN") {
    const [low, high] = listOf(fieldsOf(rexpr, "List")?.["items"]);
    note(lexpr, ">", [low], scope, reading);
    note(lexpr, "<", [high], scope, reading);
  } else if (kind === "AEXPR_OP" && FLIPPED[operator] !== undefined) {
    const [left, right] = [columnOf(lexpr, scope), columnOf(rexpr, scope)];
    if (left !== undefined && right !== undefined) {
      if (operator !== "=" || left.draft === right.draft) return;
      note(lexpr, "join", [], scope, reading);
      note(rexpr, "join", [], scope, reading);
      return;
    }
    const isLeft = left !== undefined;
    const comparison = comparisonOf(isLeft ? operator : (FLIPPED[operator] ?? ""));
    note(isLeft ? lexpr : rexpr, comparison, [isLeft ? rexpr : lexpr], scope, reading);
  }
}

function comparisonOf(operator: string): Comparison {
  return operator.startsWith("<") ? "<" : operator.startsWith(">") ? ">" : "=";
}

/** Notes a condition on `side`, and the parameters among `values`. Values that are columns of the same row were sorted out before. */
function note(
  side: unknown,
  comparison: Comparison,
  values: readonly unknown[],
  scope: Scope,
  reading: Reading,
): void {
  const found = columnOf(side, scope);
  if (found === undefined) return;
  const condition: Condition = { column: found.column, wrapped: found.wrapped, comparison };
  found.draft.conditions.push(condition);
  for (const value of values) {
    const number = parameterOf(value);
    const age = ageOf(value);
    if (number !== undefined) reading.parameters.push({ number, table: found.draft.table, condition });
    else if (age !== undefined)
      reading.parameters.push({ number: age, table: found.draft.table, condition, isAge: true });
  }
}

/** The number of `$1` in `now() - $1`, as retention asks. */
function ageOf(node: unknown): number | undefined {
  const minus = fieldsOf(node, "A_Expr");
  if (minus === undefined || namesOf(minus["name"])[0] !== "-") return undefined;
  const isNow =
    namesOf(fieldsOf(minus["lexpr"], "FuncCall")?.["funcname"]).at(-1) === "now" ||
    fieldsOf(minus["lexpr"], "SQLValueFunction") !== undefined;
  return isNow ? parameterOf(minus["rexpr"]) : undefined;
}

/** Functions of one column that never change their mind, so that an index may hold their result. */
const WRAPPERS: ReadonlySet<string> = new Set(["lower", "upper"]);

function columnOf(
  node: unknown,
  scope: Scope,
): { readonly draft: Draft; readonly column: string; readonly wrapped: string | undefined } | undefined {
  const call = fieldsOf(node, "FuncCall");
  const [name = "", more] = namesOf(call?.["funcname"]);
  if (call !== undefined) {
    const [argument, second] = listOf(call["args"]);
    if (!WRAPPERS.has(name) || more !== undefined || second !== undefined) return undefined;
    const inner = columnOf(argument, scope);
    return inner === undefined || inner.wrapped !== undefined ? undefined : { ...inner, wrapped: name };
  }
  const names = namesOf(fieldsOf(node, "ColumnRef")?.["fields"]);
  const column = names.at(-1);
  if (column === undefined) return undefined;
  const draft = draftOf(names.at(-2), column, scope);
  return draft === undefined ? undefined : { draft, column, wrapped: undefined };
}

function draftOf(qualifier: string | undefined, column: string, scope: Scope | undefined): Draft | undefined {
  if (scope === undefined) return undefined;
  const has = ({ table }: Draft): boolean => table.columns.some(({ name }) => name === column);
  if (qualifier !== undefined) {
    const named = scope.byName.get(qualifier);
    return named === undefined ? draftOf(qualifier, column, scope.outer) : has(named) ? named : undefined;
  }
  return [...scope.byName.values()].find(has) ?? draftOf(undefined, column, scope.outer);
}

/** The number of `$1`, with a cast around it or not. */
function parameterOf(node: unknown): number | undefined {
  const cast = fieldsOf(node, "TypeCast");
  if (cast !== undefined) return parameterOf(cast["arg"]);
  const reference = fieldsOf(node, "ParamRef");
  return reference === undefined ? undefined : Number(reference["number"] ?? 0);
}

function readAssignments(targets: unknown, { table }: Draft, { parameters }: Reading): void {
  for (const target of listOf(targets)) {
    const fields = fieldsOf(target, "ResTarget");
    const number = parameterOf(fields?.["val"]);
    const column = fields?.["name"];
    if (number !== undefined && typeof column === "string")
      parameters.push({ number, table, condition: { column, wrapped: undefined, comparison: "=" } });
  }
}

function readOrder(fields: ParseNode, scope: Scope, reading: Reading): void {
  const limit = parameterOf(fields["limitCount"]);
  const offset = parameterOf(fields["limitOffset"]);
  if (limit !== undefined) reading.limit.push(limit);
  if (offset !== undefined) reading.offset.push(offset);
  const isCut = fields["limitCount"] !== undefined;
  for (const sort of listOf(fields["sortClause"])) {
    const by = fieldsOf(sort, "SortBy");
    const found = columnOf(by?.["node"], scope);
    if (found === undefined || found.wrapped !== undefined) return;
    found.draft.order.push({ column: found.column, descending: by?.["sortby_dir"] === "SORTBY_DESC" });
    found.draft.hasLimit = isCut;
  }
}
