/** Takes out what has expired, in bounded batches, now and then: Postgres has no time to live of its own. */
import type { Random, Scheduler } from "../../base/index.ts";

/** What a sweeper is made of. */
export interface SweeperOptions {
  /** Takes out one batch; how many rows that were. */
  readonly sweep: () => Promise<number>;
  /** Rows of a full batch: after one that is not full the work is done. */
  readonly batch: number;
  readonly scheduler: Scheduler;
  readonly random: Random;
}

/** Each process sweeps about once a minute. */
const EVERY_MS = 60_000;
const JITTER = 0.2;

/** Batches of one sweep: what is left waits for the next, so that no sweep goes on for long. */
const BATCHES_MAX = 50;

/** Sweeps until the returned function is called. A sweep that fails is tried again at the next turn. */
export function startSweeper({ sweep, batch, scheduler, random }: SweeperOptions): () => void {
  const state = { isStopped: false };
  const run = async (): Promise<void> => {
    for (let batches = 0; batches < BATCHES_MAX && !state.isStopped; batches++)
      // oxlint-disable-next-line no-await-in-loop -- one batch at a time leaves room for others
      if ((await sweep()) < batch) return;
  };
  const wait = (): (() => void) =>
    scheduler.after(EVERY_MS * (1 - JITTER + 2 * JITTER * random()), () => {
      run()
        .catch(() => {})
        .finally(() => {
          if (!state.isStopped) cancel = wait();
        });
    });
  let cancel = wait();
  return () => {
    state.isStopped = true;
    cancel();
  };
}
