/**
 * Writes the kept figures between the `figures:begin` and `figures:end` comments of two pages: all of them here, and in the
 * main README the first of each script, with every promise that was missed.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type Result, readResults } from "./harness/results.ts";

const ALL = join(import.meta.dirname, "README.md");
const FIRST = join(import.meta.dirname, "../README.md");
const MARKED = /(<!-- figures:begin[^>]*-->\n)[^]*?(<!-- figures:end -->)/;

const results = readResults();
write(ALL, tableOf(results, ""));
write(FIRST, tableOf(results.map(firstAndMissed), "bench/"));
console.log(`README.md, bench/README.md: figures of ${results.map(({ bench }) => bench).join(", ")}`);

function write(path: string, table: string): void {
  const before = readFileSync(path, "utf8");
  if (!MARKED.test(before))
    throw new Error(`${path} has no <!-- figures:begin --> … <!-- figures:end --> to write between`);
  writeFileSync(
    path,
    before.replace(MARKED, (_, open: string, close: string) => open + table + close),
  );
}

function firstAndMissed(result: Result): Result {
  return { ...result, verdicts: result.verdicts.filter(({ met }, index) => index === 0 || !met) };
}

function tableOf(of: readonly Result[], folder: string): string {
  const rows = of.flatMap(({ bench, verdicts }) =>
    verdicts.map(
      ({ claim, figure, met }) =>
        `| ${claim} | ${figure}${met ? "" : " (missed)"} | [${bench}.ts](${folder}${bench}.ts) |`,
    ),
  );
  const machines = [...new Set(of.map(({ machine }) => machine))].join("; ");
  return `\n| Promise | Measured | By |\n|---|---|---|\n${rows.join("\n")}\n\nOn ${machines}. A ratio is the median of the rounds (of a p99: of their quiet half), the least and the greatest behind it.\n\n`;
}
