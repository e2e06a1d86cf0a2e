/** What is known of a service at one instant: the input of a decision. */

/** One task as the observer saw it. */
export interface TaskSample {
  /** Healthy and in its target group. */
  readonly ready: boolean;
  /** Time since it became ready. */
  readonly ageMs: number;
  /** Mean CPU of the last `CPU_WINDOW_MS` as a share of one core or of its limit; absent = not measured. */
  readonly cpu?: number;
}

export interface Observed {
  /** The number of tasks asked for now. */
  readonly wanted: number;
  /** Tasks that exist and are meant to stay; those draining or stopping are left out. */
  readonly tasks: readonly TaskSample[];
  /**
   * Mean requests in flight to the whole group since the last sample, those waiting for a connection included.
   * By Little's law that is arrival rate x time in system, the concurrency needed. Absent = the signal is lost.
   */
  readonly inFlight?: number;
  /** Waiting work of the whole service, as the policy's source says it. Absent = the source does not answer. */
  readonly backlog?: number;
  /** A deploy is under way: old and new tasks overlap, so shrinking waits. */
  readonly deploying: boolean;
}

/** Whether a task is not ready yet: growth that was ordered has not arrived. */
export function isStarting(observed: Observed): boolean {
  return observed.tasks.some((task) => !task.ready);
}

/** Tasks that are ready. */
export function readyCount(observed: Observed): number {
  return observed.tasks.filter((task) => task.ready).length;
}
