/**
 * What the workers of a tier count: a row of numbers for each in the index, so that whoever maps it can add them up, and a
 * worker that was killed takes nothing with it.
 */
import { COUNTERS_MAX, type DiskIndex } from "./layout.ts";
import {
  DISK_MISSES,
  DISK_OFFS,
  DISK_REFUSALS,
  type DiskMiss,
  type DiskOff,
  type DiskRefusal,
} from "./reasons.ts";

const NAMES = ["found", "foundBytes", "written", "writtenBytes", "writtenAgain", "lost"] as const;

/** Everything that is counted. */
type DiskCounter = (typeof NAMES)[number] | `missed ${DiskMiss}` | `refused ${DiskRefusal}`;

/** Counter -> its cell in a row. The last cell says why a worker does not write: a number from 1 on, or 0. */
const ALL: readonly string[] = [
  ...NAMES,
  ...DISK_MISSES.map((reason) => `missed ${reason}`),
  ...DISK_REFUSALS.map((reason) => `refused ${reason}`),
];
const CELL: ReadonlyMap<string, number> = new Map(ALL.map((name, cell) => [name, cell]));
const OFF_CELL = COUNTERS_MAX - 1;

/** All rows, seen from one worker. */
export class DiskCounters {
  readonly #cells: Float64Array;
  readonly #workers: number;
  readonly #own: number;

  constructor({ words, layout }: DiskIndex, worker: number) {
    const { workers } = layout.sizes;
    this.#cells = new Float64Array(
      words.buffer,
      words.byteOffset + layout.counters * 4,
      workers * COUNTERS_MAX,
    );
    this.#workers = workers;
    this.#own = worker * COUNTERS_MAX;
  }

  /** Adds to a counter of this worker. */
  count(counter: DiskCounter, by = 1): void {
    const at = this.#own + (CELL.get(counter) ?? 0);
    this.#cells[at] = (this.#cells[at] ?? 0) + by;
  }

  /** Says why this worker does not write for a while; undefined: it does. */
  setOff(reason: DiskOff | undefined): void {
    this.#cells[this.#own + OFF_CELL] = reason === undefined ? 0 : DISK_OFFS.indexOf(reason) + 1;
  }

  /** Why some worker does not write. */
  get off(): DiskOff | undefined {
    const reason = this.#columns(OFF_CELL).find((value) => value > 0) ?? 0;
    return DISK_OFFS[reason - 1];
  }

  /** A counter, over all workers. */
  sum(counter: DiskCounter): number {
    return this.#columns(CELL.get(counter) ?? 0).reduce((sum, value) => sum + value, 0);
  }

  /** Reason -> count of what begins with `kind`, over all workers; what never occurred is left out. */
  reasons<R extends string>(kind: "missed" | "refused", reasons: readonly R[]): Partial<Record<R, number>> {
    const counted: Partial<Record<R, number>> = {};
    for (const reason of reasons) {
      const cell = CELL.get(`${kind} ${reason}`) ?? 0;
      const sum = this.#columns(cell).reduce((total, value) => total + value, 0);
      if (sum > 0) counted[reason] = sum;
    }
    return counted;
  }

  #columns(cell: number): number[] {
    return Array.from(
      { length: this.#workers },
      (_, worker) => this.#cells[worker * COUNTERS_MAX + cell] ?? 0,
    );
  }
}

if (ALL.length > OFF_CELL) throw new Error("edge disk: more counters than a row holds");
