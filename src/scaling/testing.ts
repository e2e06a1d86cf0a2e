/** Builders for the tests of scaling: a policy, an observation, and a service that follows decisions in simulated time. */
import { decide } from "./decide.ts";
import type { Decision } from "./decision.ts";
import { initialMemory, type ScaleMemory } from "./memory.ts";
import type { Observed, TaskSample } from "./observed.ts";
import type { ScalePolicy } from "./policy.ts";

/** The defaults of the config, with ten requests in flight per task. */
export function policyOf(changes: Partial<ScalePolicy> = {}): ScalePolicy {
  return {
    min: 1,
    max: 1000,
    inFlight: 10,
    downWindowMs: 300_000,
    stableWindowMs: 60_000,
    tolerance: 0.1,
    warmUpMs: 10_000,
    ...changes,
  };
}

/** A policy on CPU alone. */
export function cpuPolicy(cpu: number, changes: Partial<ScalePolicy> = {}): ScalePolicy {
  const { inFlight: _, ...rest } = policyOf(changes);
  return { ...rest, cpu };
}

/** Long past every warm-up. */
const WARM_MS = 3_600_000;

/** `count` ready, warm tasks, each with this CPU (none = not measured). */
export function tasksAt(count: number, cpu?: number): TaskSample[] {
  const task = { ready: true, ageMs: WARM_MS, ...(cpu === undefined ? {} : { cpu }) };
  return Array.from({ length: count }, () => task);
}

/** An observation in which all wanted tasks are ready unless said otherwise. */
export function observedOf(wanted: number, changes: Partial<Observed> = {}): Observed {
  return { wanted, tasks: tasksAt(wanted), deploying: false, ...changes };
}

/** One decision long after start, when the down window no longer holds anything back. */
export function decideOnce(observed: Observed, policy: ScalePolicy): Decision {
  return decide(observed, policy, emptyMemory(), 1_000_000).decision;
}

/** A memory without recommendations: nothing stands in the way of shrinking. */
export function emptyMemory(): ScaleMemory {
  return { ...initialMemory(0, 0), recommendations: [] };
}

/** How long a started task takes to become ready in traces. */
const START_MS = 2000;

export interface Trace {
  readonly policy: ScalePolicy;
  readonly wanted: number;
  readonly seconds: number;
  /** Requests in flight at second t; undefined = the signal is lost. */
  readonly load: (second: number) => number | undefined;
  readonly deploying?: (second: number) => boolean;
}

/** Runs the rule once a second against a service that obeys it; returns every decision. */
export function follow(trace: Trace): Decision[] {
  let wanted = trace.wanted;
  let memory = initialMemory(wanted, 0);
  let starts: number[] = Array.from({ length: wanted }, () => -WARM_MS);
  const decisions: Decision[] = [];
  for (let second = 1; second <= trace.seconds; second += 1) {
    const nowMs = second * 1000;
    const tasks = starts.map((at) => ({ ready: nowMs - at >= START_MS, ageMs: nowMs - at }));
    const inFlight = trace.load(second);
    const deploying = trace.deploying?.(second) ?? false;
    const observed = { wanted, tasks, deploying, ...(inFlight === undefined ? {} : { inFlight }) };
    const outcome = decide(observed, trace.policy, memory, nowMs);
    memory = outcome.memory;
    wanted = outcome.decision.result;
    starts = Array.from({ length: wanted }, (_, index) => starts[index] ?? nowMs);
    decisions.push(outcome.decision);
  }
  return decisions;
}

/** How often the number of tasks changed its direction. */
export function turnsOf(decisions: readonly Decision[]): number {
  const moves = decisions.map((decision) => decision.direction).filter((direction) => direction !== "hold");
  return moves.filter((move, index) => index > 0 && move !== moves[index - 1]).length;
}
