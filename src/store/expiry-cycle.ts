/**
 * Takes out keys that expired and that nobody asks for: a walk around each database that has such keys, a few at a time, and
 * more while it finds many.
 */
import type { Store } from "./store.ts";

/** Entries looked at in one step; a step takes well below a millisecond. */
const STEP_ENTRIES = 400;

/** Steps of one run. Ten runs a second are at most 200,000 entries a second. */
const STEPS_MAX = 50;

/** Steps go on while more than this share of what expires had expired. */
const MANY = 0.1;

export class ExpiryCycle {
  readonly #store: Store;
  readonly #cursors: number[] = [];

  constructor(store: Store) {
    this.#store = store;
  }

  /** One run; to be called about ten times a second. */
  run(): void {
    for (const { index, dict } of this.#store.spaces) {
      for (let step = 0; step < STEPS_MAX && dict.expiring > 0; step++) {
        const wereMany = this.#step(index);
        if (!wereMany && step > 0) break;
      }
    }
    this.#store.tracking.settle();
  }

  #step(index: number): boolean {
    const space = this.#store.space(index);
    const due: number[] = [];
    let expiring = 0;
    const { nowMs } = space.ground;
    this.#cursors[index] = space.dict.scan(this.#cursors[index] ?? 0, STEP_ENTRIES, (ref) => {
      const atMs = space.dict.expiry(ref);
      if (atMs === 0) return;
      expiring++;
      if (atMs <= nowMs) due.push(ref);
    });
    for (const ref of due) space.expireIfDue(ref);
    return due.length > expiring * MANY;
  }
}
