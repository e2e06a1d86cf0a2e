/** CPU of processes from their growing counters: the share of a core over the last ten seconds. */
import { CPU_WINDOW_MS } from "../scaling/index.ts";

interface Reading {
  readonly atMs: number;
  readonly seconds: number;
}

/** Remembers readings of each process. */
export class CpuMeter {
  readonly #readings = new Map<string, Reading[]>();

  /** Adds a reading; about one a second is expected. */
  read(process: string, seconds: number, nowMs: number): void {
    const list = this.#readings.get(process) ?? [];
    const kept = list.filter((reading) => reading.atMs >= nowMs - CPU_WINDOW_MS);
    this.#readings.set(process, [...kept, { atMs: nowMs, seconds }]);
  }

  /** Cores used on average over the window; undefined until there are two readings. */
  cores(process: string): number | undefined {
    const list = this.#readings.get(process) ?? [];
    const [first, last] = [list[0], list.at(-1)];
    if (first === undefined || last === undefined || last.atMs <= first.atMs) return undefined;
    return ((last.seconds - first.seconds) * 1000) / (last.atMs - first.atMs);
  }

  /** Forgets all processes that are not in `processes`. */
  keep(processes: ReadonlySet<string>): void {
    for (const process of this.#readings.keys()) if (!processes.has(process)) this.#readings.delete(process);
  }
}
