/**
 * One run of GNU Octave with its package `queueing` (Marzolla), which knows nothing of ours.
 *
 * All questions go into one script, since a start takes longer than a thousand answers.
 */
import { spawnSync } from "node:child_process";

const PROGRAM = "octave-cli";
/** The script comes by standard input: as an argument it would be too long. */
const FLAGS = [
  "--norc",
  "--no-gui",
  "--quiet",
  "--no-history",
  "--eval",
  "eval(fread(stdin, Inf, 'char=>char')');",
];

/** A whole run, ms; it takes about two seconds, and a slow machine is let off. */
const DEADLINE_MS = 60_000;

/** Whether Octave is here, and its package. */
export function hasOctave(): boolean {
  return run("pkg load queueing; disp(1);").stdout.trim() === "1";
}

/** Each expression's row of numbers, to the last bit. `prelude` defines the functions that the expressions call. */
export function evaluate(prelude: string, expressions: readonly string[]): number[][] {
  const lines = expressions.map((expression) => `row(${expression});`);
  const { stdout, stderr } = run(
    ["1;", prelude, ROW, "pkg load queueing;", 'warning("off", "all");', ...lines].join("\n"),
  );
  const rows = stdout.trim().split("\n");
  if (rows.length !== expressions.length)
    throw new Error(`octave answered ${rows.length} of ${expressions.length}: ${stderr.trim()}`);
  return rows.map((line) => line.trim().split(/\s+/).map(Number));
}

/** Seventeen digits are a double. */
const ROW = 'function row(r)\n  printf("%.17g ", r);\n  printf("\\n");\nendfunction';

function run(script: string): { readonly stdout: string; readonly stderr: string } {
  const { stdout, stderr, error } = spawnSync(PROGRAM, FLAGS, {
    input: script,
    encoding: "utf8",
    timeout: DEADLINE_MS,
    maxBuffer: 64 * 1024 * 1024,
  });
  return error === undefined ? { stdout, stderr } : { stdout: "", stderr: String(error) };
}
