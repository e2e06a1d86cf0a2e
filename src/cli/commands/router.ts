/** `tenfold router`: the Postgres router alone, as one uses PgBouncer. */
import {
  type RouterOptions,
  type RouterSetup,
  type RunningRouter,
  runRouter,
  StartFailure,
} from "../../app/index.ts";
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
    "--members NAME=HOST:PORT,… --store URL [--auth-user NAME] …",
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
      line: "tenfold router --members db1=10.0.0.1:5432,db2=10.0.0.2:5432 --store etcd://10.0.0.3:2379",
      about: "Whoever holds the lease is primary; writes wait during a failover",
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
    const next = (): RouterSetup => sameLease(started, read());
    // From here on: a signal during the start counts too.
    const { stopped, stop } = untilStopped(context);
    const log = createLog({ clock, level: "warn", write: (line) => terminal.err(line.trimEnd()) });
    const running: RunningRouter = await runRouter({
      ...started,
      log,
      reload: () => running.configure(next()),
      shutdown: stop,
    });
    const off = context.onSignal("SIGHUP", () => reload(next, running, context));
    const processes = started.workers === 1 ? "1 process" : `${started.workers} processes`;
    terminal.out(`router at postgres://${formatAddress(running.address)}, ${processes}`);
    await stopped;
    off();
    await running.stop();
    return 0;
  },
});

/** Members come, go and move by a reload; where the lease is does not change by one. */
function sameLease(
  { lease }: Pick<RouterOptions, "lease">,
  next: Omit<RouterOptions, "log">,
): Omit<RouterOptions, "log"> {
  if (lease?.store === next.lease?.store) return next;
  throw new Failure(
    "who says which server is primary has changed (members, store)",
    "restart the router for that",
  );
}

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

function untilStopped({ onSignal }: Context): { readonly stopped: Promise<void>; readonly stop: () => void } {
  let stop = (): void => {};
  const stopped = new Promise<void>((done) => {
    const offs = [onSignal("SIGINT", () => stop()), onSignal("SIGTERM", () => stop())];
    stop = () => {
      for (const off of offs) off();
      done();
    };
  });
  return { stopped, stop: () => stop() };
}
