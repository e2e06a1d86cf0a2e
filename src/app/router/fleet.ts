/**
 * The worker processes of a router, on one port by SO_REUSEPORT: started, replaced when they end by themselves, told of new settings, and asked
 * how they are. A cancel request that the kernel gave to one of them and that is another's goes by here.
 */
import { fileURLToPath } from "node:url";
import type { Log, Scheduler } from "../../base/index.ts";
import type { FromWorker, ToWorker, WorkerOrder, WorkerReport } from "./messages.ts";

/** From a worker's start until it serves. */
const START_MS = 15_000;

/** A worker that ended is replaced after so long, doubled each time up to the last; once it has served for `STEADY_MS`, anew. */
const RESTART_MIN_MS = 100;
const RESTART_MAX_MS = 10_000;
const STEADY_MS = 30_000;

/** Longest wait for a worker's report: one that is busy for longer is left out of the sum. */
const REPORT_MS = 2_000;

/** More than a drain's deadline, so that a worker ends by itself. */
const STOP_MARGIN_MS = 2_000;

type Child = Bun.Subprocess<"ignore", "inherit", "inherit">;

interface WorkerProcess {
  readonly id: number;
  child: Child | undefined;
  startedMs: number;
  restartMs: number;
  port: number;
}

/** What a fleet is made of. */
export interface FleetParts {
  readonly scheduler: Scheduler;
  readonly nowMs: () => number;
  readonly log: Log;
  /** What the worker with this number serves by, at this moment; `port` is what the first one got. */
  readonly orderOf: (workerId: number, port: number | undefined) => WorkerOrder;
}

export class Fleet {
  readonly #parts: FleetParts;
  readonly #workers: WorkerProcess[] = [];
  readonly #reports = new Map<number, (report: WorkerReport) => void>();
  #lastReport = 0;
  #port: number | undefined;
  #isStopping = false;

  constructor(parts: FleetParts) {
    this.#parts = parts;
  }

  /** Process ids of the workers that live. */
  get pids(): readonly number[] {
    return this.#workers.flatMap(({ child }) => (child === undefined ? [] : [child.pid]));
  }

  /** Starts `count` workers; resolves to their port when all serve. Rejects with what one of them says. */
  async start(count: number): Promise<number> {
    for (let id = 0; id < count; id++) {
      const worker: WorkerProcess = {
        id,
        child: undefined,
        startedMs: 0,
        restartMs: RESTART_MIN_MS,
        port: 0,
      };
      this.#workers.push(worker);
      // The first one chooses the port when any will do.
      // oxlint-disable-next-line no-await-in-loop -- see above
      if (id === 0) this.#port = await this.#launch(worker);
    }
    await Promise.all(this.#workers.slice(1).map((worker) => this.#launch(worker)));
    return this.#port ?? 0;
  }

  /** Tells each worker what it serves by now. */
  configure(): void {
    for (const { id, child } of this.#workers)
      tell(child, { kind: "configure", order: this.#parts.orderOf(id, this.#port) });
  }

  /** What each worker says of itself. */
  async reports(): Promise<readonly WorkerReport[]> {
    const asked = this.#workers.flatMap(({ child }) => (child === undefined ? [] : [this.#ask(child)]));
    return (await Promise.all(asked)).filter((report) => report !== undefined);
  }

  /** Drains all workers and ends them. */
  async stop(deadlineMs: number): Promise<void> {
    this.#isStopping = true;
    const ended = this.#workers.flatMap((worker) => {
      const { child } = worker;
      if (child === undefined) return [];
      tell(child, { kind: "drain", deadlineMs });
      const cancel = this.#parts.scheduler.after(deadlineMs + STOP_MARGIN_MS, () => child.kill("SIGKILL"));
      const gone = (): void => {
        cancel();
        worker.child = undefined;
      };
      return [child.exited.then(gone)];
    });
    await Promise.all(ended);
  }

  #launch(worker: WorkerProcess): Promise<number> {
    const { scheduler, orderOf, nowMs } = this.#parts;
    return new Promise((resolve, reject) => {
      const child: Child = Bun.spawn({
        cmd: [process.execPath, fileURLToPath(new URL("./worker.ts", import.meta.url))],
        stdio: ["ignore", "inherit", "inherit"],
        serialization: "json",
        ipc: (message: FromWorker) => {
          if (message.kind === "serving") settle(() => resolve(message.port));
          else if (message.kind === "failed") settle(() => reject(new Error(message.error)));
          else this.#received(message);
        },
        onExit: () => {
          settle(() => reject(new Error("a worker ended before it served")));
          this.#ended(worker);
        },
      });
      const settle = (then: () => void): void => {
        cancel();
        then();
      };
      const cancel = scheduler.after(START_MS, () => child.kill("SIGKILL"));
      worker.child = child;
      worker.startedMs = nowMs();
      tell(child, { kind: "start", order: orderOf(worker.id, this.#port) });
    });
  }

  #received(message: Exclude<FromWorker, { kind: "serving" | "failed" }>): void {
    if (message.kind === "report") {
      this.#reports.get(message.id)?.(message.report);
      this.#reports.delete(message.id);
    } else tell(this.#workers[message.workerId]?.child, message);
  }

  #ended(worker: WorkerProcess): void {
    const { log, scheduler, nowMs } = this.#parts;
    worker.child = undefined;
    if (this.#isStopping || this.#port === undefined) return;
    if (nowMs() - worker.startedMs > STEADY_MS) worker.restartMs = RESTART_MIN_MS;
    log.error("router-worker-ended", { worker: worker.id, restartMs: worker.restartMs });
    scheduler.after(worker.restartMs, () => {
      worker.restartMs = Math.min(RESTART_MAX_MS, worker.restartMs * 2);
      if (!this.#isStopping)
        this.#launch(worker).catch((problem: unknown) =>
          log.error("router-worker-not-started", { worker: worker.id, error: String(problem) }),
        );
    });
  }

  #ask(child: Child): Promise<WorkerReport | undefined> {
    const id = ++this.#lastReport;
    return new Promise((resolve) => {
      const cancel = this.#parts.scheduler.after(REPORT_MS, () => {
        this.#reports.delete(id);
        resolve(undefined);
      });
      this.#reports.set(id, (report) => {
        cancel();
        resolve(report);
      });
      tell(child, { kind: "report", id });
    });
  }
}

/** One that is ending does not hear it, and needs not. */
function tell(child: Child | undefined, message: ToWorker): void {
  try {
    child?.send(message);
  } catch {
    // Its pipe is closed: its end is told by `onExit`.
  }
}
