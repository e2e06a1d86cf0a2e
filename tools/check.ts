/**
 * `npm run check`: all that can be said about the sources without running them.
 *
 * Every check runs whatever the others say, so that one call shows all there is to mend. One line each with its
 * time; the output of those that failed follows; exit 1 when any did.
 *
 * Usage: bin/bun tools/check.ts [NAME…]     (only these checks)
 */
import { join } from "node:path";

const ROOT = join(import.meta.dir, "..");

/** Where npm puts commands. */
const BIN = join(ROOT, "node_modules/.bin");

/** Name -> command. A new check is one row. */
const CHECKS: Readonly<Record<string, readonly string[]>> = {
  types: [`${BIN}/tsc`, "-p", "."],
  "example types": [`${BIN}/tsc`, "-p", "examples"],
  lint: [
    `${BIN}/oxlint`,
    "--type-aware",
    "--quiet",
    "bin",
    "src",
    "tools",
    "bench",
    "conformance",
    "examples",
  ],
  format: [`${BIN}/biome`, "check", "--linter-enabled=false", "--max-diagnostics=50", "."],
  tidy: [process.execPath, "tools/tidy.ts"],
  "dead code": [`${BIN}/knip`, "--no-progress"],
};

interface Outcome {
  readonly name: string;
  readonly passed: boolean;
  readonly output: string;
}

async function runCheck(name: string, command: readonly string[]): Promise<Outcome> {
  const startedMs = performance.now();
  const child = Bun.spawn([...command], { cwd: ROOT, stdout: "pipe", stderr: "pipe" });
  const [out, err, code] = await Promise.all([child.stdout.text(), child.stderr.text(), child.exited]);
  const seconds = ((performance.now() - startedMs) / 1000).toFixed(1);
  console.log(`${code === 0 ? "ok    " : "FAILED"}  ${name.padEnd(13)}  ${seconds.padStart(5)} s`);
  return { name, passed: code === 0, output: `${out}${err}`.trim() };
}

/** The checks asked for; an unknown name is refused with the known ones. */
function chosen(names: readonly string[]): [string, readonly string[]][] {
  const unknown = names.filter((name) => !(name in CHECKS));
  if (unknown.length > 0) {
    console.error(`No such check: ${unknown.join(", ")}. There are: ${Object.keys(CHECKS).join(", ")}.`);
    process.exit(2);
  }
  return Object.entries(CHECKS).filter(([name]) => names.length === 0 || names.includes(name));
}

const outcomes = await Promise.all(
  chosen(process.argv.slice(2)).map(([name, command]) => runCheck(name, command)),
);
const failed = outcomes.filter((outcome) => !outcome.passed);
for (const { name, output } of failed) console.log(`\n--- ${name}\n${output}`);
process.exit(failed.length === 0 ? 0 : 1);
