/** Door of `scaling`: the autoscaling rule, pure, with a reason for every decision. */
export { decide, type Outcome } from "./decide.ts";
export {
  type Clamp,
  type ClampKind,
  type Decision,
  type DecisionReason,
  describeReason,
  type Metric,
  type Vote,
  type VoteReason,
} from "./decision.ts";
export { explainDecision } from "./explain.ts";
export { initialMemory, type ScaleMemory, setByHand } from "./memory.ts";
export { type Observed, readyCount, type TaskSample } from "./observed.ts";
export { CPU_WINDOW_MS, type ScalePolicy } from "./policy.ts";
