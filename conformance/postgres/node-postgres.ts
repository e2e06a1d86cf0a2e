/** node-postgres' own integration tests: `packages/pg` of a checkout, its dependencies installed. One process a file, as its Makefile does. */
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { environmentOf, type Outcome, runProgram, type Suite, type Way } from "./outcome.ts";

/** The slowest file takes 6 s. */
const FILE_LIMIT_MS = 30_000;

const REASON_LENGTH = 300;

export const nodePostgres: Suite = {
  settings: "",
  users: ["postgres"],
  run: async (checkout, way, only) => {
    const root = join(checkout, "test/integration");
    const files = readdirSync(root, { recursive: true, encoding: "utf8" })
      .filter((name) => name.endsWith("-tests.js") && name.includes(only))
      .toSorted();
    const outcomes: Outcome[] = [];
    // oxlint-disable-next-line no-await-in-loop -- the files use the same tables
    for (const file of files) outcomes.push(await runFile(checkout, file, way));
    return outcomes;
  },
};

async function runFile(checkout: string, file: string, way: Way): Promise<Outcome> {
  const { code, output } = await runProgram({
    argv: ["node", join("test/integration", file)],
    cwd: checkout,
    env: { ...environmentOf(way.port, "postgres"), PGTESTNOSSL: "true" },
    limitMs: FILE_LIMIT_MS,
  });
  return { name: file, passed: code === 0, reason: code === 0 ? "" : `${code}: ${reasonIn(output)}` };
}

/** The first line that tells of an error. */
function reasonIn(output: string): string {
  const lines = output.split("\n");
  const at = lines.findIndex((line) => /error|expected|fail|Message:/i.test(line));
  return lines
    .slice(Math.max(0, at), Math.max(0, at) + 4)
    .join(" ")
    .slice(0, REASON_LENGTH);
}
