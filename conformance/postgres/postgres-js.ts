/**
 * The tests of postgres.js, of a checkout of it. Its own runner stops at the first failure and its tests connect to port
 * 5432: they run in a copy, with a runner that goes on and the port of the way.
 */
import { cpSync, mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { environmentOf, type Outcome, runProgram, type Suite } from "./outcome.ts";

const LIMIT_MS = 300_000;

/** What the tests find prepared, and how they run tools of PostgreSQL: against the server itself. */
const TOOLS = `import { spawnSync } from "node:child_process";
export function exec(command, args) {
  spawnSync(command, args, { stdio: "ignore", env: { ...process.env, PGPORT: process.env.SERVER_PORT } });
}
`;

export const postgresJs: Suite = {
  settings: "",
  users: ["postgres", "postgres_js_test", "postgres_js_test_md5", "postgres_js_test_scram"],
  run: async (checkout, way, only) => {
    const copy = mkdtempSync(join(way.folder, "postgres-js-"));
    for (const part of ["src", "tests", "package.json"])
      cpSync(join(checkout, part), join(copy, part), { recursive: true });
    const prepared = await runProgram({
      argv: ["node", "tests/bootstrap.js"],
      cwd: copy,
      env: environmentOf(way.server, "postgres"),
      limitMs: LIMIT_MS,
    });
    if (prepared.code !== 0) throw new Error(`postgres.js' bootstrap.js failed:\n${prepared.output}`);
    writeFileSync(join(copy, "tests/bootstrap.js"), TOOLS);
    cpSync(join(import.meta.dirname, "postgres-js-runner.js"), join(copy, "tests/test.js"));
    const tests = join(copy, "tests/index.js");
    writeFileSync(tests, readFileSync(tests, "utf8").replaceAll(/\b5432\b/g, String(way.port)));
    const { code, output } = await runProgram({
      argv: ["node", "tests/index.js"],
      cwd: copy,
      env: {
        ...environmentOf(way.port, "postgres"),
        SERVER_PORT: String(way.server),
        ONLY: only,
      },
      limitMs: LIMIT_MS,
    });
    const outcomes = output.split("\n").flatMap(outcomeIn);
    if (outcomes.length === 0) throw new Error(`postgres.js' tests ended with ${code}:\n${output}`);
    return outcomes;
  },
};

/** The runner says each outcome in a line. */
function outcomeIn(line: string): Outcome[] {
  return line.startsWith("outcome ") ? [JSON.parse(line.slice("outcome ".length)) as Outcome] : [];
}
