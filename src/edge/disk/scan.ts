/**
 * Finding the records of a segment whose index was lost: from one to the next, and unit by unit where one is broken.
 *
 * A body cannot pretend to be a record, since records bear two secret words that no client is ever shown.
 */
import { UNIT_BYTES, UNIT_WORDS } from "../store/layout.ts";
import type { RecordMemory } from "../store/record.ts";
import { BODY_AT_MAX, checkHead, FRAME, type RecordPlace } from "./record.ts";

/** Shown the unit of `memory` at which a record was found, and its unit in the segment. */
export type VisitRecord = (from: number, unit: number) => void;

/** Some of a segment, from its unit `unit` on: `available` bytes were read. */
export interface ScanWindow {
  readonly memory: RecordMemory;
  readonly unit: number;
  readonly available: number;
  /** Whether the segment has nothing after them. */
  readonly isLast: boolean;
}

/** Shows the records of a window. The unit of the segment at which the next window starts. */
export function scanWindow(window: ScanWindow, place: Omit<RecordPlace, "unit">, visit: VisitRecord): number {
  const { memory, unit, available } = window;
  // All before the body of a record that starts before this is in the window.
  const end = Math.floor((available - (window.isLast ? UNIT_BYTES : BODY_AT_MAX)) / UNIT_BYTES);
  let at = 0;
  while (at <= end) {
    const checked = checkHead(memory, at, { ...place, unit: unit + at }, available);
    if (checked === "ok") visit(at, unit + at);
    at += checked === "ok" ? (memory.words[at * UNIT_WORDS + FRAME.units] ?? 1) : 1;
  }
  return unit + Math.max(1, at);
}
