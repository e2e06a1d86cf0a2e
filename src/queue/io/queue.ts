/**
 * The queue: jobs in the app's own Postgres, through pg-boss. Sent within the app's transactions, run at least once, by whichever
 * process works.
 */
import type { PgBoss } from "pg-boss";
import { systemClock, systemScheduler } from "../../base/index.ts";
import {
  checkData,
  type DataOf,
  type Duration,
  deadlineMs,
  durationMs,
  type JobSettings,
  type Jobs,
  queueSettings,
  type SendOptions,
  sendSettings,
} from "../jobs.ts";
import { type KindStats, type QueueStats, queueMetrics, statsOf, statsSql } from "../stats.ts";
import { runnerOf, type Tx } from "../tx.ts";
import { type DeadJob, deadJob, type PageOptions } from "./dead-jobs.ts";
import type { OpenOptions } from "./opening.ts";
import { inTransaction, type OpenPool, type PoolInput } from "./pool.ts";
import { settlementOf } from "./settlement.ts";
import { closeOnSignals } from "./signals.ts";
import { type Claim, type Job, type Run, Worker, type WorkerCounters } from "./worker.ts";

/** What is opened. */
export type QueueOptions<All extends Jobs> = PoolInput &
  OpenOptions & {
    /** The kinds of jobs. They are made or brought up to date when the queue is opened. */
    readonly jobs: All;
    /** Where pg-boss keeps its tables. Default "pgboss", as its own tools expect it. */
    readonly schema?: string;
    /** Time between two looks for jobs while there are none. Default "500ms". */
    readonly poll?: Duration;
    /** How long a drain lets handlers end before it gives their jobs back. Default "20s". */
    readonly drain?: Duration;
    /** Signals on which a process that works drains and ends. Default SIGTERM and SIGINT; [] leaves that to the app. */
    readonly signals?: readonly ("SIGTERM" | "SIGINT")[];
  };

/** How a kind is worked on, in this process. */
export interface WorkOptions {
  /** Jobs under way at a time. Default 4. */
  readonly concurrency?: number;
  /** Instead of the kind's. */
  readonly deadline?: Duration;
}

/** When a kind's jobs are sent by themselves. */
export interface ScheduleOptions {
  /** IANA name. Default "UTC". */
  readonly timeZone?: string;
  /** What was missed while no process was there: nothing, or one job for all. Default "skip". */
  readonly missed?: "skip" | "once";
  /** Several schedules of one kind have different names. */
  readonly name?: string;
}

/** Where pg-boss keeps its tables. */
export const SCHEMA = "pgboss";

const DEFAULTS = { poll: "500ms", drain: "20s", concurrency: 4 } as const;

/** Counts are not read more often: as many may ask for them as want. */
const STATS_MS = 1000;

/** Dead letters that are read at once, where nothing else is said. */
const PAGE = 100;

/** Jobs in one statement. */
const SEND_MAX = 1000;

/** The queue. Open it with `openQueue`. */
export class Queue<All extends Jobs> {
  readonly #options: QueueOptions<All>;
  readonly #boss: PgBoss;
  readonly #pool: OpenPool;
  readonly #dead = new Set<string>();
  readonly #workers = new Map<string, Worker<never>[]>();
  #stats: { readonly atMs: number; readonly stats: Promise<QueueStats> } | undefined;
  #closing: Promise<void> | undefined;
  #unlisten: () => void = () => {};

  constructor(options: QueueOptions<All>, boss: PgBoss, pool: OpenPool) {
    this.#options = options;
    this.#boss = boss;
    this.#pool = pool;
  }

  /** Makes what is missing in the database. */
  async prepare(): Promise<void> {
    await this.#boss.start();
    const kinds = Object.entries<JobSettings>(this.#options.jobs);
    for (const [name, kind] of kinds) {
      const own = kind.deadLetter === undefined ? `${name}.dead` : undefined;
      if (own !== undefined) {
        this.#dead.add(own);
        await this.#make(own, { ...kind, keys: "standard" }, undefined);
      }
    }
    // Those that are another's dead letters first.
    const targets = new Set(kinds.map(([, { deadLetter }]) => deadLetter));
    for (const [name, kind] of kinds.toSorted(([a], [b]) => Number(targets.has(b)) - Number(targets.has(a))))
      await this.#make(
        name,
        kind,
        kind.deadLetter === undefined ? `${name}.dead` : kind.deadLetter || undefined,
      );
  }

