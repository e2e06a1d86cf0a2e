/**
 * One autoscaler on one trace, run by the simulator and scored by three numbers: how long the objective was broken, what
 * the tasks cost, how often their number changed.
 *
 * The service is the same for all: a task works on ten requests at a time, each takes a quarter of a second of one of
 * its cores; the gateway sends a task no more than that and lets the others wait. So 70 % CPU, 7 requests in flight and
 * 28 requests a second per task are one and the same target.
 */
import { readyCount } from "../../../scaling/index.ts";
import type { Autoscaler } from "../autoscaler.ts";
import type { Design } from "../design.ts";
import { parseDesign } from "../parse.ts";
import type { SimulationResult } from "../result.ts";
import { simulate } from "../run.ts";
import { TRACE_MINUTES, type Trace, timesAt } from "../traces.ts";
import { averageCpu, ecsTargetTracking, type TrackedMetric } from "./ecs-target-tracking.ts";
import { hpa } from "./hpa.ts";
import { kpa } from "./kpa.ts";
import type { Limits } from "./limits.ts";
import { tenfold } from "./tenfold.ts";

/** What is varied between the reported set of trials and those that check it. */
export interface TrialSettings {
  readonly seed: number;
  /** Requests in flight at the base load. */
  readonly baseInFlight: number;
  readonly serviceMs: number;
  /** Coefficient of variation of the service time. */
  readonly cv: number;
  readonly startDelayMs: number;
  readonly tasksMax: number;
}

/** The reported set. */
export const REPORTED: TrialSettings = {
  seed: 1,
  baseInFlight: 12,
  serviceMs: 250,
  cv: 0.3,
  startDelayMs: 10_000,
  tasksMax: 40,
};

const CONCURRENCY = 10;
const UTILISATION = 0.7;
const TASKS_MIN = 2;
/** A request that takes longer than four times its work has waited. */
const OBJECTIVE_TIMES = 4;
const ERROR_SHARE_MAX = 0.01;
const MINUTE_MS = 60_000;
const SERVICE = "app";

/** How one autoscaler fared on one trace. */
export interface Score {
  readonly trace: string;
  readonly autoscaler: string;
  /** Seconds in which the p99 or the share of errors broke the objective. */
  readonly violationSeconds: number;
  readonly taskSeconds: number;
  readonly changes: number;
  /** Changes that turned the direction round. */
  readonly turns: number;
  /** Tasks wanted over time, as [minute, tasks]. */
  readonly tasks: readonly (readonly [number, number])[];
}

/** Makes an autoscaler for a trial that begins with so many tasks. */
type Contender = (limits: Limits, tasks: number, trial: Trial) => Autoscaler;

interface Trial {
  readonly trace: Trace;
  readonly settings: TrialSettings;
}

/** Ours first. A new model is one row. */
const CONTENDERS: readonly Contender[] = [
  tenfold,
  hpa,
  (limits) => ecsTargetTracking(limits, averageCpu(limits)),
  (limits, _, trial) => ecsTargetTracking(limits, requestsPerTarget(limits, trial)),
  kpa,
];

/** Every autoscaler on one trace. */
export function runTrace(trace: Trace, settings: TrialSettings = REPORTED): Score[] {
  const design = designOf({ trace, settings });
  const limits = {
    min: TASKS_MIN,
    max: settings.tasksMax,
    concurrency: CONCURRENCY,
    utilisation: UTILISATION,
  };
  const tasks = tasksAtFirst({ trace, settings });
  return CONTENDERS.map((contender) => {
    const autoscaler = contender(limits, tasks, { trace, settings });
    return scoreOf(trace, autoscaler.name, tasks, simulate(design, { autoscaler: () => autoscaler }));
  });
}

/** `ALBRequestCountPerTarget`, per second: the balancer counts every request, also those that it refuses. */
function requestsPerTarget({ concurrency, utilisation }: Limits, { trace, settings }: Trial): TrackedMetric {
  return {
    name: "requests",
    target: (concurrency * utilisation * 1000) / settings.serviceMs,
    read: (observed, nowMs) =>
      observed.inFlight === undefined
        ? undefined
        : (timesAt(trace, nowMs / MINUTE_MS) * baseRps(settings)) / Math.max(1, readyCount(observed)),
  };
}

function baseRps({ baseInFlight, serviceMs }: TrialSettings): number {
  return (baseInFlight * 1000) / serviceMs;
}

function tasksAtFirst({ trace, settings }: Trial): number {
  const inFlight = timesAt(trace, 0) * settings.baseInFlight;
  return Math.max(TASKS_MIN, Math.ceil(inFlight / (CONCURRENCY * UTILISATION)));
}

function designOf({ trace, settings }: Trial): Design {
  const { serviceMs, cv, startDelayMs, seed } = settings;
  const base = baseRps(settings);
  const outcome = parseDesign({
    clients: {
      web: {
        to: "web",
        points: trace.points.map(([minute, times]) => [`${minute * 60}s`, `${times * base}/s`]),
      },
    },
    nodes: {
      web: {
        kind: "gateway",
        to: SERVICE,
        group: { algorithm: "least-requests", connections: { perTargetMax: CONCURRENCY } },
      },
      [SERVICE]: {
        kind: "service",
        tasks: tasksAtFirst({ trace, settings }),
        cores: CONCURRENCY,
        time: { mean: `${serviceMs}ms`, cv },
        startDelay: `${startDelayMs}ms`,
      },
    },
    faults:
      trace.blind === undefined
        ? []
        : [
            {
              kind: "lose-metrics",
              node: SERVICE,
              at: `${trace.blind.from}m`,
              for: `${trace.blind.to - trace.blind.from}m`,
            },
          ],
    run: {
      duration: `${TRACE_MINUTES}m`,
      warmUp: "0s",
      seed,
      window: "1s",
      objective: { p99: `${OBJECTIVE_TIMES * serviceMs}ms`, errors: ERROR_SHARE_MAX },
    },
  });
  if (outcome.kind === "ok") return outcome.value;
  const [problem] = outcome.problems;
  throw new Error(`autoscalers: ${problem?.path} ${problem?.what}, ${problem?.mend}`);
}

function scoreOf(trace: Trace, autoscaler: string, tasks: number, result: SimulationResult): Score {
  const directions = result.scaling.map(({ from, to }) => Math.sign(to - from));
  return {
    trace: trace.name,
    autoscaler,
    violationSeconds: result.windows.filter(({ violated }) => violated).length,
    taskSeconds: result.windows.reduce((sum, { nodes }) => sum + (nodes[SERVICE]?.units ?? 0), 0),
    changes: directions.length,
    turns: directions.filter((direction, index) => index > 0 && direction !== directions[index - 1]).length,
    tasks: [[0, tasks], ...result.scaling.map(({ atMs, to }): [number, number] => [atMs / MINUTE_MS, to])],
  };
}
