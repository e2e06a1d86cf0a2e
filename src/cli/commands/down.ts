/** `tenfold down`: everything that was started from a state directory, and nothing else. */
import type { Status } from "../../app/index.ts";
import { identify } from "../../base/io/index.ts";
import { type AdminClient, adminClient } from "../admin-client.ts";
import { type Command, defineCommand, STATE_OPTION } from "../command.ts";
import { type Context, pause } from "../context.ts";
import { type EventFeed, eventLine, feedFromNow } from "../events.ts";
import { ControllerAway, EXIT, Failure } from "../failure.ts";
import { lastConfig } from "../last-config.ts";
import { hindranceCheck } from "../patience.ts";
import { plural } from "../render/figures.ts";
import { findStateDirectory, wasUsed } from "../state-directory.ts";

const NOTHING_RUNS = "nothing runs here";
const STOPPED = "everything is stopped";

const ANY_PORT = { host: "127.0.0.1", port: 0 };

const LOOK_MS = 200;

/** Between the last answer of the admin API and the end of the process. */
const EXIT_MS_MAX = 10_000;

/** Stops tasks and gateway, then the controller; or the controller alone. */
export const down: Command = defineCommand({
  name: "down",
  heading: "Start and stop",
  summary: "Stop what was started, and nothing else",
  usage: ["[--controller-only] [--state DIR]"],
  notes: [
    "Requests in flight finish first. Works when the controller is dead, too: what it started is found and stopped.",
  ],
  positionals: [],
  options: {
    "controller-only": {
      kind: "flag",
      about: "End the controller; gateway and tasks go on for the next `up`",
    },
    state: STATE_OPTION,
  },
  examples: [
    { line: "tenfold down", about: "Returns when nothing runs any more" },
    {
      line: "tenfold down --controller-only && tenfold up --detach",
      about: "A new controller; no request notices",
    },
  ],
  async run({ options }, context) {
    const directory = stateDirectoryOrNone(context, options.state);
    if (directory === undefined) return nothingRuns(context);
    const client = adminClient(directory);
    const status = await client.status().catch(undefinedWhenAway);
    if (options["controller-only"]) return endController(context, status);
    if (status === undefined) return stopOrphans(context, directory);
    return stopAll(context, client, status);
  },
});

function stateDirectoryOrNone({ cwd }: Context, named: string | undefined): string | undefined {
  if (named !== undefined) return findStateDirectory(cwd, named);
  try {
    return findStateDirectory(cwd, undefined);
  } catch (problem) {
    if (problem instanceof Failure) return undefined;
    throw problem;
  }
}

function nothingRuns({ terminal }: Context): number {
  terminal.out(NOTHING_RUNS);
  return EXIT.ok;
}

/** SIGUSR2 makes a controller let go of what it started. */
async function endController(context: Context, status: Status | undefined): Promise<number> {
  if (status === undefined) return nothingRuns(context);
  const { pid } = status.controller;
  process.kill(pid, "SIGUSR2");
  await untilGone(context, pid);
  context.terminal.out("the controller has ended; gateway and tasks go on");
  return EXIT.ok;
}

async function stopAll(context: Context, client: AdminClient, status: Status): Promise<number> {
  const { terminal } = context;
  const tasks = status.services.reduce((sum, service) => sum + service.tasks.length, 0);
  terminal.out(
    `stopping ${plural(tasks, "task")} and ${plural(status.gateway.workers.length, "gateway worker")}`,
  );
  const feed = await feedFromNow(client);
  await client.down();
  await showUntilAway(context, client, feed);
  await untilGone(context, status.controller.pid);
  terminal.out(terminal.style.good(STOPPED));
  return EXIT.ok;
}

async function showUntilAway(context: Context, client: AdminClient, feed: EventFeed): Promise<void> {
  const { terminal } = context;
  const check = hindranceCheck(context.clock);
  for (;;) {
    const status = await client.status().catch(undefinedWhenAway);
    const events = await feed().catch(undefinedWhenAway);
    for (const event of events ?? []) terminal.out(eventLine(event, terminal.style));
    if (status === undefined || events === undefined) return;
    check(status);
    await pause(context, LOOK_MS);
  }
}

async function untilGone(context: Context, pid: number): Promise<void> {
  const deadlineMs = context.clock.nowMs() + EXIT_MS_MAX;
  while (identify(pid) !== undefined) {
    if (context.clock.nowMs() > deadlineMs)
      throw new Failure(
        `the controller (pid ${pid}) does not end`,
        `everything else has; end it with \`kill -9 ${pid}\``,
      );
    await pause(context, LOOK_MS);
  }
}

/** A controller that is gone may have left workers and tasks: one more adopts them, only to stop them. */
async function stopOrphans(context: Context, directory: string): Promise<number> {
  if (!wasUsed(directory)) return nothingRuns(context);
  const { terminal } = context;
  const config = lastConfig(directory);
  const handle = await context.start({ config, stateDirectory: directory, adminAddress: ANY_PORT });
  const stopping = handle.stopAll();
  const status = await adminClient(directory).status().catch(undefinedWhenAway);
  const found = status === undefined ? 0 : processesOf(status);
  if (found > 0)
    terminal.out(
      `the controller was not running; stopping the ${plural(found, "process", "processes")} it left`,
    );
  await stopping;
  terminal.out(found === 0 ? NOTHING_RUNS : terminal.style.good(STOPPED));
  return EXIT.ok;
}

function processesOf({ services, gateway }: Status): number {
  return services.reduce((sum, service) => sum + service.tasks.length, gateway.workers.length);
}

function undefinedWhenAway(problem: unknown): undefined {
  if (problem instanceof ControllerAway) return undefined;
  throw problem;
}
