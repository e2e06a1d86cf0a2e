/**
 * Our autoscaling rule beside models of HPA, ECS target tracking and Knative's KPA, on six traces in simulated time: how
 * long the objective is broken, what the tasks cost, how often their number changes. Then the same on other seeds, sizes
 * and speeds. Those named "unseen" were run once, after the rule was done; the others were watched while it was made.
 * They are printed and kept; the verdicts are about the six.
 *
 *     bin/bun bench/autoscale-traces.ts
 */

import { runTraces } from "../src/planner/simulate/autoscalers/report.ts";
import {
  type Comparison,
  CRITERIA,
  compare,
  describeLosses,
} from "../src/planner/simulate/autoscalers/rivalry.ts";
import { REPORTED, type Score } from "../src/planner/simulate/autoscalers/trial.ts";
import { OTHER_TRACES, TRACES } from "../src/planner/simulate/traces.ts";
import { conclude } from "./harness/results.ts";

const OTHERS = [
  {
    name: "unseen, larger and more varied",
    settings: { seed: 303, baseInFlight: 18, serviceMs: 300, cv: 0.5, startDelayMs: 8000, tasksMax: 60 },
    traces: TRACES,
  },
  {
    name: "unseen, small and slow to start",
    settings: { seed: 404, baseInFlight: 8, serviceMs: 150, cv: 0.3, startDelayMs: 20_000, tasksMax: 30 },
    traces: TRACES,
  },
  {
    name: "watched, larger",
    settings: { seed: 101, baseInFlight: 16, serviceMs: 350, cv: 0.4, startDelayMs: 15_000, tasksMax: 55 },
    traces: TRACES,
  },
  {
    name: "watched, smaller",
    settings: { seed: 202, baseInFlight: 10, serviceMs: 200, cv: 0.2, startDelayMs: 6000, tasksMax: 30 },
    traces: TRACES,
  },
  {
    name: "watched, large and slow to start",
    settings: { seed: 5, baseInFlight: 25, serviceMs: 500, cv: 0.3, startDelayMs: 30_000, tasksMax: 80 },
    traces: TRACES,
  },
  { name: "watched, other traces", settings: { ...REPORTED, seed: 3 }, traces: OTHER_TRACES },
];

const reported = runTraces();
show("reported", reported);
const others = OTHERS.map(({ name, settings, traces }) => {
  const scores = runTraces(settings, traces);
  show(name, scores);
  return { name, settings, scores };
});
conclude("autoscale-traces", compare(reported).map(verdictOf), {
  reported: reported.map(withoutTasks),
  others: others.map(({ name, settings, scores }) => ({
    name,
    settings,
    scores: scores.map(withoutTasks),
  })),
});

function verdictOf(comparison: Comparison): { claim: string; figure: string; met: boolean } {
  const { rival, criterion, ours, theirs, won } = comparison;
  const { promise, label } = CRITERIA[criterion];
  const losses = describeLosses(comparison);
  return {
    claim: `${promise} ${label} than ${rival} over six traces`,
    figure: `${ours} against ${theirs}${losses === "" ? ", on each trace" : `; not ${losses}`}`,
    met: won,
  };
}

function show(name: string, scores: readonly Score[]): void {
  console.log(`\n${name}`);
  for (const { trace, autoscaler, violationSeconds, taskSeconds, changes, turns } of scores) {
    const numbers = [violationSeconds, taskSeconds, changes, turns].map((number) =>
      String(number).padStart(7),
    );
    console.log(`  ${trace.padEnd(12)} ${autoscaler.padEnd(16)}${numbers.join(" ")}`);
  }
  for (const comparison of compare(scores)) {
    const { rival, criterion, ours, theirs, won } = comparison;
    console.log(
      `  ${won ? "won " : "lost"} ${rival}: ${CRITERIA[criterion].label} ${ours} against ${theirs}`,
    );
  }
}

/** The curves can be run again from the seed; the numbers are what is kept. */
function withoutTasks(score: Score): Omit<Score, "tasks"> {
  const { trace, autoscaler, violationSeconds, taskSeconds, changes, turns } = score;
  return { trace, autoscaler, violationSeconds, taskSeconds, changes, turns };
}
