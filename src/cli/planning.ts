/**
 * What the planner's commands share: options that are quantities, files that are plans, and the way to refuse both.
 *
 * All problems of a question are told at once, as `check` does for a config.
 */
import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { parse } from "yaml";
import { formatProblem, type Problem } from "../config/index.ts";
import type { Outcome, QuantityPlace } from "../planner/index.ts";
import type { Context } from "./context.ts";
import { Failure, UsageError } from "./failure.ts";

/** A file larger than this was not written for us. */
const FILE_BYTES_MAX = 16 * 1024 * 1024;

/** Reads the options of one question, and keeps what is wrong with them. */
export class Question {
  readonly problems: Problem[] = [];

  /** The meaning of option `name`, or `fallback` when it was not given. Undefined after a problem. */
  read<T>(
    name: string,
    text: string | undefined,
    reader: (place: QuantityPlace, text: string) => T | undefined,
    fallback: T,
  ): T {
    if (text === undefined) return fallback;
    return reader({ path: `--${name}`, problems: this.problems }, text) ?? fallback;
  }

  /** Records that `--name` is missing unless it was given. */
  demand(name: string, given: string | undefined, mend: string): void {
    if (given === undefined) this.problems.push({ path: `--${name}`, what: "is missing", mend });
  }

  /** Throws the only problem as a usage error; prints several and throws how many. */
  settle({ terminal }: Context): void {
    const [first, ...more] = this.problems;
    if (first === undefined) return;
    if (more.length === 0) throw new UsageError(`${first.path} ${first.what}`, first.mend);
    for (const problem of this.problems) terminal.err(formatProblem(problem));
    throw new UsageError(`${this.problems.length} problems`, "mend the ones above");
  }
}

/** The value, or exit code 2 with its problems printed. */
export function answerOf<T>(outcome: Outcome<T>, { terminal }: Context): T {
  if (outcome.kind === "ok") return outcome.value;
  for (const problem of outcome.problems) terminal.err(formatProblem(problem));
  const { length } = outcome.problems;
  throw new UsageError(length === 1 ? "1 problem" : `${length} problems`, "mend what is named above");
}

/** The text of a file that the user named; "-" is standard input. */
export function readText(path: string, { cwd }: Context): string {
  try {
    const text = readFileSync(path === "-" ? 0 : resolve(cwd, path), "utf8");
    if (text.length <= FILE_BYTES_MAX) return text;
  } catch (error) {
    const reason = error instanceof Error && "code" in error ? String(error.code) : String(error);
    throw new Failure(`cannot read ${path} (${reason})`, "check the path");
  }
  throw new Failure(`${path} is larger than 16 MiB`, "give a smaller file");
}

/** What a YAML or JSON file says. */
export function readData(path: string, context: Context): unknown {
  const text = readText(path, context);
  try {
    return parse(text, { maxAliasCount: 100 }) as unknown;
  } catch (error) {
    const [reason = ""] = String(error instanceof Error ? error.message : error).split("\n");
    throw new Failure(`${path} is neither YAML nor JSON: ${reason}`, "mend it there");
  }
}
