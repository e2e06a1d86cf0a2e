/**
 * Takes jobs of one kind and runs them: as many at a time as allowed, each with its deadline, each settled by itself.
 *
 * One query fetches for all free places; one heartbeat holds the claims of all that runs. What a drain cannot finish is given back:
 * it waits for another worker as if it had not been begun.
 */
import type { PgBoss } from "pg-boss";
import type { Cancel, Clock, Scheduler } from "../../base/index.ts";
import { batch } from "../batch.ts";
import { failureOf } from "../failure.ts";
import { HEARTBEAT_S } from "../jobs.ts";
import { settlementOf } from "./settlement.ts";

/** A job as its handler gets it. */
export interface Job<Data> {
  readonly id: string;
  readonly data: Data;
  readonly key: string | undefined;
  /** 1 at the first try. */
  readonly attempt: number;
  readonly createdAt: Date;
  /** Aborted at the deadline, when the process drains and waits no longer, when the job was cancelled, or when another worker has it. */
  readonly signal: AbortSignal;
}

/** Runs jobs that were fetched together. Rejects to have them tried again. */
export type Run<Data> = (jobs: readonly Job<Data>[]) => Promise<unknown>;

/** What a worker is made of. */
export interface WorkerOptions<Data> {
  readonly boss: PgBoss;
  readonly name: string;
  readonly run: Run<Data>;
  /** Calls of `run` under way at most. */
  readonly concurrency: number;
  /** Jobs in one call. */
  readonly size: number;
  readonly deadlineMs: number;
  readonly pollMs: number;
  /** Puts claimed jobs back. */
  readonly giveBack: (name: string, claims: readonly Claim[]) => Promise<void>;
  readonly onError: (error: unknown) => void;
  readonly clock: Clock;
  readonly scheduler: Scheduler;
}

/** One attempt at a job: what pg-boss fences settlements by. */
export interface Claim {
  readonly id: string;
  readonly retryCount: number;
  readonly retryLimit: number;
}

/** Counts since the start. */
export interface WorkerCounters {
  done: number;
  failed: number;
  /** Tries that ended after their claim was lost: the job runs elsewhere, or ran. */
  lost: number;
  givenBack: number;
  running: number;
}

interface Running {
  readonly claims: readonly Claim[];
  readonly abort: LazyAbort;
  readonly ended: Promise<void>;
  isGivenBack: boolean;
}

/** Jobs of one fetch at most: they are claimed from then on. */
const FETCH_MAX = 100;

/** Three heartbeats within the time after which a worker counts as dead: two may be lost. */
const HEARTBEAT_MS = (HEARTBEAT_S * 1000) / 3;

/** How long what a job did is tried to be written down while the database is away. After that the job runs once more. */
const SETTLE_MS = 30_000;

const RETRY_MS = { first: 100, max: 2000 } as const;

/** Jobs that end within this are fetched for, and written down, as one. */
const TOGETHER_MS = 1;

/** A fetch costs a database nearly the same for one job as for many: while others run, a place waits so long for others to be free. */
const GATHER_MS = 4;

/** …until this share of the places is free. */
const GATHER_SHARE = 0.25;

/** So many times the places may be on their way to be written down: all of one turn, and those of the next. */
const SETTLING_SHARE = 2;

/** How long handlers that were aborted by a drain have to end. */
const ABORTED_MS = 1000;

/** An AbortController that is made when its signal is asked for: most handlers do not. */
class LazyAbort {
  #controller: AbortController | undefined;
  #reason: Error | undefined;

  get signal(): AbortSignal {
    this.#controller ??= new AbortController();
    if (this.#reason !== undefined) this.#controller.abort(this.#reason);
    return this.#controller.signal;
  }

  get isAborted(): boolean {
    return this.#reason !== undefined;
  }

  abort(reason: Error): void {
    this.#reason ??= reason;
    this.#controller?.abort(this.#reason);
  }
}

/** A worker of one kind. */
export class Worker<Data> {
  readonly #options: WorkerOptions<Data>;
  /** Those whose handlers run, and those that are not written down yet. */
  readonly #running = new Set<Running>();
  #handling = 0;
  readonly #complete: (claim: Claim) => Promise<void>;
  #isStopping = false;
  #wake: () => void = () => {};
  #handlerEnded: () => void = () => {};
  #isWoken = false;
  readonly #stopHeartbeat: Cancel;
  readonly #loop: Promise<void>;
  readonly counters: WorkerCounters = { done: 0, failed: 0, lost: 0, givenBack: 0, running: 0 };

