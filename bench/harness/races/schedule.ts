/**
 * A seeded schedule of loads and invalidations for several processes: each computes the same rounds and does its own part.
 *
 * A round is a few operations on one key, each by one process after a few turns. So rounds of one key overlap in time, and
 * in which order their steps reach the server is up to the processes.
 */
import { seededRandom } from "../../../src/base/index.ts";

/** One operation of a round. */
export interface Operation {
  readonly process: number;
  readonly kind: "load" | "invalidate";
  /** Turns before it begins. */
  readonly after: number;
  /** Of a load: turns until it reads the source, and from there until it returns. Of an invalidation: turns after the change. */
  readonly reads: number;
  readonly returns: number;
  /** Of an invalidation: which way. */
  readonly way: number;
}

const OPERATIONS_MAX = 6;
const INVALIDATION_SHARE = 0.4;
/** Turns that each step may wait, at most. */
const TURNS_MAX = 4;

/** Operations of a round, in no order. */
export function roundOf(seed: number, round: number, processes: number): Operation[] {
  const random = seededRandom((seed * 0x9e3779b1 + round) >>> 0);
  const draw = (limit: number): number => Math.floor(random() * limit);
  return Array.from({ length: 1 + draw(OPERATIONS_MAX) }, () => ({
    process: draw(processes),
    kind: random() < INVALIDATION_SHARE ? "invalidate" : "load",
    after: draw(TURNS_MAX + 1),
    reads: draw(TURNS_MAX + 1),
    returns: draw(TURNS_MAX + 1),
    way: draw(16),
  }));
}
