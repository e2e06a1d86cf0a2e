/**
 * The tests of Python's clients, each of a checkout of it: Debian's package is what is tested, the tests alone come from the
 * checkout. pytest plays each file in a process of its own, so that one that hangs takes no others with it.
 */
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { environmentOf, type Outcome, runProgram, type Suite, type Way } from "./outcome.ts";

/** Debian's packages are for Debian's Python. */
const PYTHON = "/usr/bin/python3";

/** The slowest file takes 60 s. */
const FILE_LIMIT_MS = 150_000;

const TEST_LIMIT_S = 30;

const REASON_LENGTH = 300;

/** What differs between the clients. */
interface Client {
  /** Folder of the tests, in the checkout and in the copy. */
  readonly tests: string;
  readonly settings?: string;
  readonly users?: readonly string[];
  /** Played on the server beforehand. */
  readonly sql?: readonly string[];
  readonly words?: readonly string[];
  readonly env?: (way: Way) => Record<string, string>;
  /** Mends the copy of the tests. */
  readonly prepare?: (folder: string) => void;
}

export const psycopg2: Suite = suiteOf({
  tests: "tests",
  users: ["postgres"],
  sql: ["CREATE DATABASE psycopg2_test", "CREATE EXTENSION hstore"],
  env: () => ({ PSYCOPG2_TESTDB: "postgres" }),
});

export const psycopg: Suite = suiteOf({
  tests: "tests",
  sql: ["CREATE EXTENSION hstore"],
  words: ["-m", "not slow and not mypy", "--asyncio-mode=auto"],
  env: ({ port }) => ({ PSYCOPG_TEST_DSN: `host=127.0.0.1 port=${port} user=postgres dbname=postgres` }),
});

export const asyncpg: Suite = suiteOf({ tests: "tests", sql: ["CREATE EXTENSION hstore"] });

export const pg8000: Suite = suiteOf({
  tests: "pg8000/tests",
  sql: ["CREATE EXTENSION hstore"],
  env: ({ port }) => ({
    TZ: "UTC",
    PG8000_TEST_NAME: "CONNECTION",
    CONNECTION: `{"host": "127.0.0.1", "port": ${port}, "user": "postgres", "database": "postgres"}`,
  }),
  prepare: (folder) => {
    // The package that is tested has no tests in it.
    rmSync(join(folder, "__init__.py"));
    for (const file of readdirSync(folder).filter((name) => name.endsWith(".py"))) {
      const text = readFileSync(join(folder, file), "utf8");
      const mended = text
        .replaceAll("from pg8000.tests.", "from ")
        .replaceAll("from .", "from ")
        // Servers since 9.6 tell the severity twice, before the SQLSTATE.
        .replaceAll("args[1]", "args[2]");
      writeFileSync(join(folder, file), mended);
    }
  },
});

function suiteOf(client: Client): Suite {
  return {
    settings: client.settings ?? "",
    users: client.users ?? ["postgres"],
    run: async (checkout, way, only) => {
      const copy = mkdtempSync(join(way.folder, "pytest-"));
      const folder = join(copy, "tests");
      mkdirSync(folder);
      cpSync(join(checkout, client.tests), folder, { recursive: true });
      client.prepare?.(folder);
      for (const sql of client.sql ?? []) await psql(way, sql);
      const files = readdirSync(folder, { recursive: true, encoding: "utf8" })
        .filter((name) => /^((types|pq)\/)?test_[^/]*\.py$/.test(name) && name.includes(only))
        .toSorted();
      const outcomes: Outcome[] = [];
      // oxlint-disable-next-line no-await-in-loop -- the files use the same tables
      for (const file of files) outcomes.push(...(await runFile(client, copy, file, way)));
      return outcomes;
    },
  };
}

async function psql({ server, folder }: Way, sql: string): Promise<void> {
  const env = environmentOf(server, "postgres");
  const { code, output } = await runProgram({
    argv: ["psql", "-Xqc", sql],
    cwd: folder,
    env,
    limitMs: FILE_LIMIT_MS,
  });
  if (code !== 0) throw new Error(`${sql}: ${output}`);
}

async function runFile(client: Client, copy: string, file: string, way: Way): Promise<Outcome[]> {
  const report = join(copy, "report.xml");
  for (const left of [report, join(copy, ".pytest_cache")]) rmSync(left, { recursive: true, force: true });
  const { code, output } = await runProgram({
    argv: [
      PYTHON,
      "-m",
      "pytest",
      "-q",
      `--timeout=${TEST_LIMIT_S}`,
      `--junitxml=${report}`,
      ...(client.words ?? []),
      join("tests", file),
    ],
    cwd: copy,
    env: { ...environmentOf(way.port, "postgres"), ...client.env?.(way) },
    limitMs: FILE_LIMIT_MS,
  });
  try {
    return outcomesIn(readFileSync(report, "utf8"));
  } catch {
    return [{ name: file, passed: false, reason: `${code}: ${output.slice(-REASON_LENGTH)}` }];
  }
}

/** The cases of a JUnit report but those that were skipped. */
function outcomesIn(report: string): Outcome[] {
  return report
    .split("<testcase ")
    .slice(1)
    .filter((testcase) => !testcase.includes("<skipped "))
    .map((testcase) => {
      const [, place = "", name = ""] = /classname="([^"]*)" name="([^"]*)"/.exec(testcase) ?? [];
      const [, message] = /<(?:failure|error) message="([^"]*)"/.exec(testcase) ?? [];
      return {
        name: `${place.replace(/^tests\./, "")}.${name}`,
        passed: message === undefined,
        reason: (message ?? "").replaceAll(/&#10;|\s+/g, " ").slice(0, REASON_LENGTH),
      };
    });
}
