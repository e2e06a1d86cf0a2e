/**
 * Values for the parameters of a statement, from the statistics of the columns that they are compared with, so that it can be run on
 * a copy: a value in the middle for equality, the first or last tenth for an open range.
 */
import type { ColumnFacts } from "./catalog.ts";
import { isNode, type ParseNode, walk } from "./parse-tree.ts";
import { quoteText } from "./sql-text.ts";
import type { Comparison, Parameter, StatementNeeds } from "./statement-needs.ts";

/** Of the values in order: where a comparison takes its sample. */
const QUANTILE: Readonly<Record<Comparison, number>> = {
  "=": 0.5,
  in: 0.5,
  any: 0.5,
  join: 0.5,
  "is-null": 0.5,
  "<": 0.1,
  ">": 0.9,
};

/** Both ends of one range: a tenth of the rows lies between. */
const RANGE = { low: 0.45, high: 0.55 } as const;

/** Rows that a LIMIT with a parameter is tried with. */
const LIMIT = "20";

/** The statement's text with values instead of parameters; else the first parameter that has none. */
export function withSamples(
  text: string,
  tree: unknown,
  needs: StatementNeeds,
): { readonly sql: string } | { readonly missing: number } {
  const places = new Map<number, number>();
  walk(tree, (kind, fields) => {
    if (kind === "ParamRef") places.set(Number(fields["location"] ?? 0), Number(fields["number"] ?? 0));
  });
  const bytes = Buffer.from(text); // locations count bytes
  let sql = "";
  let from = 0;
  for (const [place, number] of [...places].toSorted(([a], [b]) => a - b)) {
    const value = sampleOf(number, needs);
    if (value === undefined) return { missing: number };
    sql += bytes.toString("utf8", from, place) + value;
    from = place + 1 + String(number).length;
  }
  return { sql: sql + bytes.toString("utf8", from) };
}

function sampleOf(number: number, { parameters, limits }: StatementNeeds): string | undefined {
  if (limits.limit.includes(number)) return LIMIT;
  if (limits.offset.includes(number)) return "0";
  const parameter = parameters.find((each) => each.number === number);
  if (parameter === undefined) return undefined;
  const { condition, table } = parameter;
  const column = table.columns.find(({ name }) => name === condition.column);
  const value = column === undefined ? undefined : valueAt(column, quantileOf(parameter, parameters));
  if (value === undefined) return undefined;
  if (parameter.isAge === true) return `(now() - ${quoteText(value)}::timestamptz)`;
  if (condition.comparison === "any") return `ARRAY[${quoteText(value)}]::${column?.type}[]`;
  return condition.wrapped === undefined ? quoteText(value) : `${condition.wrapped}(${quoteText(value)})`;
}

function quantileOf({ condition, table }: Parameter, all: readonly Parameter[]): number {
  const { comparison, column } = condition;
  const opposite = comparison === "<" ? ">" : "<";
  const isRange = comparison === "<" || comparison === ">";
  const hasOther = all.some(
    (each) =>
      each.table === table && each.condition.column === column && each.condition.comparison === opposite,
  );
  if (isRange && hasOther) return comparison === ">" ? RANGE.low : RANGE.high;
  return QUANTILE[comparison];
}

/** A value of the column such that this share of the rows is below it, about. */
function valueAt({ bounds, common }: ColumnFacts, quantile: number): string | undefined {
  if (bounds.length > 0) return bounds[Math.min(bounds.length - 1, Math.floor(quantile * bounds.length))];
  return common[Math.floor(common.length / 2)]?.value;
}

/** What a tree is, as far as it can be tried. */
export function kindOf(tree: unknown): "query" | "change" | undefined {
  const node: ParseNode = isNode(tree) ? tree : {};
  if (isNode(node["SelectStmt"])) return "query";
  return isNode(node["UpdateStmt"]) || isNode(node["DeleteStmt"]) ? "change" : undefined;
}
