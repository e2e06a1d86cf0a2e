/**
 * `npm test`: runs every test and ends with one line, `N passed, N failed`.
 *
 * The counts come from the runner's own report, and what the report cannot say is counted too: a test file that did
 * not load, a run that was cut short, a test skipped without a reason. No tests at all is a failure.
 *
 * Tests that take seconds of processor time (many processes, real peers, every command of the guide) are in files named
 * *.slow.test.ts and run with --all, as in continuous integration, or when one is asked for by its path.
 *
 * Usage: npm test [-- --all] [-- PATH… FLAG…]     paths and flags go to `bun test`
 */
import { chmodSync, mkdtempSync, readFileSync, rmSync, statfsSync } from "node:fs";
import { freemem, tmpdir } from "node:os";
import { join } from "node:path";
import { parseJunit, type TestCase } from "./junit.ts";

const ROOT = join(import.meta.dir, "..");

/** Where tests live. */
const FOLDERS = ["src", "tools", "bin", "conformance", "examples", "sim", "bench"];

/** One test's time, ms. Tests wait on conditions; only a hang takes this long. */
const TEST_TIMEOUT_MS = 20_000;

/** What the whole run may take, s: one waits for a minute, and goes away for two. */
const BUDGET_S = 60;

/** With the slow ones: real servers are started, killed and waited for. */
const BUDGET_ALL_S = 540;

/** Files in memory, and what must be free there: twice what the tests have at most at once (5.7 GB). */
const MEMORY = "/dev/shm";
const MEMORY_BYTES_MIN = 12 * 1024 ** 3;

const SLOW = "**/*.slow.test.ts";

/** When a run is cut off, of its budget: so that a slow machine passes and a stuck process does not hold it up. */
const CUT_OFF = 3;

/** …and never later than this, s: all of CI has a quarter of an hour. */
const CUT_OFF_S_MAX = 780;

/** Processes that share the files: tests wait more than half their time, so more than a small machine has cores. */
const PROCESSES = 6;

/** With the slow ones, which start servers of their own and hold them to their deadlines. */
const PROCESSES_ALL = 4;

/** Tests of one file that run at once, where it allows it: each may be a controller with its workers and tasks. */
const CONCURRENT = 4;

/** How many of the slowest tests are named. */
const SLOWEST_SHOWN = 5;

interface Run {
  readonly cases: readonly TestCase[];
  readonly exitCode: number | null;
  readonly seconds: number;
}

/** Where there is memory enough, it: for thousands of small files a disk takes longer than what is tested. */
function temporaryFolder(): string {
  const shared = /^\S+ \/dev\/shm tmpfs (\S+)/m.exec(readText("/proc/mounts"))?.[1]?.split(",");
  if (shared === undefined || shared.includes("noexec")) return tmpdir();
  const { bavail, bsize } = statfsSync(MEMORY);
  return Math.min(bavail * bsize, freemem()) < MEMORY_BYTES_MIN ? tmpdir() : MEMORY;
}

async function runTests(selection: readonly string[], budgetS: number, processes: number): Promise<Run> {
  const folder = mkdtempSync(join(temporaryFolder(), "tf"));
  chmodSync(folder, 0o755); // servers of other users have templates in it
  const report = join(folder, "junit.xml");
  const spread = [`--parallel=${processes}`, `--max-concurrency=${CONCURRENT}`];
  const flags = [`--timeout=${TEST_TIMEOUT_MS}`, ...spread, "--only-failures"];
  const reporter = ["--reporter=junit", `--reporter-outfile=${report}`];
  const startedMs = performance.now();
  const child = Bun.spawn([process.execPath, "test", ...flags, ...reporter, ...selection], {
    cwd: ROOT,
    stdio: ["ignore", "inherit", "inherit"],
    timeout: Math.min(budgetS * CUT_OFF, CUT_OFF_S_MAX) * 1000,
    env: { ...process.env, NO_COLOR: "1", TMPDIR: folder },
  });
  const exitCode = await child.exited.then(() => child.exitCode);
  const cases = parseJunit(readText(report));
  rmSync(folder, { recursive: true });
  return { cases, exitCode, seconds: (performance.now() - startedMs) / 1000 };
}

