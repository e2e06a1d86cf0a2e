/** Restart backoff: how long a task that keeps failing waits before it is started again. */
import type { Random } from "../base/index.ts";

/** Longest wait, 60 s: Kubernetes' 300 s is widely hated, since a mended dependency then waits for its dependants. */
export const BACKOFF_MS_MAX = 60_000;

/** Each wait is spread by ± this share, so that tasks that failed together do not return together. */
const JITTER = 0.2;

/** A task that was healthy this long has recovered: its next failure is its first. */
export const RECOVERED_MS = 60_000;

/** Wait after the n-th failure in a row: 0, 1 s, 2 s, 4 s … 60 s, each ± 20 %. */
export function backoffMs(failures: number, random: Random): number {
  if (failures <= 1) return 0;
  const plain = Math.min(BACKOFF_MS_MAX, 1000 * 2 ** (failures - 2));
  return Math.round(plain * (1 - JITTER + 2 * JITTER * random()));
}
