/** Advice and budgets as lines. */
import { formatBytes } from "../../base/index.ts";
import type { Budget } from "../../database/index.ts";
import type { DatabaseAdvice } from "../../database/io/index.ts";

/** Statements shown; all are in the JSON. */
const SHOWN = 10;
const TEXT_CHARS = 120;

/** What was found, what was proven first. */
export function adviceLines(advice: DatabaseAdvice): string[] {
  const { slow, proposed, rejected, existing, tables, partitions } = advice;
  return [
    ...section(
      "Statements by total time",
      slow.slice(0, SHOWN).map(({ id, text, calls, meanMs, share, rows }) => {
        const short = text.replaceAll(/\s+/g, " ").slice(0, TEXT_CHARS);
        return `${(100 * share).toFixed(1)} %  ${calls} calls  ${ms(meanMs)}  ${rows} rows  ${id}  ${short}`;
      }),
    ),
    ...note(advice.statementsProblem),
    ...section(
      "Indexes that were faster on a copy",
      proposed.flatMap(({ sql, bytes, insertUs, reasons, statements }) => [
        `${sql};`,
        ...statements.map(
          ({ id, beforeMs, afterMs, gain }) =>
            `  ${id}: ${ms(beforeMs)} -> ${ms(afterMs)}, ${gain.toFixed(1)} times faster`,
        ),
        `  costs ${formatBytes(bytes)}${insertUs === undefined ? "" : `, an INSERT ${insertUs.before.toFixed(1)} -> ${insertUs.after.toFixed(1)} us`}`,
        ...reasons.map((reason) => `  ${reason}`),
      ]),
    ),
    ...section(
      "Not proposed",
      rejected.map(({ sql, reason, detail }) => `${reason}: ${sql} (${detail})`),
    ),
    ...section(
      "Indexes that may go",
      existing.map(({ fault, reason, sql }) => `${fault}: ${sql}; (${reason})`),
    ),
    ...note(advice.unusedProblem),
    ...section(
      "Tables",
      tables.map(({ table, fault, reason }) => `${fault}: ${table} (${reason})`),
    ),
    ...section(
      "Partitions",
      partitions.map(
        ({ table, method, column = "", reasons }) =>
          `${table.schema}.${table.name}: ${method === "leave" ? "leave it" : `${method}(${column})`}; ${reasons.join("; ")}`,
      ),
    ),
    ...note(advice.partitionsProblem),
  ];
}

/** The sum, line by line. */
export function budgetLines(budget: Budget): string[] {
  const { available, inUse, used, pooled, demanded, left, worstMemoryBytes, recommended, problems } = budget;
  return [
    `available    ${available} connections (without the reserved ones)`,
    `in use       ${used}`,
    ...inUse.map(({ app, state, count }) => `  ${count}  ${app}, ${state}`),
    `full pools   ${pooled}, with others ${demanded}: ${left} left`,
    `memory       ${formatBytes(worstMemoryBytes)} when every connection sorts once`,
    `recommended  ${recommended.total} together, ${recommended.each} in each pool: ${recommended.how}`,
    ...problems.map((problem) => `! ${problem}`),
  ];
}

function section(title: string, lines: readonly string[]): string[] {
  return lines.length === 0 ? [] : [title, ...lines.map((line) => `  ${line}`)];
}

function note(text: string | undefined): string[] {
  return text === undefined ? [] : [text];
}

const ms = (time: number): string => `${time.toFixed(2)} ms`;
