/**
 * PostgreSQL's own regression SQL: `src/test/regress` of its sources. Each file is played by psql, as pg_regress does, one
 * after the other in the order of its schedule. A way passes a file when psql says the same, byte for byte, as directly:
 * `expected/` is of one build of the server and needs a library in C.
 */
import { chmodSync, mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { environmentOf, type Outcome, runProgram, type Suite, type Way } from "./outcome.ts";

const FILE_LIMIT_MS = 120_000;

/** Lines of a difference that are shown. */
const SHOWN = 3;

/** What was said directly, by file. Needs "direct" to be the first of the ways. */
const direct = new Map<string, string>();

export const regress: Suite = {
  settings: "intervalstyle = postgres_verbose\nmax_prepared_transactions = 5\nwal_level = replica\n",
  users: ["postgres"],
  run: async (checkout, way, only) => {
    const outputs = join(way.folder, "out");
    for (const folder of [outputs, join(outputs, "results")]) {
      mkdirSync(folder);
      chmodSync(folder, 0o777); // COPY writes there as the server's user
    }
    chmodSync(way.folder, 0o755);
    await psql(way.server, "template1", "CREATE DATABASE regression TEMPLATE template0", way.folder);
    const outcomes: Outcome[] = [];
    for (const name of scheduled(checkout)) {
      // oxlint-disable-next-line no-await-in-loop -- later files use what earlier ones have made
      const said = await play(checkout, name, way, outputs);
      if (name.includes(only)) outcomes.push(compare(name, said));
    }
    return outcomes;
  },
};

function scheduled(checkout: string): string[] {
  return readFileSync(join(checkout, "parallel_schedule"), "utf8")
    .split("\n")
    .filter((line) => line.startsWith("test:"))
    .flatMap((line) => line.slice("test:".length).trim().split(/\s+/));
}

async function psql(port: number, database: string, sql: string, cwd: string): Promise<void> {
  const argv = ["psql", "-X", "-q", "-c", sql];
  const { code, output } = await runProgram({
    argv,
    cwd,
    env: environmentOf(port, database),
    limitMs: FILE_LIMIT_MS,
  });
  if (code !== 0) throw new Error(`${sql}: ${output}`);
}

async function play(checkout: string, name: string, way: Way, outputs: string): Promise<string> {
  const { code, output } = await runProgram({
    // One pipe for answers and errors: they stand in the order in which they came.
    argv: ["sh", "-c", "exec psql -X -a -q -v HIDE_TABLEAM=on -v HIDE_TOAST_COMPRESSION=on 2>&1"],
    cwd: outputs,
    env: {
      ...environmentOf(way.port, "regression"),
      PGTZ: "PST8PDT",
      PGDATESTYLE: "Postgres, MDY",
      PG_ABS_SRCDIR: checkout,
      PG_ABS_BUILDDIR: outputs,
      PG_LIBDIR: "/nowhere",
      PG_DLSUFFIX: ".so",
    },
    limitMs: FILE_LIMIT_MS,
    input: readFileSync(join(checkout, "sql", `${name}.sql`), "utf8"),
  });
  return `${output.replaceAll(way.folder, "FOLDER")}\nended with ${code}\n`;
}

function compare(name: string, said: string): Outcome {
  if (!direct.has(name)) direct.set(name, said);
  const expected = direct.get(name) ?? "";
  if (said === expected) return { name, passed: true, reason: "" };
  const [ours, theirs] = [said, expected].map((text) => text.split("\n"));
  const at = ours?.findIndex((line, index) => line !== theirs?.[index]) ?? 0;
  const shown = (lines: string[] = []): string => lines.slice(at, at + SHOWN).join(" | ");
  return { name, passed: false, reason: `line ${at + 1}: ${shown(ours)}\n      directly: ${shown(theirs)}` };
}
