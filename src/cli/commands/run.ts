/** `tenfold run`: an app behind a gateway, with no config at all. */
import { availableParallelism } from "node:os";
import { join, resolve } from "node:path";
import { isFree } from "../../app/index.ts";
import { type Config, formatProblem, parseConfig, type UserConfig } from "../../config/index.ts";
import { resolveCommand } from "../../control/io/index.ts";
import { type Command, defineCommand } from "../command.ts";
import { Failure, UsageError } from "../failure.ts";
import { LogFollower, logFilesOf } from "../log-files.ts";
import { logLine } from "../render/log.ts";
import { runSession } from "../session.ts";
import { RUN_PREFIX, STATE_FOLDER } from "../state-directory.ts";
import type { Terminal } from "../terminal.ts";

const HOST = "127.0.0.1";
const PORT = 8080;
/** After the default one; whoever runs more apps than that names a port. */
const PORTS_TRIED = 20;

const PORT_MAX = 65_535;
const TASKS_MAX = 1000;
const NAME = "app";

/** Keeps an app running behind a gateway until Ctrl-C. */
export const run: Command = defineCommand({
  name: "run",
  heading: "Start and stop",
  summary: "Run an app behind a gateway, without a config",
  usage: ["[--tasks N] [--port P] [--health PATH] [--name NAME] -- CMD…"],
  notes: [
    "The app listens on the port in its environment variable PORT. Ctrl-C stops everything, a second",
    "Ctrl-C kills it. The command is a list of words, no shell reads it.",
  ],
  positionals: [],
  rest: { name: "CMD…", about: "The app and its arguments, after --" },
  options: {
    tasks: {
      kind: "number",
      short: "n",
      placeholder: "N",
      about: "Copies of the app",
      fallback: "1",
      min: 1,
      max: TASKS_MAX,
    },
    port: {
      kind: "number",
      short: "p",
      placeholder: "P",
      about: "Port of the gateway",
      fallback: `${PORT}, or the next free one`,
      min: 1,
      max: PORT_MAX,
    },
    health: {
      kind: "text",
      placeholder: "PATH",
      about: "A copy is ready when it answers this",
      fallback: "when it listens",
    },
    name: { kind: "text", placeholder: "NAME", about: "Name of the service", fallback: NAME },
  },
  examples: [
    { line: "tenfold run -- node server.js", about: "One copy behind http://127.0.0.1:8080" },
    {
      line: "tenfold run --tasks 3 --health /healthz -- python3 app.py",
      about: "Three copies of an app that says when it is ready",
    },
  ],
  async run({ options, rest }, context) {
    const { terminal, cwd, env } = context;
    checkProgram(rest, cwd, env["PATH"]);
    const name = options.name ?? NAME;
    const port = choosePort(options.port, terminal);
    const config = configOf(
      {
        listeners: { web: { address: `${HOST}:${port}`, rules: [{ forward: name }] } },
        services: { [name]: serviceOf(rest, options.tasks ?? 1, options.health) },
      },
      cwd,
    );
    const stateDirectory = join(resolve(cwd, STATE_FOLDER), `${RUN_PREFIX}${name}`);
    const follower = new LogFollower(() => logFilesOf(stateDirectory, name));
    follower.tail(0);
    return runSession(context, {
      // Another controller may hold the admin port; this one takes any.
      controller: { config, stateDirectory, adminAddress: { host: HOST, port: 0 } },
      hints: ["Ctrl-C stops it; `tenfold status` and `tenfold top` in another terminal show it"],
      eachLook() {
        for (const line of follower.next()) terminal.out(logLine(line, terminal.style));
      },
    });
  },
});

type UserService = NonNullable<UserConfig["services"]>[string];

function serviceOf(command: readonly string[], tasks: number, health: string | undefined): UserService {
  return { command, tasks, ...(health === undefined ? {} : { health: { path: health } }) };
}

/** A program that is not there now would only be looked for again and again. */
function checkProgram([program = ""]: readonly string[], cwd: string, searchPath = ""): void {
  const found = resolveCommand(program, cwd, searchPath);
  if (found.kind === "failed") throw new Failure(found.message, "");
}

/** The port that was asked for, or the next free one from the default. */
function choosePort(asked: number | undefined, terminal: Terminal): number {
  if (asked !== undefined) {
    if (isFree({ host: HOST, port: asked })) return asked;
    throw new Failure(`port ${asked} is in use`, "stop what listens there, or choose another with --port P");
  }
  const tried = Array.from({ length: PORTS_TRIED }, (_, index) => PORT + index);
  const port = tried.find((candidate) => isFree({ host: HOST, port: candidate }));
  if (port === undefined)
    throw new Failure(`ports ${PORT} to ${tried.at(-1)} are all in use`, "name a free one with --port P");
  if (port !== PORT)
    terminal.err(`port ${PORT} is in use, so this is port ${port} (--port P chooses another)`);
  return port;
}

/** What the options say, as a config; a mistake in it is one of usage. */
function configOf(user: UserConfig, folder: string): Config {
  const outcome = parseConfig(user, { folder, cores: availableParallelism() });
  if (outcome.kind === "ok") return outcome.config;
  throw new UsageError(outcome.problems.map(formatProblem).join("\n"), "");
}
