/**
 * The scheduler: the only place with bare timers.
 *
 * `systemScheduler` waits on the event loop; `simulatedTime` has the other one, which waits for a test to say when.
 */

/** Takes a scheduled run back. Harmless when it has already run or was cancelled before. */
export type Cancel = () => void;

/** Runs things later. */
export interface Scheduler {
  /** Calls `run` once, no earlier than `delayMs` from now. A delay below zero counts as zero; never synchronous. */
  after(delayMs: number, run: () => void): Cancel;
}

/** Longest wait that the event loop's timers take (2^31 - 1 ms, 24.8 days): a longer one would fire at once. */
const TIMEOUT_MS_MAX = 0x7fff_ffff;

/** The event loop's timers. A pending run keeps the process alive. */
export const systemScheduler: Scheduler = {
  after(delayMs, run) {
    let timer: ReturnType<typeof setTimeout>;
    const wait = (restMs: number): void => {
      timer =
        restMs <= TIMEOUT_MS_MAX
          ? setTimeout(run, restMs)
          : setTimeout(() => wait(restMs - TIMEOUT_MS_MAX), TIMEOUT_MS_MAX);
    };
    wait(Math.max(0, delayMs));
    return () => clearTimeout(timer);
  },
};
