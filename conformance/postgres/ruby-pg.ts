/** The specs of pg, the client of Ruby: `spec` of a checkout, played by RSpec. */
import { cpSync, mkdtempSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { environmentOf, type Outcome, runProgram, type Suite, type Way } from "./outcome.ts";

const FILE_LIMIT_MS = 200_000;

const REASON_LENGTH = 300;

/** As RSpec's formatter "json" has it. */
interface Example {
  readonly full_description: string;
  readonly file_path: string;
  readonly line_number: number;
  readonly status: "passed" | "failed" | "pending";
  readonly exception?: { readonly message: string };
}

export const rubyPg: Suite = {
  settings: "",
  users: ["postgres", "testusermd5"],
  run: async (checkout, way, only) => {
    const copy = mkdtempSync(join(way.folder, "ruby-pg-"));
    cpSync(join(checkout, "spec"), join(copy, "spec"), { recursive: true });
    const made = await runProgram({
      argv: ["createdb", "test"],
      cwd: copy,
      env: environmentOf(way.server, "postgres"),
      limitMs: FILE_LIMIT_MS,
    });
    if (made.code !== 0) throw new Error(`createdb: ${made.output}`);
    const files = readdirSync(join(copy, "spec/pg")).filter((name) => name.includes(only));
    const outcomes: Outcome[] = [];
    // oxlint-disable-next-line no-await-in-loop -- the files use the same tables
    for (const file of files.toSorted()) outcomes.push(...(await runFile(copy, file, way)));
    return outcomes;
  },
};

async function runFile(cwd: string, file: string, way: Way): Promise<Outcome[]> {
  const report = join(cwd, `${file}.json`);
  const { code, output } = await runProgram({
    argv: [
      "rspec",
      "--require=objspace",
      `--require=${join(import.meta.dirname, "ruby-pg-server.rb")}`,
      "--format=json",
      `--out=${report}`,
      join("spec/pg", file),
    ],
    cwd,
    env: environmentOf(way.port, "test"),
    limitMs: FILE_LIMIT_MS,
  });
  try {
    const { examples } = JSON.parse(readFileSync(report, "utf8")) as { examples: Example[] };
    return examples.filter(({ status }) => status !== "pending").map(outcomeOf);
  } catch {
    return [{ name: file, passed: false, reason: `${code}: ${output.slice(-REASON_LENGTH)}` }];
  }
}

function outcomeOf(example: Example): Outcome {
  const reason = (example.exception?.message ?? "").replaceAll(/\s+/g, " ").slice(0, REASON_LENGTH);
  return {
    name: `${example.file_path.split("/").at(-1)}:${example.line_number} ${example.full_description}`,
    passed: example.status === "passed",
    reason,
  };
}
