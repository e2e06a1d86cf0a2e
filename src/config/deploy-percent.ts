/**
 * The percent arithmetic of a rolling deploy, as ECS does it.
 *
 * Of n wanted tasks, ceil(n x minHealthyPercent) must stay healthy and floor(n x maxPercent) may run. A deploy moves
 * when it may start one more than n, or may stop one of n.
 */
import type { DeployConfig } from "./config.ts";

/** How few tasks may be healthy and how many may run while `tasks` are wanted. */
export function deployBounds(
  deploy: DeployConfig,
  tasks: number,
): { readonly min: number; readonly max: number } {
  return {
    min: Math.ceil((tasks * deploy.minHealthyPercent) / 100),
    max: Math.floor((tasks * deploy.maxPercent) / 100),
  };
}

/** The smallest number of tasks in from..to with which no deploy could make a move; undefined when there is none. */
export function stuckAt(deploy: DeployConfig, from: number, to: number): number | undefined {
  for (let tasks = Math.max(1, from); tasks <= to; tasks++) {
    const { min, max } = deployBounds(deploy, tasks);
    if (min >= tasks && max <= tasks) return tasks;
  }
  return undefined;
}

/** The percents that would let a deploy of `tasks` move. */
export function deployMend(tasks: number): string {
  const max = Math.ceil(((tasks + 1) * 100) / tasks);
  const min = Math.floor(((tasks - 1) * 100) / tasks);
  return `raise maxPercent to ${max} or lower minHealthyPercent to ${min}`;
}
