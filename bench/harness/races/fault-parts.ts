/** What the app processes of cache-faults.ts are told, and what they tell. */

/** What a process is told. */
export interface FaultPart {
  readonly nodes: readonly string[];
  readonly gutter: string;
  readonly board: string;
  readonly keys: number;
  /** Reads of this process in a second, spread evenly. */
  readonly ratePerSecond: number;
  readonly loadMs: number;
  /** It ends when the board's phase is this one. */
  readonly phases: number;
  readonly seed: number;
}

/** What a process has seen in one phase. */
export interface PhaseTally {
  reads: number;
  loads: number;
  wrong: number;
  failed: number;
  slowestMs: number;
  /** Reads that took longer than the deadline and a load. */
  late: number;
}

/** Key of the board whose version is the phase. */
export const PHASE = 0;

/** Default of `deadline`. */
export const DEADLINE_MS = 50;

/** Name of the cache. */
export const NAME = "faults";

/** What the source has for a key. */
export const valueOf = (key: number): string => `value of ${key}`;

export const nameOf = (key: number): string => `item:${key}`;
