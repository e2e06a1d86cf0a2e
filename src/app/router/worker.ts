/**
 * Composition root of one router worker process. It is told by its parent what to serve by, and ends with it: without a parent nobody
 * would renew its settings or hand it the cancel requests that other workers get.
 */
import { randomBytes } from "node:crypto";
import { createLog, systemClock, systemRandom, systemScheduler } from "../../base/index.ts";
import type { ConsoleReply, StateDetail } from "../../database/index.ts";
import { openLeaseStore, type RouterSettings, RouterWorker } from "../../database/io/index.ts";
import { createTransport } from "../../transport/io/index.ts";
import type { FromWorker, ToWorker, WorkerOrder, WorkerReport } from "./messages.ts";

/** How long clients have to end their transactions once the parent is gone. */
const ORPHAN_DRAIN_MS = 10_000;

process.stderr.on("error", () => {}); // a full disk leaves a gap in the log; it must not end the worker
const log = createLog({ clock: systemClock, level: "info", write: (line) => process.stderr.write(line) });
const transport = createTransport(process.env["TENFOLD_TRANSPORT"]);
let worker: RouterWorker | undefined;

/** Commands of the console that the parent has not answered. */
const asked = new Map<number, (reply: ConsoleReply) => void>();
let lastAsked = 0;

process.on("message", (message: ToWorker) => receive(message));
process.on("disconnect", () => void drain(ORPHAN_DRAIN_MS));
// The parent decides when it ends; a terminal's Ctrl-C goes to the whole group.
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, () => {});

function tell(message: FromWorker): void {
  process.send?.(message);
}

function receive(message: ToWorker): void {
  switch (message.kind) {
    case "start":
      return start(message.order);
    case "configure":
      return configure(message.order);
    case "report":
      if (worker === undefined) return undefined;
      return tell({ kind: "report", id: message.id, report: reportOf(worker, message.detail) });
    case "cancel":
      return worker?.cancel(message.processId, Buffer.from(message.secret, "hex"), () => {});
    case "console-reply":
      asked.get(message.id)?.(message.reply);
      return void asked.delete(message.id);
    case "pause":
      return worker?.console.pause(message.names);
    case "reconnect":
      return worker?.console.reconnect(message.database);
    case "kill":
      return worker?.console.kill(message.database);
    case "drain":
      return void drain(message.deadlineMs);
  }
}

function reportOf(of: RouterWorker, detail: StateDetail | undefined): WorkerReport {
  const { counters, pools, reads } = of;
  const state = detail && of.console.state(detail, process.memoryUsage.rss());
  return {
    counters,
    pools,
    reads: [...(reads?.counts ?? [])],
    refusals: of.context.refusals.entries,
    pins: of.context.pins.entries,
    waitTimes: of.context.waitTimes,
    queryTimes: of.context.queryTimes,
    ...(state === undefined ? {} : { state }),
  };
}

/** The parent has looked at the files; one that was replaced since leaves all as it is. */
function configure({ settings, view }: WorkerOrder): void {
  try {
    worker?.configure(settings);
    worker?.update(view);
  } catch (problem) {
    log.error("router-settings-refused", {
      error: problem instanceof Error ? problem.message : String(problem),
    });
  }
}

function start({ settings, view, lease }: WorkerOrder): void {
  try {
    worker = new RouterWorker({ ...settings, ...followed(lease) }, view, {
      transport,
      clock: systemClock,
      random: systemRandom,
      scheduler: systemScheduler,
      log: log.child({ worker: settings.workerId }),
      randomBytes: (length) => new Uint8Array(randomBytes(length)),
      askConsole: (text) => {
        const id = ++lastAsked;
        const answered = new Promise<ConsoleReply>((resolve) => asked.set(id, resolve));
        tell({ kind: "console", id, text });
        transport.yieldSoon();
        return answered;
      },
      forwardCancel: (workerId, processId, secret) => {
        tell({ kind: "cancel", workerId, processId, secret: Buffer.from(secret).toString("hex") });
        transport.yieldSoon();
      },
    });
    const { port } = worker.start();
    transport.start();
    tell({ kind: "serving", port, transport: transport.name });
  } catch (problem) {
    tell({ kind: "failed", error: problem instanceof Error ? problem.message : String(problem) });
    process.disconnect?.();
  }
}

function followed(lease: WorkerOrder["lease"]): Pick<RouterSettings, "failover"> {
  if (lease === undefined) return {};
  const { store: url, cluster, times, hold } = lease;
  return { failover: { store: openLeaseStore({ url, cluster, ttlMs: times.ttlMs }), times, hold } };
}

async function drain(deadlineMs: number): Promise<void> {
  await worker?.drain(deadlineMs);
  transport.stop();
  process.exit(0);
}
