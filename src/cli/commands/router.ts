/** `tenfold router`: the Postgres router alone, as one uses PgBouncer. */
import { type RouterOptions, type RouterSetup, runRouter, StartFailure } from "../../app/index.ts";
import { createLog } from "../../base/index.ts";
import { formatAddress } from "../../config/index.ts";
import { type Command, defineCommand } from "../command.ts";
import type { Context } from "../context.ts";
import { Failure } from "../failure.ts";
import { ROUTER_OPTIONS, readRouterOptions } from "../router/options.ts";

/** PostgreSQL's protocol on a port, with pools behind it. */
export const router: Command = defineCommand({
  name: "router",
  heading: "Start and stop",
  summary: "Run the Postgres router alone: thousands of clients over a few server connections",
  usage: [
    "--primary URL [--replica URL …] [--listen HOST:PORT] [--workers N] [--pool-mode MODE] [--pool-size N] …",
    "--settings FILE",
  ],
  notes: [
    "The user of the primary's URL looks up other users in pg_authid; its password may stand in PGPASSWORD.",
    "SIGHUP reads the files of settings and users again; no client is lost. SIGINT and SIGTERM let transactions end, then stop.",
  ],
  positionals: [],
  options: ROUTER_OPTIONS,
  examples: [
    {
      line: "tenfold router --primary postgres://postgres@10.0.0.5/ --replica postgres://10.0.0.6/ --workers 2",
      about: "Reads on the replica, two processes on one port",
    },
    {
      line: "tenfold router --primary postgres://10.0.0.5/ --users userlist.txt --pool-size 40",
      about: "Users of a file as PgBouncer has it",
    },
  ],
  async run({ options }, context) {
    const { terminal, clock } = context;
    const read = (): Omit<RouterOptions, "log"> => readRouterOptions(options, context);
    const started = read();
    const stopped = untilStopped(context); // from here on: a signal during the start counts too
    const log = createLog({ clock, level: "warn", write: (line) => terminal.err(line.trimEnd()) });
    const running = await runRouter({ ...started, log });
    const off = context.onSignal("SIGHUP", () => reload(read, running, context));
    const processes = started.workers === 1 ? "1 process" : `${started.workers} processes`;
    terminal.out(`router at postgres://${formatAddress(running.address)}, ${processes}`);
    await stopped;
    off();
    await running.stop();
    return 0;
  },
});

/** What cannot be read changes nothing. */
function reload(
  read: () => RouterSetup,
  running: { readonly configure: (setup: RouterSetup) => void },
  { terminal }: Context,
): void {
  try {
    running.configure(read());
    terminal.out("the settings were read again");
  } catch (problem) {
    if (!(problem instanceof Failure || problem instanceof StartFailure)) throw problem;
    terminal.err(`the settings stay as they are: ${problem.message}: ${problem.mend}`);
  }
}

function untilStopped({ onSignal }: Context): Promise<void> {
  return new Promise((done) => {
    const offs = [onSignal("SIGINT", () => stop()), onSignal("SIGTERM", () => stop())];
    const stop = (): void => {
      for (const off of offs) off();
      done();
    };
  });
}
