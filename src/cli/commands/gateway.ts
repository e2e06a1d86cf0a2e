/** `tenfold gateway`: the data plane alone, as one uses nginx. */
import { dirname, join, resolve } from "node:path";
import { WORKERS_MAX } from "../../config/index.ts";
import { CONFIG_OPTION, type Command, defineCommand } from "../command.ts";
import { loadServedOrFail } from "../config-file.ts";
import { Failure } from "../failure.ts";
import { runSession } from "../session.ts";
import { STATE_FOLDER } from "../state-directory.ts";

/** Two generations of workers must fit the scoreboard. */
const CHOICE_MAX = WORKERS_MAX / 2;

/** Listeners, rules and static target groups; runs no services. */
export const gateway: Command = defineCommand({
  name: "gateway",
  heading: "Start and stop",
  summary: "Run the gateway alone, in front of targets that run elsewhere",
  usage: ["[-c FILE] [--workers N] [--state DIR]"],
  notes: ["SIGHUP reads the config again, SIGINT and SIGTERM stop it."],
  positionals: [],
  options: {
    config: CONFIG_OPTION,
    workers: {
      kind: "number",
      placeholder: "N",
      about: "Worker processes",
      fallback: "gateway.workers of the config",
      min: 1,
      max: CHOICE_MAX,
    },
    state: {
      kind: "text",
      placeholder: "DIR",
      about: "State directory",
      fallback: `${STATE_FOLDER} beside the config`,
    },
  },
  examples: [
    { line: "tenfold gateway -c gateway.yaml --workers 2", about: "A load balancer over its targetGroups" },
  ],
  async run({ options }, context) {
    const { config, path } = await loadServedOrFail(options.config, context.cwd, context.terminal);
    const [service] = config.services;
    if (service !== undefined)
      throw new Failure(
        `${path} has service ${service.name}, and the gateway runs none`,
        "use `tenfold up`, or take services out",
      );
    const { workers = config.gateway.workers } = options;
    const stateDirectory =
      options.state === undefined ? join(dirname(path), STATE_FOLDER) : resolve(context.cwd, options.state);
    return runSession(context, {
      controller: { configPath: path, config, stateDirectory, workers },
      hints: ["Ctrl-C stops it; `tenfold top` in another terminal shows it"],
    });
  },
});
