/**
 * A loop of our own beside Bun's: ours waits in the kernel, and yields when Bun has work, when nothing happened for a
 * while, and after a number of rounds without rest.
 */

/** Bun's loop gets its turn at least this often, for its timers. */
export const YIELD_MS = 20;

/** …and after this many rounds, so that a flood cannot starve it. */
const ROUNDS_MAX = 32;

/** What is to be run once, at the end of the present round. */
export class RoundEnd {
  #runs: (() => void)[] = [];

  push(run: () => void): void {
    this.#runs.push(run);
  }

  /** Runs what there is; what that adds is for the next round. What one throws keeps no other from its turn. */
  run(): void {
    if (this.#runs.length === 0) return;
    const runs = this.#runs;
    this.#runs = [];
    for (const run of runs) {
      try {
        run();
      } catch (error) {
        queueMicrotask(() => {
          throw error;
        });
      }
    }
  }
}

/** Runs `turn` until `running` says no. `turn` waits at most `YIELD_MS` and returns whether Bun should have its turn. */
export async function runBesideBun(turn: () => boolean, running: () => boolean): Promise<void> {
  while (running()) {
    for (let round = 0; round < ROUNDS_MAX; round++) {
      if (turn()) break;
    }
    await new Promise<void>((resolve) => setImmediate(resolve));
  }
}
