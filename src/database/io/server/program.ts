/** Runs one of Postgres' programs to its end, as the owner of the files, and says what it printed. */
import { spawn } from "node:child_process";
import type { Binaries } from "./binaries.ts";
import type { Owner } from "./owner.ts";

/** Printed by one run. */
export interface ProgramResult {
  readonly code: number | null;
  readonly output: string;
}

/** More output than this is cut: it is shown to people. */
const OUTPUT_CHARS_MAX = 64 * 1024;

/** The environment of all of Postgres' processes: nothing of ours, and the libraries where they are not in the system's place. */
export function environmentOfPostgres(
  binaries: Binaries,
  more: Readonly<Record<string, string>> = {},
): Record<string, string> {
  const path = binaries.libraries.length > 0 ? { LD_LIBRARY_PATH: binaries.libraries.join(":") } : {};
  return { PATH: process.env["PATH"] ?? "/usr/bin:/bin", LANG: "C", LC_MESSAGES: "C", ...path, ...more };
}

/** How a program is run. */
export interface ProgramOptions {
  /** Ends it, and the promise rejects. */
  readonly signal?: AbortSignal | undefined;
  /** What it reads. Default: nothing. */
  readonly input?: string;
}

/** Runs `name` of the binaries with `args`. */
export function runProgram(
  binaries: Binaries,
  name: string,
  args: readonly string[],
  owner: Owner,
  { signal, input }: ProgramOptions = {},
): Promise<ProgramResult> {
  return new Promise((resolve, reject) => {
    const child = spawn(`${binaries.bin}/${name}`, args, {
      ...owner,
      cwd: "/",
      env: environmentOfPostgres(binaries),
      stdio: ["pipe", "pipe", "pipe"],
      ...(signal === undefined ? {} : { signal }),
    });
    child.stdin.on("error", () => {}); // one that ends early says why
    child.stdin.end(input);
    let output = "";
    const take = (bytes: Buffer): void => {
      output = (output + bytes.toString()).slice(-OUTPUT_CHARS_MAX);
    };
    child.stdout.on("data", take);
    child.stderr.on("data", take);
    child.once("error", reject);
    child.once("close", (code) => resolve({ code, output: output.trim() }));
  });
}
