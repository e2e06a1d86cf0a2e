/** Loading a config for a command: the config, or all its problems on stderr and the end of the command. */
import { type Config, formatProblem } from "../config/index.ts";
import { loadConfig } from "../config/io/index.ts";
import { Failure } from "./failure.ts";
import { plural } from "./render/figures.ts";
import type { Terminal } from "./terminal.ts";

/** Loads the config at `path`, or the one of the folder `cwd`. */
export async function loadOrFail(
  path: string | undefined,
  cwd: string,
  terminal: Terminal,
): Promise<{ readonly config: Config; readonly path: string }> {
  const outcome = await loadConfig(path, { folder: cwd });
  if (outcome.kind === "ok") return outcome;
  for (const problem of outcome.problems) terminal.err(formatProblem(problem));
  throw new Failure(plural(outcome.problems.length, "problem"), "mend the config, and see `tenfold check`");
}

/** As `loadOrFail`, for commands that serve: a config of steering alone is no mistake, and nothing for them. */
export async function loadServedOrFail(
  path: string | undefined,
  cwd: string,
  terminal: Terminal,
): Promise<{ readonly config: Config; readonly path: string }> {
  const loaded = await loadOrFail(path, cwd, terminal);
  const { listeners, services, stores, databases } = loaded.config;
  if (listeners.length + services.length + stores.length + databases.length > 0) return loaded;
  throw new Failure(
    `${loaded.path} has neither listeners nor services`,
    "use `tenfold steer` for its steering",
  );
}
