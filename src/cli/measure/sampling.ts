/** How something is measured that takes next to no time: again and again for a moment, and the median counts. */

/** A moment: long enough for a steady median, short enough that six of them are no wait. */
export const MOMENT_MS = 400;

/** Samples beyond this change no median. */
const SAMPLES_MAX = 2000;

const NS_PER_MS = 1e6;

/** Median of what `sample` takes, ms, over as many runs as fit into `momentMs`, one at least. */
export function medianMs(momentMs: number, sample: () => void): number {
  const times: number[] = [];
  const endMs = nowMs() + momentMs;
  do {
    const startMs = nowMs();
    sample();
    times.push(nowMs() - startMs);
  } while (times.length < SAMPLES_MAX && nowMs() < endMs);
  return median(times);
}

/** The same for what has to be waited for. */
export async function medianWaitMs(momentMs: number, sample: () => Promise<void>): Promise<number> {
  const times: number[] = [];
  const endMs = nowMs() + momentMs;
  do {
    const startMs = nowMs();
    await sample();
    times.push(nowMs() - startMs);
  } while (times.length < SAMPLES_MAX && nowMs() < endMs);
  return median(times);
}

/** Numbers without a pattern, the same each time: 0 to `below` - 1 (linear congruence, Numerical Recipes' constants). */
export function scattered(): (below: number) => number {
  let state = 1;
  return (below) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

function nowMs(): number {
  return Number(process.hrtime.bigint()) / NS_PER_MS;
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[values.length >> 1] ?? 0;
}
