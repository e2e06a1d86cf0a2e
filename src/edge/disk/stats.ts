/** What a disk tier holds and did, in figures. */
import type { DiskMiss, DiskOff, DiskRefusal } from "./reasons.ts";

/** How far the reading of segments that were found at the start is. */
export interface RebuildProgress {
  segments: number;
  scanned: number;
  objects: number;
}

/** What the tier holds, and what all workers together did since its index was made. */
export interface DiskStats {
  /** Bytes of all segments that have something in them. */
  readonly usedBytes: number;
  readonly capacityBytes: number;
  readonly indexBytes: number;
  /** About how many objects can be found. */
  readonly objects: number;
  readonly found: number;
  readonly foundBytes: number;
  readonly written: number;
  readonly writtenBytes: number;
  /** Objects that were hit and written again before their segment was dropped. */
  readonly writtenAgain: number;
  /** Objects that were admitted and lost to a failed write. */
  readonly lost: number;
  readonly missed: Readonly<Partial<Record<DiskMiss, number>>>;
  readonly refused: Readonly<Partial<Record<DiskRefusal, number>>>;
  /** Why a worker writes nothing at the moment. */
  readonly off: DiskOff | undefined;
  /** How far this worker is with segments that were found at the start; worker 0 is the one that reads them. */
  readonly rebuild: RebuildProgress;
}
