/** Writes the kept figures into the README, between its `figures:begin` and `figures:end` comments. */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type Result, readResults } from "./harness/results.ts";

const README = join(import.meta.dirname, "../README.md");
const MARKED = /(<!-- figures:begin[^>]*-->\n)[^]*?(<!-- figures:end -->)/;

const before = readFileSync(README, "utf8");
if (!MARKED.test(before))
  throw new Error("README.md has no <!-- figures:begin --> … <!-- figures:end --> to write between");
const kept = readResults();
writeFileSync(
  README,
  before.replace(MARKED, (_, open: string, close: string) => open + tableOf(kept) + close),
);
console.log(`README.md: figures of ${kept.map(({ bench }) => bench).join(", ")}`);

function tableOf(results: readonly Result[]): string {
  const rows = results.flatMap(({ bench, verdicts }) =>
    verdicts.map(
      ({ claim, figure, met }) =>
        `| ${claim} | ${figure}${met ? "" : " (missed)"} | [bench/${bench}.ts](bench/${bench}.ts) |`,
    ),
  );
  const machines = [...new Set(results.map(({ machine }) => machine))].join("; ");
  return `\n| Promise | Measured | By |\n|---|---|---|\n${rows.join("\n")}\n\nOn ${machines}. A ratio is the median of the rounds (of a p99: of their quiet half), the least and the greatest behind it.\n\n`;
}
