/** `tenfold check`: a config read without starting anything. */
import { dirname, join } from "node:path";
import { databaseMachineProblems } from "../../app/index.ts";
import { type Config, type ConfigOutcome, formatProblem } from "../../config/index.ts";
import { type LoadOutcome, loadConfig } from "../../config/io/index.ts";
import { CONFIG_OPTION, type Command, defineCommand, JSON_OPTION } from "../command.ts";
import { EXIT } from "../failure.ts";
import { renderConfig } from "../render/config.ts";
import { plural } from "../render/figures.ts";
import { STATE_FOLDER } from "../state-directory.ts";

/** Reports every problem of a config at once, or what it says. */
export const check: Command = defineCommand({
  name: "check",
  heading: "Look",
  summary: "Read a config and report every problem, starting nothing",
  usage: ["[-c FILE] [--json]"],
  positionals: [],
  options: { config: CONFIG_OPTION, json: JSON_OPTION },
  examples: [
    { line: "tenfold check", about: "The config of this folder" },
    { line: "tenfold check -c staging.yaml && tenfold reload", about: "Exits 1 when there is a problem" },
  ],
  async run({ options }, { cwd, terminal }) {
    const outcome = await withMachine(await loadConfig(options.config, { folder: cwd }));
    const isGood = outcome.kind === "ok";
    if (options.json) terminal.out(JSON.stringify(summary(outcome, outcome.path)));
    else if (isGood)
      for (const line of renderConfig(outcome.config, outcome.path, terminal.style)) terminal.out(line);
    else {
      for (const problem of outcome.problems) terminal.err(formatProblem(problem));
      terminal.err(terminal.style.bad(plural(outcome.problems.length, "problem")));
    }
    return isGood ? EXIT.ok : EXIT.failed;
  },
});

/** What this machine lacks for a good config is a problem of it, too. */
async function withMachine(outcome: LoadOutcome): Promise<LoadOutcome> {
  if (outcome.kind === "problems") return outcome;
  const state = join(dirname(outcome.path), STATE_FOLDER);
  const problems = await databaseMachineProblems(outcome.config, state);
  return problems.length === 0 ? outcome : { kind: "problems", path: outcome.path, problems };
}

/** What a script wants to know. */
function summary(outcome: ConfigOutcome, path: string | undefined): Record<string, unknown> {
  if (outcome.kind === "problems") return { ok: false, path, problems: outcome.problems };
  const { config } = outcome;
  return { ok: true, path, problems: [], ...namesOf(config) };
}

function namesOf(config: Config): Record<string, readonly string[]> {
  return {
    listeners: config.listeners.map(({ name }) => name),
    targetGroups: config.targetGroups.map(({ name }) => name),
    services: config.services.map(({ name }) => name),
    databases: config.databases.map(({ name }) => name),
  };
}
