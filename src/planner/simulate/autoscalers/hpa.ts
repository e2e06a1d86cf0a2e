/**
 * A model of the Kubernetes Horizontal Pod Autoscaler on CPU: kubernetes/kubernetes, pkg/controller/podautoscaler
 * (replica_calculator.go, horizontal.go) with the defaults of kube-controller-manager and of `behavior`.
 *
 * Every 15 s: pods x utilisation / target, left alone within a tolerance of 0.1. A pod without a metric counts as
 * fully used when the others ask to shrink and as idle when they ask to grow; one that is not ready, or not for a
 * whole metric window yet, counts as idle when growing and not at all when shrinking. Growth: at most the larger of
 * +100 % and +4 pods per 15 s. Shrinking: to the highest recommendation of the last 300 s.
 *
 * The metrics server scrapes every 15 s too, and the two loops share no phase: here the scrape lies half a period
 * before the decision. In its favour: no delay but that, and no cost of its own.
 */
import type { Observed } from "../../../scaling/index.ts";
import type { Autoscaler } from "../autoscaler.ts";
import { type Limits, withinLimits } from "./limits.ts";
import { TimeWindow } from "./window.ts";

/** `--horizontal-pod-autoscaler-sync-period`, and the metrics server's `--metric-resolution`. */
const PERIOD_MS = 15_000;
/** `--horizontal-pod-autoscaler-tolerance`. */
const TOLERANCE = 0.1;
/** `--horizontal-pod-autoscaler-downscale-stabilization`. */
const DOWN_WINDOW_MS = 300_000;
/** `behavior.scaleUp` of a fresh autoscaler: the larger of these per period. */
const UP_FACTOR = 2;
const UP_PODS = 4;

/** CPU as a share of the pod's request, by the state of the pod. */
export interface PodMetrics {
  /** Ready, measured over a whole window since. */
  readonly measured: readonly number[];
  /** Ready and measured by nobody. */
  readonly missing: number;
  /** Starting, or ready for less than one window. */
  readonly unready: number;
}

/** Replicas for a utilisation: `GetResourceReplicas`. Undefined without any metric: an error there, a hold here. */
export function hpaReplicas(
  { measured, missing, unready }: PodMetrics,
  target: number,
  current: number,
): number | undefined {
  if (measured.length === 0) return undefined;
  const sum = measured.reduce((total, value) => total + value, 0);
  const ratio = sum / measured.length / target;
  const rebalance = unready > 0 && ratio > 1;
  if (!rebalance && missing === 0) {
    return isClose(ratio) ? current : ceil(ratio * measured.length);
  }
  const pods = measured.length + missing + (rebalance ? unready : 0);
  const corrected = (sum + (ratio < 1 ? missing : 0)) / pods / target;
  const flipped = ratio < 1 !== corrected < 1;
  if (isClose(corrected) || flipped) return current;
  const replicas = ceil(corrected * pods);
  const against = corrected < 1 ? replicas > current : replicas < current;
  return against ? current : replicas;
}

function isClose(ratio: number): boolean {
  return Math.abs(1 - ratio) <= TOLERANCE + 1e-9;
}

/** Binary fractions make 33.000000000000004 of 33. */
function ceil(replicas: number): number {
  return Math.ceil(replicas - 1e-9);
}

/** The HPA with its defaults. Every other step is a scrape, the one after it a decision. */
export function hpa(limits: Limits): Autoscaler {
  const recommendations = new TimeWindow(DOWN_WINDOW_MS);
  let scraped: PodMetrics | undefined;
  return {
    name: "HPA",
    periodMs: PERIOD_MS / 2,
    step(observed, nowMs) {
      const { wanted } = observed;
      if (scraped === undefined) {
        scraped = scrape(observed);
        return wanted;
      }
      const asked = hpaReplicas(scraped, limits.utilisation, wanted);
      scraped = undefined;
      if (asked === undefined) return wanted;
      if (recommendations.values().length === 0) recommendations.add(wanted, nowMs);
      recommendations.add(asked, nowMs);
      const highest = Math.max(...recommendations.values());
      return withinLimits(asked < wanted ? Math.min(wanted, highest) : limited(asked, wanted), limits);
    },
  };
}

/** The most that one period may grow to. */
function limited(asked: number, current: number): number {
  return Math.min(asked, Math.max(current * UP_FACTOR, current + UP_PODS));
}

/** A pod that is ready for less than one metric window is not measured yet: its sample may be of its start. */
function scrape({ tasks }: Observed): PodMetrics {
  const settled = tasks.filter(({ ready, ageMs }) => ready && ageMs >= PERIOD_MS);
  const measured = settled.flatMap(({ cpu }) => (cpu === undefined ? [] : [cpu]));
  return { measured, missing: settled.length - measured.length, unready: tasks.length - settled.length };
}
