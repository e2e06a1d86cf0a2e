/**
 * What the autoscaler is asked to hold, and the constants of its rules.
 *
 * The numbers are those of the field: target tracking, tolerance and the down window are Kubernetes' (HPA), the
 * stable and the panic window and the rates are Knative's (KPA). What a user may set is in `ScalePolicy`.
 */

/** One service's autoscaling policy. Signals without a target have no vote. */
export interface ScalePolicy {
  readonly min: number;
  readonly max: number;
  /** Target CPU per task, as a share of one core or of the task's limit. */
  readonly cpu?: number;
  /** Target requests in flight per task. */
  readonly inFlight?: number;
  /** The highest recommendation of this long wins on the way down. */
  readonly downWindowMs: number;
  /** In-flight requests are averaged over this long. */
  readonly stableWindowMs: number;
  /** No change while |observed/target - 1| is at most this. */
  readonly tolerance: number;
  /** CPU of a task younger than this is start-up work, not load. */
  readonly warmUpMs: number;
}

/** The panic window as a share of the stable window: 6 s of 60 s (Knative `panic-window-percentage`). */
export const PANIC_WINDOW_SHARE = 0.1;

/** Panic when demand is at least this many times the ready capacity (Knative `panic-threshold-percentage`). */
export const PANIC_THRESHOLD = 2;

/**
 * Samples in a row that must be over the threshold for a panic before its window has filled: with one sample a
 * second a tenfold step is answered in two seconds, and one odd sample is not answered at all.
 */
export const BURST_SAMPLES = 2;

/** Most tasks after one decision, as a multiple of the ready ones (Knative `max-scale-up-rate`). */
export const UP_RATE_MAX = 1000;

/** One decision removes at most this fraction: half (Knative `max-scale-down-rate`). */
export const DOWN_RATE_MAX = 2;

/** Changes of direction are counted over this long: the span over which people notice churn. */
export const FLAP_WINDOW_MS = 600_000;

/** After this many changes of direction within the window the service stops shrinking: two full swings. */
export const FLAP_TURNS_MAX = 4;

/** Observers should average a task's CPU over about this long: shorter is noise, longer outlasts the warm-up. */
export const CPU_WINDOW_MS = 10_000;
