/**
 * Least response time: peak EWMA with the power of two choices, after Finagle.
 *
 * A target's cost is its time to first byte: a slower sample replaces it at once (the peak), faster ones and silence
 * let it decay with tau = 10 s. Of two candidates drawn by weight the one with the lower cost x (inFlight + 1) wins,
 * so that a target which turns slow is avoided within a response or two, and tried again later.
 *
 * A dead target answers fast, with a refused connection: failures count as a penalty latency. A target without
 * history gets one probe at a time, not a crowd.
 */
import { decay, peakEwma } from "../base/index.ts";
import type { Balancer, BalancerContext } from "./balancer.ts";
import { type Columns, carryOver, sole } from "./columns.ts";
import { createDraw } from "./draw.ts";

/** Time in which a cost falls to 1/e, Finagle's 10 s: long against a response, short against an outage. */
const TAU_MS = 10_000;

/** Latency that a failure counts as, the default connect timeout: refused at once is no better than timed out. */
const FAILURE_LATENCY_MS = 5_000;

/** How long a probe keeps others away from a target without history; then another may try. */
const PROBE_MS = TAU_MS;

/** Score of a target that is being probed, beyond any cost. What is in flight is added, so that fewest wins. */
const PROBING_SCORE = 1e9;

/** Cost of a target that never answered. */
const UNKNOWN = -1;

/** What is known of each position. */
interface History {
  /** Decaying peak of the latency in ms, or `UNKNOWN`. */
  readonly costs: Float64Array;
  readonly sampledMs: Float64Array;
  /** When a target of unknown cost was last picked. */
  readonly probedMs: Float64Array;
}

const NO_HISTORY: History = {
  costs: new Float64Array(0),
  sampledMs: new Float64Array(0),
  probedMs: new Float64Array(0),
};

/** Creates a least response time balancer. A pick is O(log candidates). */
export function createLeastResponseTime(context: BalancerContext): Balancer {
  const { load, nowMs } = context;
  let history = NO_HISTORY;
  let meanWeight = 1;

  const score = (position: number): number => {
    const { indexes, weights } = draw.columns();
    const index = indexes[position] ?? -1;
    const inFlight = load.inFlight(index);
    const cost = history.costs[position] ?? UNKNOWN;
    if (cost === UNKNOWN) return isProbed(position) ? PROBING_SCORE + inFlight : UNKNOWN;
    // Weight tells how much a target bears at once, not how fast it answers: it scales the queue alone.
    const capacity = ((weights[position] ?? 0) * load.warmth(index)) / meanWeight;
    const sinceMs = nowMs() - (history.sampledMs[position] ?? 0);
    return cost * decay(sinceMs, TAU_MS) * (inFlight / capacity + 1);
  };
  const isProbed = (position: number): boolean => nowMs() - (history.probedMs[position] ?? 0) < PROBE_MS;
  const draw = createDraw(context, score);

  return {
    setTargets(candidates) {
      const before = draw.columns();
      draw.setTargets(candidates);
      history = keepHistory(history, before, draw.columns());
      meanWeight = candidates.reduce((sum, { weight }) => sum + weight, 0) / candidates.length;
    },

    pick(_hash, exclude) {
      const columns = draw.columns();
      if (columns.size < 2) return sole(columns);
      const position = draw.betterOfTwo(columns.positions[exclude] ?? -1);
      if (history.costs[position] === UNKNOWN) history.probedMs[position] = nowMs();
      return columns.indexes[position] ?? -1;
    },

    observe(index, latencyMs, failed) {
      const position = draw.columns().positions[index] ?? -1;
      if (position === -1) return;
      const now = nowMs();
      const cost = history.costs[position] ?? UNKNOWN;
      const sample = failed ? Math.max(latencyMs, FAILURE_LATENCY_MS) : latencyMs;
      history.costs[position] = peakEwma(cost, sample, now - (history.sampledMs[position] ?? 0), TAU_MS);
      history.sampledMs[position] = now;
    },
  };
}

/** The history of those that stay; who was away comes back unknown. */
function keepHistory(history: History, before: Columns, after: Columns): History {
  return {
    costs: carryOver(before, history.costs, after, UNKNOWN),
    sampledMs: carryOver(before, history.sampledMs, after, -Infinity),
    probedMs: carryOver(before, history.probedMs, after, -Infinity),
  };
}
