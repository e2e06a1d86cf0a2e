/**
 * What nobody can beat on the six traces of autoscale-traces.ts: the fewest task-seconds of one who knows the whole trace
 * beforehand, is never below the target of 70 %, and may change the number of tasks so often and no more.
 *
 * By dynamic programming over seconds and tasks, for each number of changes; the changes are then shared out among the traces in
 * the cheapest way. A task is paid for from the decision on, and ready after its start delay: so at each second there must be as
 * many as are needed at any moment up to that delay later. Tasks that drain are not counted, which keeps it a bound from below.
 *
 *     bin/bun bench/autoscale-bound.ts
 */
import { REPORTED } from "../src/planner/simulate/autoscalers/trial.ts";
import { TRACE_MINUTES, TRACES, type Trace, timesAt } from "../src/planner/simulate/traces.ts";
import { conclude } from "./harness/results.ts";
import { committedRivals } from "./harness/rivals.ts";

/** Requests in flight of one task at the target: ten at a time, 70 % of them. */
const IN_FLIGHT_PER_TASK = 7;
const TASKS_MIN = 2;
const SECONDS = TRACE_MINUTES * 60;
/** Changes of one trace beyond which more of them save nothing worth a row. */
const CHANGES_MAX = 60;

/** Tasks that must exist at each second so that none is missing now or when what starts now is ready. */
function tasksNeeded(trace: Trace): readonly number[] {
  const { baseInFlight, startDelayMs } = REPORTED;
  const now = Array.from({ length: SECONDS + 1 }, (_, second) =>
    Math.max(TASKS_MIN, Math.ceil((timesAt(trace, second / 60) * baseInFlight) / IN_FLIGHT_PER_TASK - 1e-9)),
  );
  const delay = startDelayMs / 1000;
  return Array.from({ length: SECONDS }, (_, second) => Math.max(...now.slice(second, second + delay + 1)));
}

/** Changes allowed -> fewest task-seconds. */
function fewest(trace: Trace): readonly number[] {
  const needed = tasksNeeded(trace);
  const most = Math.max(...needed);
  // The first number is given, as to all autoscalers: it is no change.
  let costs = Array.from({ length: CHANGES_MAX + 1 }, () => new Float64Array(most + 1).fill(Infinity));
  for (const row of costs) row[needed[0] ?? TASKS_MIN] = 0;
  for (const least of needed) {
    costs = costs.map((row, changes) => {
      const before = changes === 0 ? Infinity : Math.min(...(costs[changes - 1] ?? []));
      return row.map((cost, tasks) => (tasks < least ? Infinity : Math.min(cost, before) + tasks));
    });
  }
  return costs.map((row) => Math.min(...row));
}

/** The same for all traces together: total changes -> fewest task-seconds. */
function together(curves: readonly (readonly number[])[]): readonly number[] {
  return curves.reduce<readonly number[]>(
    (sums, curve) =>
      Array.from({ length: sums.length + curve.length - 1 }, (_, total) => {
        let least = Infinity;
        for (let own = 0; own < curve.length && own <= total; own++)
          least = Math.min(least, (sums[total - own] ?? Infinity) + (curve[own] ?? Infinity));
        return least;
      }),
    [0],
  );
}

const bound = together(TRACES.map(fewest));
const atChanges = (changes: number): number => bound[changes] ?? Infinity;
const freely = Math.min(...bound);
const rivals = committedRivals();
console.log(`any number of changes: ${freely} task-seconds`);
for (const changes of [18, 27, 40, 51, 60])
  console.log(`${changes} changes: ${atChanges(changes)} task-seconds`);
for (const { name, taskSeconds, changes } of rivals)
  console.log(`${name}: ${taskSeconds} task-seconds, ${changes} changes`);

const [cpu, requests, kpa] = ["ECS on CPU", "ECS on requests", "KPA"].map((name) =>
  rivals.find((rival) => rival.name === name),
);
if (cpu === undefined || requests === undefined || kpa === undefined)
  throw new Error("bench/results/autoscale-traces.json lacks a rival: run bench/autoscale-traces.ts first");
conclude(
  "autoscale-bound",
  [
    {
      claim: "who is never late cannot pay as little as ECS on CPU, even knowing the future",
      figure: `${freely} task-seconds at least, against ${cpu.taskSeconds}`,
      met: freely > cpu.taskSeconds,
    },
    {
      claim:
        "who is never late and changes less often than ECS on CPU pays more than KPA, even knowing the future",
      figure: `${atChanges(cpu.changes - 1)} task-seconds at least with ${cpu.changes - 1} changes, against ${kpa.taskSeconds}`,
      met: atChanges(cpu.changes - 1) > kpa.taskSeconds,
    },
    {
      claim: "the same with fewer changes than ECS on requests",
      figure: `${atChanges(requests.changes - 1)} task-seconds at least with ${requests.changes - 1} changes, against ${kpa.taskSeconds}`,
      met: atChanges(requests.changes - 1) > kpa.taskSeconds,
    },
  ],
  {
    freely,
    byChanges: [18, 27, 40, 51, 60].map((changes) => ({ changes, taskSeconds: atChanges(changes) })),
  },
);
