/**
 * A model of the Knative Pod Autoscaler on concurrency: knative/serving, pkg/autoscaler/scaling/autoscaler.go with
 * the defaults of config-autoscaler.
 *
 * Every two seconds: the mean concurrency of the last 60 s (stable) and of the last 6 s (panic) over the target. When
 * the panic view asks for twice the ready pods or more it panics: the higher view counts, and nothing shrinks until a
 * whole stable window has passed without another reason. A service of more than one pod starts in panic, so that it
 * keeps its scale until there is data.
 *
 * In its favour: every sample arrives, at once, from all pods, and the average of a window is over the samples that
 * are in it.
 */
import { type Observed, readyCount } from "../../../scaling/index.ts";
import type { Autoscaler } from "../autoscaler.ts";
import { type Limits, withinLimits } from "./limits.ts";
import { mean, TimeWindow } from "./window.ts";

/** `tick-interval`. */
const TICK_MS = 2000;
/** `stable-window`. */
const STABLE_MS = 60_000;
/** `panic-window-percentage` of it: 10 %. */
const PANIC_MS = 6000;
/** `panic-threshold-percentage`: 200 %. */
const PANIC_THRESHOLD = 2;
/** `max-scale-up-rate`. */
const UP_RATE_MAX = 1000;
/** `max-scale-down-rate`. */
const DOWN_RATE_MAX = 2;

/** Both views of the concurrency, in requests, and the pods that are ready. */
export interface KpaView {
  readonly stable: number;
  readonly panic: number;
  readonly ready: number;
}

/** Settings that the published tests vary. */
export interface KpaSpec {
  /** Requests per pod: the limit times `container-concurrency-target-percentage`. */
  readonly target: number;
  readonly upRateMax: number;
  readonly downRateMax: number;
}

/** When it last had reason to panic, and the most pods it asked for since; absent = not panicking. */
export interface Panic {
  readonly sinceMs: number;
  readonly pods: number;
}

/** What one tick decides. */
export interface KpaStep {
  readonly count: number;
  readonly panic: Panic | undefined;
}

/** One tick: `Scale` of the original. */
export function kpaStep(
  spec: KpaSpec,
  before: Panic | undefined,
  { stable, panic, ready }: KpaView,
  nowMs: number,
): KpaStep {
  const pods = Math.max(1, ready);
  const most = Math.ceil(spec.upRateMax * pods);
  const least = Math.floor(pods / spec.downRateMax);
  const asked = (concurrency: number): number =>
    Math.min(most, Math.max(least, Math.ceil(concurrency / spec.target)));
  const over = Math.ceil(panic / spec.target) / pods >= PANIC_THRESHOLD;
  const state = panicState(before, over, nowMs);
  if (state === undefined) return { count: asked(stable), panic: undefined };
  const count = Math.max(state.pods, asked(stable), asked(panic));
  return { count, panic: { ...state, pods: count } };
}

function panicState(before: Panic | undefined, over: boolean, nowMs: number): Panic | undefined {
  if (over) return { sinceMs: nowMs, pods: before?.pods ?? 0 };
  return before === undefined || before.sinceMs + STABLE_MS < nowMs ? undefined : before;
}

/** Knative's autoscaler with its defaults, for a service that begins with so many pods. */
export function kpa(limits: Limits, tasks: number): Autoscaler {
  const target = limits.concurrency * limits.utilisation;
  const spec = { target, upRateMax: UP_RATE_MAX, downRateMax: DOWN_RATE_MAX };
  const stableWindow = new TimeWindow(STABLE_MS);
  const panicWindow = new TimeWindow(PANIC_MS);
  let panic: Panic | undefined = tasks > 1 ? { sinceMs: 0, pods: tasks } : undefined;
  return {
    name: "KPA",
    periodMs: TICK_MS,
    step(observed, nowMs) {
      const stable = meanWith(stableWindow, observed, nowMs);
      const short = meanWith(panicWindow, observed, nowMs);
      if (stable === undefined) return observed.wanted;
      const view = { stable, panic: short ?? 0, ready: readyCount(observed) };
      const decided = kpaStep(spec, panic, view, nowMs);
      panic = decided.panic;
      return withinLimits(decided.count, limits);
    },
  };
}

function meanWith(window: TimeWindow, { inFlight }: Observed, nowMs: number): number | undefined {
  if (inFlight === undefined) window.forget(nowMs);
  else window.add(inFlight, nowMs);
  return mean(window.values());
}
