/**
 * What the autoscaler is asked to hold, and the constants of its rules.
 *
 * The numbers are those of the field: target tracking, tolerance and the down window are Kubernetes' (HPA), the
 * stable and the panic window and the rate of growth are Knative's (KPA). What a user may set is in `ScalePolicy`.
 */

/** One service's autoscaling policy. Signals without a target have no vote. */
export interface ScalePolicy {
  readonly min: number;
  readonly max: number;
  /** Target CPU per task, as a share of one core or of the task's limit. */
  readonly cpu?: number;
  /** Target requests in flight per task. */
  readonly inFlight?: number;
  /** Target of waiting work per task, as an external number says it: jobs of a queue. */
  readonly backlog?: { readonly perTask: number };
  /** The highest recommendation of up to this long wins on the way down; `patienceOf` says of how long. */
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

/**
 * A panic orders more when requests in flight grow this many times as fast as when it ordered last; once the tasks that it
 * ordered are at work, when they still grow by this part.
 */
export const JUMP_GROWTH = 2;

/**
 * Many tasks bear up to this many times what they should carry before more are added: a quarter more, which noise around
 * the target does not reach, and which they can bear while others start. Few bear less; see `rise.ts`.
 */
export const RISE_THRESHOLD: number = 1.25;

/** Growth looks this many stable windows ahead when demand rises steadily: 2 min of 1 min. */
export const RISE_AHEAD_WINDOWS = 2;

/**
 * A shrink by this share of the tasks or more waits as `patienceOf` says, half of it twice as long, and so on: what saves
 * little must last the longer to be worth a change.
 */
export const DOWN_SHARE = 0.3;

/** Most tasks after one decision, as a multiple of the ready ones (Knative `max-scale-up-rate`). */
export const UP_RATE_MAX = 1000;

/**
 * One decision leaves at least this part of the ready tasks: a tenth. Knative's half, decided every two seconds, bounds
 * nothing (four halves are over in eight) but makes four changes of one.
 */
export const DOWN_RATE_MAX = 10;

/**
 * The part of the stable window that shows what is needed now: 15 s of 60 s. For so long after a jump nothing shrinks,
 * and what was needed within it is what shrinking goes down to.
 */
export const SETTLE_SHARE = 0.25;

/** A shrink that was followed by a panic is held against shrinking for this many down windows: 30 min of 5 min. */
export const REGRET_DOWN_WINDOWS = 6;

/** Regrets that count: each doubles the patience, and 2^10 stable windows are longer than any down window. */
export const REGRETS_MAX = 10;

/** Changes of direction are counted over this long: the span over which people notice churn. */
export const FLAP_WINDOW_MS = 600_000;

/** After this many changes of direction within the window the service stops shrinking: two full swings. */
export const FLAP_TURNS_MAX = 4;

/** Observers should average a task's CPU over about this long: shorter is noise, longer outlasts the warm-up. */
export const CPU_WINDOW_MS = 10_000;
