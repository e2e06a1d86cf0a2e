/**
 * The child of `evaluate`: imports one config program, parses what it exports, sends the outcome and exits.
 *
 * `tenfold/config` always means the copy that is running, installed beside the config or not.
 */
import { basename, relative } from "node:path";
import { pathToFileURL } from "node:url";
import type { ConfigOutcome, Problem } from "../index.ts";
import * as door from "../index.ts";
import type { EvaluationOrder } from "./evaluate.ts";

const { path, surroundings } = JSON.parse(process.argv.at(-1) ?? "") as EvaluationOrder;

Bun.plugin({
  name: "tenfold/config",
  setup: (build) => {
    build.module("tenfold/config", () => ({ exports: { ...door }, loader: "object" }));
  },
});

// A config that left a timer or a server behind would keep this process alive: it has said all it has to say.
process.send?.(await outcome(), undefined, undefined, () => process.exit(0));

async function outcome(): Promise<ConfigOutcome> {
  try {
    const module = (await import(pathToFileURL(path).href)) as Readonly<Record<string, unknown>>;
    return "default" in module ? door.parseConfig(module["default"], surroundings) : problem(noDefault());
  } catch (error) {
    return problem(thrown(error));
  }
}

function problem(...problems: readonly Problem[]): ConfigOutcome {
  return { kind: "problems", problems };
}

function noDefault(): Problem {
  return {
    path: basename(path),
    what: "has no default export",
    mend: "write export default defineConfig({ … })",
  };
}

interface Located {
  readonly line: number;
  readonly column: number;
  readonly file: string;
}

/** What a failed import says. Bun's syntax errors know their position, what the program throws has a stack. */
function thrown(error: unknown): Problem {
  const first: unknown = error instanceof AggregateError ? error.errors[0] : error;
  if (!(first instanceof Error))
    return { path: basename(path), what: `threw ${Bun.inspect(first)}`, mend: "throw an Error" };
  const position = (first as { readonly position?: Located | null }).position;
  const at = position ?? inStack(first.stack ?? "");
  const verb = position || first instanceof SyntaxError ? "does not load" : "threw";
  return { path: placeOf(at), what: `${verb}: ${first.message.split("\n")[0]}`, mend: "mend the program" };
}

/** The innermost frame that lies in a file of the user's. */
function inStack(stack: string): Located | undefined {
  for (const [, file = "", line, column] of stack.matchAll(/(?:\(|at )(\/[^()\n]*?):(\d+):(\d+)\)?$/gm)) {
    if (!file.startsWith(import.meta.dirname)) return { file, line: Number(line), column: Number(column) };
  }
  return undefined;
}

/** Seen from the folder of the config, where people look for it. */
function placeOf(at: Located | undefined): string {
  if (!at) return basename(path);
  return `${relative(surroundings.folder, at.file)}:${at.line}:${at.column}`;
}
