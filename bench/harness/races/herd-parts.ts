/** What the processes of a herd are told, and what they tell. */
import type { SubjectName } from "./subjects.ts";

/** What a process is told. */
export interface HerdPart {
  readonly subject: SubjectName;
  readonly url: string;
  readonly board: string;
  readonly process: number;
  readonly processes: number;
  readonly callers: number;
  /** How long a load takes, ms. */
  readonly loadMs: number;
  /** When all ask, ms of the machine's clock. */
  readonly startAtMs: number;
}

/** What a process has seen. */
export interface HerdTally {
  readonly answered: number;
  readonly failed: number;
  readonly slowestMs: number;
}

/** Keys of the board: loads of all processes, then those of each. */
export const ALL_LOADS = 0;
