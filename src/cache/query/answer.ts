/**
 * An answer as it is kept: the texts that PostgreSQL sent, not what they were parsed into.
 *
 * Each hit runs the client's own parsers over them again, in pg's own `Result`. So dates, buffers, big numbers, NaN and a
 * user's own types come out as from the database, and no caller shares an object with another.
 */
import type { Field } from "../../postgres/index.ts";

/** Rows of texts, null where the database says NULL. */
export interface Answer {
  readonly command: string;
  readonly fields: readonly Field[];
  readonly rows: readonly (readonly (string | null)[])[];
}

/** Finds the function that makes a value of a text; pg's `types`. */
export interface TypeParsers {
  // Both a client and pg's own table have overloads here; what comes back is called with the text.
  readonly getTypeParser: (oid: number, format?: "text") => (text: string) => unknown;
}

/** A result as pg gives it. */
export interface QueryResult {
  readonly command: string;
  readonly rowCount: number | null;
  readonly fields: Field[];
  readonly rows: unknown[];
}

/** What pg's `Result` offers to whoever builds one. */
interface BuildableResult extends QueryResult {
  addFields(fields: Field[]): void;
  parseRow(texts: readonly (string | null)[]): unknown;
  addRow(row: unknown): void;
  addCommandComplete(message: { readonly text: string }): void;
}

/** pg's `Result`, which is not exported: taken from one. */
export type ResultClass = new (
  rowMode: string | undefined,
  types: TypeParsers | undefined,
) => BuildableResult;

/** Leaves texts as they are. */
export const AS_TEXT: TypeParsers = { getTypeParser: () => (text) => text };

/** The class of a result; undefined when the client is not one that works as pg does. */
export function classOf(result: object): ResultClass | undefined {
  const prototype = Object.getPrototypeOf(result) as Partial<BuildableResult> | null;
  const builds = ["addFields", "parseRow", "addRow", "addCommandComplete"] as const;
  const isBuildable = builds.every((name) => typeof prototype?.[name] === "function");
  return isBuildable ? (result.constructor as ResultClass) : undefined;
}

/** The answer in a result that was asked for with `AS_TEXT` and `rowMode: "array"`. */
export function answerOf(result: QueryResult): Answer {
  return { command: result.command, fields: result.fields, rows: result.rows as (string | null)[][] };
}

/** A result of its own for one caller. `types` undefined stands for pg's own parsers. */
export function resultOf(
  answer: Answer,
  Result: ResultClass,
  rowMode: string | undefined,
  types: TypeParsers | undefined,
): QueryResult {
  const result = new Result(rowMode, types);
  result.addFields(answer.fields.map((field) => ({ ...field })));
  for (const row of answer.rows) result.addRow(result.parseRow(row));
  result.addCommandComplete({ text: `${answer.command} ${answer.rows.length}` });
  return result;
}

/** About how much memory an answer takes, bytes: texts at two bytes a character, and what holds them. */
export function sizeOf(answer: Answer): number {
  let bytes = 200 + 120 * answer.fields.length;
  for (const row of answer.rows) {
    bytes += 24;
    for (const text of row) bytes += text === null ? 8 : 16 + 2 * text.length;
  }
  return bytes;
}