  async #make(name: string, kind: JobSettings, deadLetter: string | undefined): Promise<void> {
    const { policy, ...settings } = {
      ...queueSettings(kind),
      ...(deadLetter === undefined ? {} : { deadLetter }),
    };
    const found = await this.#boss.getQueue(name);
    if (found === null) return this.#boss.createQueue(name, { policy, ...settings });
    if (found.policy !== policy)
      throw new Error(
        `the queue "${name}" was made with keys of another meaning (${found.policy}, now ${policy}): give it another name`,
      );
    await this.#boss.updateQueue(name, settings);
  }

  // --- sending ------------------------------------------------------------------------------------------------

  /**
   * Sends a job; with `tx`, when that transaction commits and only then. Gives its id, or undefined when its key left it out.
   */
  async send<Name extends keyof All & string>(
    name: Name,
    data: DataOf<All, Name>,
    options: SendOptions & { readonly tx?: Tx } = {},
  ): Promise<string | undefined> {
    const { tx, ...rest } = options;
    const settings = sendSettings(rest);
    this.#check(name, [data]);
    const id = await this.#boss.send(name, data, {
      ...settings,
      ...(tx === undefined ? {} : { db: runnerOf(tx) }),
    });
    if (tx === undefined) this.#wake(name);
    return id ?? undefined;
  }

  #check(name: string, data: readonly unknown[]): void {
    if (this.#closing !== undefined) throw new Error("the queue is closed");
    this.#kind(name);
    for (const each of data) checkData(name, each);
  }

  #kind(name: string): JobSettings {
    const { jobs } = this.#options as { jobs: Jobs };
    const kind = Object.hasOwn(jobs, name) ? jobs[name] : undefined;
    if (kind === undefined)
      throw new TypeError(`there is no kind of job "${name}"; there are ${Object.keys(jobs).join(", ")}`);
    return kind;
  }

  /** Sends many of a kind, a thousand in a statement. */
  async sendAll<Name extends keyof All & string>(
    name: Name,
    data: readonly DataOf<All, Name>[],
    options: Omit<SendOptions, "trailing"> & { readonly tx?: Tx } = {},
  ): Promise<void> {
    const { tx, ...rest } = options;
    const settings = sendSettings(rest);
    this.#check(name, data);
    const db = tx === undefined ? {} : { db: runnerOf(tx) };
    for (let at = 0; at < data.length; at += SEND_MAX) {
      const jobs = data.slice(at, at + SEND_MAX).map((each) => ({ data: each, ...settings }));
      await this.#boss.insert(name, jobs, db);
    }
    if (tx === undefined) this.#wake(name);
  }

  /** Sends a job by a cron expression, from whichever processes are there, once each time. */
  async schedule<Name extends keyof All & string>(
    name: Name,
    cron: string,
    data: DataOf<All, Name>,
    { timeZone = "UTC", missed = "skip", name: key }: ScheduleOptions = {},
  ): Promise<void> {
    await this.#boss.schedule(name, cron, data, {
      tz: timeZone,
      missed,
      ...(key === undefined ? {} : { key }),
    });
  }

  /** Ends a schedule. */
  async unschedule(name: keyof All & string, schedule?: string): Promise<void> {
    await this.#boss.unschedule(name, schedule);
  }

  /** Sends jobs that failed for good on their way again, at most a thousand; with `ids` of `dead()` only those. Gives how many. */
  redrive(name: keyof All & string, { ids }: { readonly ids?: readonly string[] } = {}): Promise<number> {
    const those = ids === undefined ? {} : { ids: [...ids] };
    return this.#boss.redrive(this.#deadOf(name), { sourceName: name, ...those });
  }

  #deadOf(name: string): string {
    const { deadLetter } = this.#kind(name);
    if (deadLetter === false) throw new TypeError(`"${name}" has no dead letters`);
    return deadLetter ?? `${name}.dead`;
  }

  /** Jobs whose tries are used up, the oldest first, with what went wrong at last. `after`: the id of the last one of the page before. */
  async dead<Name extends keyof All & string>(
    name: Name,
    { limit = PAGE, after }: PageOptions = {},
  ): Promise<readonly DeadJob<DataOf<All, Name>>[]> {
    const found = await this.#boss.findJobs<DataOf<All, Name>>(this.#deadOf(name), {
      queued: true,
      limit,
      ...(after === undefined ? {} : { after }),
    });
    return found.filter(({ sourceName }) => sourceName === name).map((row) => deadJob(row));
  }

  /**
   * Takes jobs back: those that wait are never begun; the signal of one that runs is aborted within some seconds, and what it did is
   * not written down. Gives how many were there.
   */
  async cancel(
    name: keyof All & string,
    ids: string | readonly string[],
    { tx }: { readonly tx?: Tx } = {},
  ): Promise<number> {
    this.#kind(name);
    const list = typeof ids === "string" ? [ids] : [...ids];
    const db = tx === undefined ? {} : { db: runnerOf(tx) };
    return settlementOf(await this.#boss.cancel(name, list, db)).affected;
  }

  /** Removes a kind that is not in `jobs` any more: its jobs, its dead letters, its schedules. */
  async remove(name: string): Promise<void> {
    if (Object.hasOwn(this.#options.jobs, name))
      throw new TypeError(`"${name}" is one of the jobs of this process: take it out of them first`);
    for (const { key } of await this.#boss.getSchedules(name)) await this.#boss.unschedule(name, key);
    await this.#boss.deleteQueue(name);
    if ((await this.#boss.getQueue(`${name}.dead`)) !== null) await this.#boss.deleteQueue(`${name}.dead`);
  }

  #wake(name: string): void {
    for (const worker of this.#workers.get(name) ?? []) worker.wake();
  }

  // --- working ------------------------------------------------------------------------------------------------

  /** Runs jobs of a kind in this process, one at a call. A handler that rejects has its job tried again. */
  work<Name extends keyof All & string>(
    name: Name,
    options: WorkOptions,
    handler: (job: Job<DataOf<All, Name>>) => unknown,
  ): void {
    const run: Run<DataOf<All, Name>> = async (jobs) => {
      for (const job of jobs) await handler(job);
    };
    this.#start(name, options, 1, run);
  }

  /** The same with up to `size` jobs at a call. If it rejects all of them are tried again. */
  workBatch<Name extends keyof All & string>(
    name: Name,
    options: WorkOptions & { readonly size: number },
    handler: (jobs: readonly Job<DataOf<All, Name>>[]) => unknown,
  ): void {
    const run: Run<DataOf<All, Name>> = async (jobs) => handler(jobs);
    this.#start(name, options, options.size, run);
  }

  #start<Data>(name: string, options: WorkOptions, size: number, run: Run<Data>): void {
    if (this.#closing !== undefined) throw new Error("the queue is closed");
    const kind = this.#kind(name);
    const { concurrency = DEFAULTS.concurrency, deadline } = options;
    for (const [what, value] of Object.entries({ concurrency, size }))
      if (!Number.isInteger(value) || value < 1) throw new TypeError(`${what}: write a whole number from 1`);
    const worker = new Worker<Data>({
      boss: this.#boss,
      name,
      run,
      concurrency,
      size,
      deadlineMs: deadlineMs(deadline === undefined ? kind : { deadline }),
      pollMs: durationMs(this.#options.poll ?? DEFAULTS.poll, "poll"),
      giveBack: (of, claims) => this.#giveBack(of, claims),
      onError: (error) => this.#options.onError?.(error),
      clock: systemClock,
      scheduler: systemScheduler,
    });
    if (this.#workers.size === 0) {
      const { signals = ["SIGTERM", "SIGINT"], onError } = this.#options;
      this.#unlisten = closeOnSignals(signals, () =>
        this.close().catch((error: unknown) => onError?.(error)),
      );
    }
    this.#workers.set(name, [...(this.#workers.get(name) ?? []), worker]);
  }

  /** As if they had not been begun: one transaction, so that a process that dies in it leaves them claimed, not lost. */
  #giveBack(name: string, claims: readonly Claim[]): Promise<void> {
    return inTransaction(this.#pool.pool, async (client) => {
      const db = { db: runnerOf(client) };
      const { settled = [] } = settlementOf(await this.#boss.cancel(name, [...claims], db));
      if (settled.length === 0) return;
      await this.#boss.resume(name, [...settled], db);
      for (const { id, retryLimit } of claims)
        if (settled.includes(id))
          await this.#boss.update(name, undefined, { id, retryLimit: retryLimit + 1, ...db });
    });
  }

  // --- numbers ------------------------------------------------------------------------------------------------

  /** How much waits, of all kinds; at most a second old. */
  stats(): Promise<QueueStats> {
    const atMs = systemClock.nowMs();
    if (this.#stats !== undefined && atMs - this.#stats.atMs < STATS_MS) return this.#stats.stats;
    const names = [...Object.keys(this.#options.jobs), ...this.#dead];
    const stats = this.#pool.pool
      .query(statsSql(this.#options.schema ?? SCHEMA), [names])
      .then(({ rows }) => statsOf(rows as (KindStats & { name: string })[], names, this.#dead));
    stats.catch(() => {
      this.#stats = undefined;
    });
    this.#stats = { atMs, stats };
    return stats;
  }

  /** The numbers of `stats` in Prometheus' text format. */
  async metrics(): Promise<string> {
    return queueMetrics(await this.stats());
  }

  /** What this process has done, per kind. */
  counters(): Readonly<Record<string, WorkerCounters>> {
    const sum = (workers: readonly Worker<never>[]): WorkerCounters => {
      const total: WorkerCounters = { done: 0, failed: 0, lost: 0, givenBack: 0, running: 0 };
      for (const { counters } of workers)
        for (const name of Object.keys(total) as (keyof WorkerCounters)[]) total[name] += counters[name];
      return total;
    };
    return Object.fromEntries([...this.#workers].map(([name, workers]) => [name, sum(workers)]));
  }

  // --- the end ------------------------------------------------------------------------------------------------

  /** Fetches no more, lets handlers end within `drain`, gives back what is left, and closes. Idempotent. */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    const graceMs = durationMs(this.#options.drain ?? DEFAULTS.drain, "drain");
    await Promise.all([...this.#workers.values()].flat().map((worker) => worker.stop(graceMs)));
    await this.#boss.stop({ graceful: false });
    await this.#pool.end();
    this.#unlisten();
  }
}