  constructor(options: WorkerOptions<Data>) {
    this.#options = options;
    const { boss, name, scheduler } = options;
    const run = async (claims: Claim[]): Promise<void> => {
      const { affected } = settlementOf(await this.#patiently(() => boss.complete(name, claims)));
      this.counters.done += affected;
      this.counters.lost += claims.length - affected;
    };
    this.#complete = batch(run, { maxSize: FETCH_MAX, maxWaitMs: TOGETHER_MS, concurrency: 4, scheduler });
    this.#stopHeartbeat = this.#beat();
    this.#loop = this.#work();
  }

  /** There is something to do, perhaps. */
  wake(): void {
    this.#isWoken = true;
    this.#wake();
  }

  /** Fetches no more, and lets what runs end within `graceMs`; then aborts it and gives it back. */
  async stop(graceMs: number): Promise<void> {
    this.#isStopping = true;
    this.wake();
    await this.#loop;
    await this.#ended(graceMs);
    for (const { abort } of this.#running) abort.abort(new Error("the process is stopping"));
    await this.#ended(ABORTED_MS);
    for (const running of this.#running) await this.#back(running);
    this.#stopHeartbeat();
  }

  async #ended(withinMs: number): Promise<void> {
    if (this.#running.size === 0) return;
    const all = Promise.all([...this.#running].map(({ ended }) => ended));
    await this.#within(withinMs, all);
  }

  async #within(ms: number, other?: Promise<unknown>): Promise<void> {
    let cancel: Cancel = () => {};
    const timer = new Promise<void>((resolve) => {
      cancel = this.#options.scheduler.after(ms, resolve);
    });
    await (other === undefined ? timer : Promise.race([other, timer]));
    cancel();
  }

  // --- fetching -----------------------------------------------------------------------------------------------

  async #work(): Promise<void> {
    const { size, pollMs, onError } = this.#options;
    let failures = 0;
    while (!this.#isStopping) {
      this.#isWoken = false;
      if (this.#places() === 0) {
        await this.#pause(pollMs);
        continue;
      }
      await this.#gather();
      const free = this.#places() * size;
      if (free === 0 || this.#isStopping) continue;
      try {
        const count = await this.#fetch(Math.min(free, FETCH_MAX));
        failures = 0;
        if (count < Math.min(free, FETCH_MAX)) await this.#pause(pollMs);
      } catch (error) {
        onError(error);
        await this.#pause(Math.min(RETRY_MS.max, RETRY_MS.first * 2 ** failures));
        failures = Math.min(failures + 1, 10);
      }
    }
  }

  /** What has run holds no place while it is written down, unless that takes longer than running it: then the database is behind. */
  #places(): number {
    const { concurrency } = this.#options;
    const settling = this.#running.size - this.#handling;
    return settling >= SETTLING_SHARE * concurrency ? 0 : Math.max(0, concurrency - this.#handling);
  }

  /** Waits for places that are about to be free, so that one fetch is for all of them. */
  async #gather(): Promise<void> {
    if (this.#handling === 0) return;
    await this.#within(TOGETHER_MS, this.#untilFree(1));
    if (!this.#isFree(GATHER_SHARE)) await this.#within(GATHER_MS, this.#untilFree(GATHER_SHARE));
  }

  #isFree(share: number): boolean {
    return this.#handling === 0 || this.#places() >= share * this.#options.concurrency;
  }

  #untilFree(share: number): Promise<void> {
    return new Promise((resolve) => {
      this.#handlerEnded = () => {
        if (this.#isFree(share)) resolve();
      };
    });
  }

  /** Ends early when a place becomes free or `wake` is called. */
  async #pause(ms: number): Promise<void> {
    if (this.#isWoken || this.#isStopping) return;
    await this.#within(
      ms,
      new Promise<void>((resolve) => {
        this.#wake = resolve;
      }),
    );
  }

  async #fetch(most: number): Promise<number> {
    const { boss, name, size } = this.#options;
    const fetched = await boss.fetch<Data>(name, { batchSize: most, includeMetadata: true });
    for (let at = 0; at < fetched.length; at += size) {
      const part = fetched.slice(at, at + size);
      const claims = part.map(({ id, retryCount, retryLimit }) => ({ id, retryCount, retryLimit }));
      const abort = new LazyAbort();
      const jobs = part.map(({ id, data, singletonKey, retryCount, createdOn }) => ({
        id,
        data,
        key: singletonKey ?? undefined,
        attempt: retryCount + 1,
        createdAt: createdOn,
        get signal(): AbortSignal {
          return abort.signal;
        },
      }));
      this.#start(claims, abort, jobs);
    }
    return fetched.length;
  }

  // --- running ------------------------------------------------------------------------------------------------

  #start(claims: readonly Claim[], abort: LazyAbort, jobs: readonly Job<Data>[]): void {
    const { promise, resolve } = Promise.withResolvers<void>();
    const running: Running = { claims, abort, ended: promise, isGivenBack: false };
    this.#running.add(running);
    this.counters.running += 1;
    void this.#run(running, jobs)
      .catch((error: unknown) => this.#options.onError(error))
      .finally(() => {
        this.#running.delete(running);
        this.counters.running -= 1;
        resolve();
        this.wake();
      });
  }

  async #run(running: Running, jobs: readonly Job<Data>[]): Promise<void> {
    const { run, deadlineMs, scheduler } = this.#options;
    const { promise: passed, reject } = Promise.withResolvers<never>();
    const cancel = scheduler.after(deadlineMs, () => {
      const late = new Error(`the deadline of ${deadlineMs} ms has passed`);
      running.abort.abort(late);
      reject(late);
    });
    this.#handling += 1;
    const handling = (async () => run(jobs))();
    const ended = (): void => {
      this.#handling -= 1;
      this.#handlerEnded();
      this.wake();
    };
    handling.then(ended, ended);
    try {
      await Promise.race([handling, passed]);
    } catch (error) {
      await this.#failed(running, error);
      // It holds its place until it has ended: places bound what runs, not what is waited for.
      await handling.catch(() => {});
      return;
    } finally {
      cancel();
    }
    if (!running.isGivenBack) await Promise.all(running.claims.map((claim) => this.#complete(claim)));
  }

  async #failed(running: Running, error: unknown): Promise<void> {
    if (running.isGivenBack) return;
    // What a drain interrupted is nobody's failure.
    if (this.#isStopping && running.abort.isAborted) return this.#back(running);
    const { boss, name } = this.#options;
    const failure = failureOf(error);
    const response = await this.#patiently(() => boss.fail(name, [...running.claims], failure));
    const { affected } = settlementOf(response);
    this.counters.failed += affected;
    this.counters.lost += running.claims.length - affected;
  }

  async #back(running: Running): Promise<void> {
    if (running.isGivenBack) return;
    running.isGivenBack = true;
    await this.#options.giveBack(this.#options.name, running.claims);
    this.counters.givenBack += running.claims.length;
  }

  /** Tries again while the database is away. */
  async #patiently<T>(settle: () => Promise<T>): Promise<T> {
    const { clock, scheduler } = this.#options;
    const untilMs = clock.nowMs() + SETTLE_MS;
    for (let failures = 0; ; failures++) {
      try {
        return await settle();
      } catch (error) {
        if (clock.nowMs() > untilMs) throw error;
      }
      await new Promise<void>((resolve) => {
        scheduler.after(Math.min(RETRY_MS.max, RETRY_MS.first * 2 ** failures), resolve);
      });
    }
  }

  // --- claims -------------------------------------------------------------------------------------------------

  #beat(): Cancel {
    let cancel: Cancel = () => {};
    let isOver = false;
    const again = (): void => {
      cancel = this.#options.scheduler.after(HEARTBEAT_MS, () => {
        void this.#touch().then(() => {
          if (!isOver) again();
        });
      });
    };
    again();
    return () => {
      isOver = true;
      cancel();
    };
  }

  async #touch(): Promise<void> {
    const { boss, name, onError } = this.#options;
    const all = [...this.#running];
    const claims = all.flatMap((running) => running.claims);
    if (claims.length === 0) return;
    try {
      const { settled } = settlementOf(await boss.touch(name, claims));
      if (settled === undefined) return;
      const held = new Set(settled);
      for (const running of all) {
        if (running.claims.some(({ id }) => held.has(id)) || !this.#running.has(running)) continue;
        running.abort.abort(
          new Error("the job is no longer this try's: it was cancelled, or another worker has it"),
        );
      }
    } catch (error) {
      onError(error);
    }
  }
}
