/** The tests of DBD::Pg, the client of Perl: `t` of a checkout. Each file writes TAP, a line a test. */
import { cpSync, mkdtempSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { environmentOf, type Outcome, runProgram, type Suite, type Way } from "./outcome.ts";

const FILE_LIMIT_MS = 120_000;

const REASON_LENGTH = 300;

export const dbdpg: Suite = {
  settings: "",
  users: ["postgres"],
  run: async (checkout, way, only) => {
    const copy = mkdtempSync(join(way.folder, "dbdpg-"));
    for (const part of ["t", "META.yml", "MANIFEST", "Pg.pm", "README", "Makefile.PL"])
      cpSync(join(checkout, part), join(copy, part), { recursive: true });
    // "00_" and "99_" but the last are about the sources.
    const files = readdirSync(join(copy, "t")).filter((name) => /^(?!00_|99_).*\.t$/.test(name));
    const outcomes: Outcome[] = [];
    // oxlint-disable-next-line no-await-in-loop -- the files use the same tables
    for (const file of files.filter((name) => name.includes(only)).toSorted())
      outcomes.push(...(await runFile(copy, file, way)));
    return outcomes;
  },
};

async function runFile(cwd: string, file: string, way: Way): Promise<Outcome[]> {
  const { code, output } = await runProgram({
    argv: ["perl", "-I.", join("t", file)],
    cwd,
    env: {
      ...environmentOf(way.port, "postgres"),
      DBI_DSN: `dbi:Pg:dbname=postgres;host=127.0.0.1;port=${way.port}`,
      DBI_USER: "postgres",
      DBDPG_TEST_ALWAYS_ENV: "1",
    },
    limitMs: FILE_LIMIT_MS,
  });
  const outcomes = output.split(/\n(?=(?:not )?ok )/).flatMap((text) => outcomeIn(file, text));
  const ended = {
    name: `${file}: ends`,
    passed: code === 0,
    reason: `${code}: ${output.slice(-REASON_LENGTH)}`,
  };
  return [...outcomes, ended];
}

/** "ok 4 - name" or "not ok 4 - name" and why. A file tells its tests apart by their numbers: names hold what comes in any order. */
function outcomeIn(file: string, text: string): Outcome[] {
  const found = /^(not )?ok (\d+)(.*)/.exec(text);
  if (found === null || / # (?:skip|to-?do)/i.test(found[3] ?? "")) return [];
  const [, failed, number] = found;
  const reason = text.replaceAll(/\s+/g, " ").slice(0, REASON_LENGTH);
  return [{ name: `${file} ${number}`, passed: failed === undefined, reason }];
}
