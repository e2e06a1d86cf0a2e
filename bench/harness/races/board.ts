/**
 * Memory that several processes share: how far each has come, and per key the version that the source has and the one that an
 * acknowledged invalidation promises.
 *
 * A version is raised when the source changes. Once the invalidation that followed is acknowledged nobody may be given, or keep in the
 * store, a version below it. All counters are changed atomically.
 */
import { closeSync, ftruncateSync, openSync } from "node:fs";

/** Two numbers of four bytes and one of eight for each key. */
const KEY_BYTES = 16;
const HEAD_BYTES = 64;

/** An acknowledged invalidation, as seen at one moment. */
export interface Floor {
  /** The oldest version that may be given. */
  readonly version: number;
  /** When that was acknowledged, ms of the machine's clock. */
  readonly atMs: number;
}

/** The shared memory of `processes` processes and `keys` keys. */
export class Board {
  readonly #progress: Int32Array;
  readonly #truth: Int32Array;
  readonly #acknowledged: Int32Array;
  readonly #acknowledgedMs: Float64Array;

  /** Maps the file at `path`, which `createBoard` made. */
  constructor(path: string, processes: number, keys: number) {
    const { buffer, byteOffset } = Bun.mmap(path, { shared: true });
    this.#progress = new Int32Array(buffer, byteOffset, processes);
    this.#acknowledgedMs = new Float64Array(buffer, byteOffset + HEAD_BYTES, keys);
    this.#truth = new Int32Array(buffer, byteOffset + HEAD_BYTES + keys * 8, keys);
    this.#acknowledged = new Int32Array(buffer, byteOffset + HEAD_BYTES + keys * 12, keys);
  }

  /** The version that the source has now. */
  truth(key: number): number {
    return Atomics.load(this.#truth, key);
  }

  /** Changes the source; its version from now on. */
  change(key: number): number {
    return Atomics.add(this.#truth, key, 1) + 1;
  }

  /** The invalidation of what is older than `version` was acknowledged. */
  acknowledge(key: number, version: number): void {
    for (let known = Atomics.load(this.#acknowledged, key); known < version; ) {
      const found = Atomics.compareExchange(this.#acknowledged, key, known, version);
      if (found === known) this.#acknowledgedMs[key] = machineMs();
      known = found === known ? version : found;
    }
  }

  floor(key: number): Floor {
    const version = Atomics.load(this.#acknowledged, key);
    return { version, atMs: this.#acknowledgedMs[key] ?? 0 };
  }

  /** Process `process` has done its part of all rounds below `rounds`. */
  report(process: number, rounds: number): void {
    Atomics.store(this.#progress, process, rounds);
  }

  /** Rounds of which all processes have done their part. */
  doneByAll(): number {
    let least = Number.POSITIVE_INFINITY;
    for (let process = 0; process < this.#progress.length; process++)
      least = Math.min(least, Atomics.load(this.#progress, process));
    return least;
  }
}

/** Makes the file of a board, all zero. */
export function createBoard(path: string, keys: number): void {
  const file = openSync(path, "w");
  ftruncateSync(file, HEAD_BYTES + keys * KEY_BYTES);
  closeSync(file);
}

/** The machine's clock in ms, to compare moments of different processes: Bun's monotonic clocks begin with each process. */
export function machineMs(): number {
  return performance.timeOrigin + performance.now();
}
