/**
 * A deploy: replacing the tasks of one revision by those of another while the service serves.
 *
 * The arithmetic is Amazon ECS's: the least number of healthy tasks rounds up, the largest number of tasks rounds
 * down, and a circuit breaker ends a deploy whose tasks fail clamp(ceil(0.5 x wanted), 3, 200) times.
 */
import { type DeployConfig, deployBounds } from "../config/index.ts";

/** How far a deploy has come. */
export type DeployStatus =
  | "running"
  /** The breaker opened; the tasks of the old revision are being brought back. */
  | "rolling-back"
  | "succeeded"
  | "rolled-back"
  /** The breaker opened and rollback is off: both revisions stay as they are. */
  | "failed"
  /** Another deploy began before this one ended. */
  | "superseded";

export interface Deploy {
  readonly from: string;
  readonly to: string;
  readonly startedMs: number;
  readonly endedMs?: number;
  readonly status: DeployStatus;
  /** Why it was started: a changed config, or a request. */
  readonly cause: "config-changed" | "requested";
  /** Why it failed, naming the task and the mend. */
  readonly message?: string;
}

/** Whether tasks are still being exchanged. */
export function isUnderWay(deploy: Deploy | undefined): deploy is Deploy {
  return deploy?.status === "running" || deploy?.status === "rolling-back";
}

/** Share of the wanted number that may fail, and its bounds: few tasks get some patience, many do not waste hours. */
const BREAKER = { share: 0.5, min: 3, max: 200 } as const;

/** Failures of new tasks at which a deploy ends. */
export function breakerThreshold(wanted: number): number {
  return Math.min(BREAKER.max, Math.max(BREAKER.min, Math.ceil(wanted * BREAKER.share)));
}

/** Why a deploy could never take a step, with the mend; undefined when it can. */
export function noRoom(service: string, wanted: number, config: DeployConfig): string | undefined {
  const { min, max } = deployBounds(config, wanted);
  if (wanted === 0 || min < wanted || max > wanted) return undefined;
  const needed = Math.ceil(((wanted + 1) * 100) / wanted);
  return (
    `service ${service} cannot be deployed: of ${wanted} tasks ${config.minHealthyPercent} % must stay healthy (${min}) ` +
    `and ${config.maxPercent} % may exist (${max}), so no task can be stopped or started first: ` +
    `set deploy.maxPercent to ${needed} or more, or deploy.minHealthyPercent below 100`
  );
}