function readText(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return ""; // a runner that died wrote no report; the missing files are counted below
  }
}

/** The test files under the folders. */
function testFiles(folders: readonly string[]): string[] {
  return [...new Bun.Glob(`{${folders.join(",")}}/**/*.test.ts`).scanSync({ cwd: ROOT })].toSorted();
}

/** Those of `files` that have no case in the report: they did not load, or the run was cut short. */
function filesNotRun(files: readonly string[], cases: readonly TestCase[]): string[] {
  const run = new Set(cases.map((one) => one.file));
  return files.filter((file) => !run.has(file));
}

function list(title: string, lines: readonly string[]): void {
  if (lines.length > 0) console.log(`\n${title}\n${lines.map((line) => `  ${line}`).join("\n")}`);
}

function describeCase({ file, name }: TestCase): string {
  return `${file}: ${name}`;
}

/** A skipped test says in its name what it lacks: "… (needs nginx)". */
function hasReason({ name }: TestCase): boolean {
  return /\(needs [^)]+\)/.test(name);
}

/** Prints what a reader wants to know, the closing line last; returns the exit code. */
function summarise({ cases, exitCode, seconds }: Run, notRun: readonly string[], budgetS: number): number {
  const by = (outcome: TestCase["outcome"]): TestCase[] => cases.filter((one) => one.outcome === outcome);
  const [passed, skipped] = [by("passed"), by("skipped")];
  const failures = [
    ...by("failed").map(describeCase),
    ...skipped
      .filter((one) => !hasReason(one))
      .map((one) => `${describeCase(one)}: skipped without a reason`),
    ...notRun.map((file) => `${file}: did not load, or did not get to its end`),
  ];
  if (exitCode !== 0 && failures.length === 0)
    failures.push(`the runner ended with ${exitCode ?? "a signal"}`);
  if (passed.length === 0 && failures.length === 0) failures.push("no test ran");
  const slowest = cases.toSorted((a, b) => b.seconds - a.seconds).slice(0, SLOWEST_SHOWN);
  list(
    "Slowest:",
    slowest.map((one) => `${one.seconds.toFixed(2).padStart(6)} s  ${describeCase(one)}`),
  );
  list("Skipped:", skipped.filter(hasReason).map(describeCase));
  list("Failed:", failures);
  const over = seconds > budgetS ? `, over the budget of ${budgetS} s` : "";
  const skips = skipped.length > 0 ? `, ${skipped.length} of them skipped` : "";
  console.log(`\n${cases.length} tests in ${seconds.toFixed(1)} s${over}${skips}`);
  console.log(`${passed.length} passed, ${failures.length} failed`);
  return failures.length === 0 ? 0 : 1;
}

const withSlow = process.argv.includes("--all");
const asked = process.argv.slice(2).filter((argument) => argument !== "--all");
const files = asked.length > 0 ? [] : testFiles(FOLDERS);
const slow = withSlow ? [] : files.filter((file) => new Bun.Glob(SLOW).match(file));
const ignored = slow.length > 0 ? [`--path-ignore-patterns=${SLOW}`] : [];
const budgetS = withSlow || asked.length > 0 ? BUDGET_ALL_S : BUDGET_S;
const run = await runTests(
  asked.length > 0 ? asked : [...FOLDERS.map((folder) => `./${folder}/`), ...ignored],
  budgetS,
  withSlow ? PROCESSES_ALL : PROCESSES,
);
list("Left out, without --all:", slow);
const expected = files.filter((file) => !slow.includes(file));
process.exit(summarise(run, filesNotRun(expected, run.cases), budgetS));
