/** Figures of one bench, kept as JSON beside the benches so that the README's table is made from them. */
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { cpus, release } from "node:os";
import { join } from "node:path";
import { showVerdict, type Verdict } from "./figures.ts";

/** One bench's outcome. */
export interface Result {
  /** Name of the script without ".ts". */
  readonly bench: string;
  readonly machine: string;
  readonly verdicts: readonly Verdict[];
  /** Everything measured, for who wants to look closer. */
  readonly figures: unknown;
}

const FOLDER = join(import.meta.dirname, "../results");

/**
 * Prints the verdicts, keeps the result when there are any, and sets the exit code to 1 when a promise was missed.
 * With `BENCH_KEEP=no` in the environment nothing is kept: figures of a short run are for a look only.
 */
export function conclude(bench: string, verdicts: readonly Verdict[], figures: unknown): void {
  for (const verdict of verdicts) console.log(showVerdict(verdict));
  if (verdicts.some(({ met }) => !met)) process.exitCode = 1;
  if (verdicts.length === 0 || process.env["BENCH_KEEP"] === "no") return;
  mkdirSync(FOLDER, { recursive: true });
  const result: Result = { bench, machine: describeMachine(), verdicts, figures };
  writeFileSync(join(FOLDER, `${bench}.json`), `${JSON.stringify(result, null, 2)}\n`);
}

/** Every kept result, by name. */
export function readResults(): Result[] {
  const names = readdirSync(FOLDER).filter((name) => name.endsWith(".json"));
  return names.toSorted().map(readResult);
}

function readResult(name: string): Result {
  const result: Result = JSON.parse(readFileSync(join(FOLDER, name), "utf8"));
  return result;
}

function describeMachine(): string {
  const model = cpus()[0]?.model ?? "unknown CPU";
  return `${cpus().length} cores of ${model}, Linux ${release()}, Bun ${process.versions.bun ?? "?"}`;
}
