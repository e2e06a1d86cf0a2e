/** `tenfold up`: the controller, the gateway and the services of a config; or those that run already, adopted. */
import { dirname, join, resolve } from "node:path";
import { CONFIG_OPTION, type Command, defineCommand } from "../command.ts";
import { loadServedOrFail } from "../config-file.ts";
import { detach } from "../detach.ts";
import { runSession } from "../session.ts";
import { STATE_FOLDER } from "../state-directory.ts";

/** Starts or adopts everything, in the foreground or behind. */
export const up: Command = defineCommand({
  name: "up",
  heading: "Start and stop",
  summary: "Start what the config says, or adopt what runs",
  usage: ["[-c FILE] [--detach] [--state DIR]"],
  notes: [
    "Ctrl-C and SIGTERM stop everything, as `tenfold down` does; SIGHUP reads the config again. When the",
    "controller is killed, gateway and tasks go on, and the next `up` adopts them.",
  ],
  positionals: [],
  options: {
    config: CONFIG_OPTION,
    detach: { kind: "flag", short: "d", about: "Put it behind, and return when everything is healthy" },
    state: {
      kind: "text",
      placeholder: "DIR",
      about: "State directory",
      fallback: `${STATE_FOLDER} beside the config`,
    },
  },
  examples: [
    { line: "tenfold up", about: "The config of this folder, in the foreground" },
    {
      line: "tenfold up -c shop.yaml --detach",
      about: "Behind; exits 1 with the reason when it does not come up",
    },
  ],
  async run({ options }, context) {
    const { config, path } = await loadServedOrFail(options.config, context.cwd, context.terminal);
    const stateDirectory =
      options.state === undefined ? join(dirname(path), STATE_FOLDER) : resolve(context.cwd, options.state);
    if (options.detach) return detach(context, { configPath: path, stateDirectory });
    return runSession(context, {
      controller: { configPath: path, config, stateDirectory },
      hints: ["Ctrl-C stops it; `tenfold status`, `top` and `logs` in another terminal show it"],
    });
  },
});
