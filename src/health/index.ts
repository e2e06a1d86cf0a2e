/** Which targets are well: active checks, passive checks, and the states they lead to. */
export {
  ActiveChecks,
  type ActiveChecksContext,
  type CheckReport,
  type CheckTarget,
  type Probe,
} from "./active.ts";
export { statusPasses } from "./matcher.ts";
export {
  type EjectionPolicy,
  type EjectionReason,
  type EjectionStatus,
  Ejector,
  type Outcome,
} from "./passive.ts";
export {
  type CheckPolicy,
  type CheckResult,
  type Failure,
  type FailureReason,
  NEW,
  step,
  type TargetState,
  waitMs,
} from "./target-state.ts";
