/** The record of one decision: what was seen, who voted what, what held it back, and the outcome in one word. */

/** Signals that can ask for a number of tasks. */
export type Metric = "in-flight" | "cpu" | "backlog";

/** Why a vote is what it is. */
export type VoteReason =
  | "above-target"
  | "below-target"
  | "within-tolerance"
  /** The tasks carry more than their target, not yet for long and no more than they can bear. */
  | "bearable"
  /** Tasks without data could turn the verdict round, so it is not acted on. */
  | "missing-data-could-flip"
  /** Demand has grown beyond what the tasks can bear. */
  | "rising"
  /** Demand jumped beyond what the ready tasks can take. */
  | "panic";

/** What one signal asks for, and why; or that it has nothing to go by. */
export type Vote =
  | {
      readonly kind: "count";
      readonly metric: Metric;
      /** Tasks this signal asks for. */
      readonly count: number;
      /** Observed value per ready task. */
      readonly current: number;
      readonly target: number;
      readonly reason: VoteReason;
    }
  | { readonly kind: "missing"; readonly metric: Metric; readonly reason: "no-data" };

/** What can change the number the votes asked for, in the order in which they apply. */
export type ClampKind =
  | "metric-missing"
  /** A jump is not settled yet, or its tasks are still starting: no shrinking. */
  | "panic-cooling"
  | "down-window"
  | "set-by-hand"
  | "deploy-in-progress"
  | "flap-budget-spent"
  | "up-rate"
  | "down-rate"
  | "min"
  | "max";

/** One row of the clamps that changed the number. */
export interface Clamp {
  readonly kind: ClampKind;
  readonly from: number;
  readonly to: number;
}

/** The last thing that shaped the outcome. */
export type DecisionReason = VoteReason | ClampKind | "no-data" | "no-target-set";

export interface Decision {
  readonly atMs: number;
  readonly inputs: {
    readonly wanted: number;
    readonly ready: number;
    /** Over the group, newest sample. */
    readonly inFlight?: number;
    readonly backlog?: number;
    /** Mean over the tasks that were measured. */
    readonly cpu?: number;
    readonly deploying: boolean;
  };
  readonly votes: readonly Vote[];
  /** What the votes asked for together, before any clamp. */
  readonly asked: number;
  readonly clamps: readonly Clamp[];
  /** The number of tasks to run from now on. */
  readonly result: number;
  readonly direction: "up" | "down" | "hold";
  readonly reason: DecisionReason;
}

const SENTENCES: Readonly<Record<DecisionReason, string>> = {
  "above-target": "the tasks carry more than their target",
  "below-target": "the tasks carry less than their target",
  "within-tolerance": "the load is within the tolerance of the target",
  bearable: "the tasks carry more than their target, no more than they can bear for a down window",
  "missing-data-could-flip": "some tasks have no data, and counting them could turn the verdict round",
  rising: "demand has grown beyond what the tasks can bear",
  panic: "demand is at least twice what the ready tasks are meant to carry",
  "panic-cooling": "demand jumped a moment ago; no shrinking until that is settled and its tasks are ready",
  "metric-missing": "a signal has no data; growing is allowed, shrinking is not",
  "down-window": "a higher number was needed a short while ago",
  "set-by-hand": "the number was set by hand within the down window",
  "deploy-in-progress": "a deploy is under way; shrinking waits for its end",
  "flap-budget-spent": "the direction changed too often in the last ten minutes; shrinking waits",
  "up-rate": "growth in one decision is bounded",
  "down-rate": "one decision leaves at least a tenth of the ready tasks",
  min: "autoscale.min holds",
  max: "autoscale.max holds",
  "no-data": "no signal has data",
  "no-target-set": "the policy names none of autoscale.cpu, autoscale.inFlight, autoscale.backlog",
};

/** One sentence for people; the literal stays the identity in logs and metrics. */
export function describeReason(reason: DecisionReason): string {
  return SENTENCES[reason];
}
