/**
 * Watches over gateway workers that are there and not heard of: one hangs, or the scoreboard they write to is gone.
 *
 * Nothing that serves is stopped while their acknowledgements are missing, so they must not be missing for ever: all
 * workers are exchanged by a deploy of the gateway, new ones first.
 */
import { processOf, type Task } from "./task.ts";

/** On top of the data plane's own patience with a silent heart: four beats of a heart. */
const SILENT_MS = 2_000;

/** Remembers since when some healthy worker is silent. */
export class WorkerWatch {
  #sinceMs: number | undefined;

  /** Whether a worker has been silent for too long; says so once, and then begins anew. */
  isOverdue(workers: readonly Task[], isHeard: (pid: number) => boolean, nowMs: number): boolean {
    const pids = workers.flatMap((task) =>
      task.state.kind === "healthy" ? [processOf(task)?.pid ?? 0] : [],
    );
    if (pids.every(isHeard)) this.#sinceMs = undefined;
    else this.#sinceMs ??= nowMs;
    if (this.#sinceMs === undefined || nowMs - this.#sinceMs < SILENT_MS) return false;
    this.#sinceMs = undefined;
    return true;
  }
}
