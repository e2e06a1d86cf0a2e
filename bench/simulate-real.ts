/**
 * The simulator against the real thing: an app behind the gateway, on a slow disk, at four loads and with one, two
 * and three tasks. Calibrated on ONE of these twelve, the others are predicted.
 *
 * Every POST looks at the shared file, one look at a time in each task, so a task is a queue with one server; the
 * disk's looks take some milliseconds each (harness/slow-disk.js), so that what is measured is waiting and not the noise of
 * a machine with two cores. Ten times a second each task also looks by itself: that is known of the app, and in the design.
 *
 *     bin/bun bench/simulate-real.ts [--seconds 40]
 */
import { join } from "node:path";
import { parseDesign, type SimulationResult, simulate } from "../src/planner/index.ts";
import { options } from "./harness/arguments.ts";
import { withDeployment } from "./harness/deployment.ts";
import { showTable, spreadOf, type Verdict } from "./harness/figures.ts";
import { type LoadReport, OpenLoad } from "./harness/open-load.ts";
import { withFolder } from "./harness/process.ts";
import { conclude } from "./harness/results.ts";
import { pause } from "./harness/wait.ts";

const { seconds } = options({ seconds: 40 });

const TASKS = [1, 2, 3];

/** Requests per second and task: from hardly busy to three quarters. */
const LOADS = [20, 40, 55, 70];

/** The run that the model is fitted to. */
const CALIBRATION = { tasks: 2, load: 40 };

/** The store looks at its file so often by itself. */
const OWN_LOOKS_RPS = 10;

const WARM_UP_MS = 3000;
const PROMISE = 0.15;

/** Every step up, down or not at all in three numbers. */
const NEIGHBOURS = [-1, 0, 1].flatMap((a) =>
  [-1, 0, 1].flatMap((b) => [-1, 0, 1].map((c) => [a, b, c] as const)),
);

interface Measured {
  readonly tasks: number;
  readonly load: number;
  readonly report: LoadReport;
  readonly throughputRps: number;
}

/** What is fitted. */
interface Model {
  readonly meanMs: number;
  readonly cv: number;
  /** Time that passes without a look: the network, the gateway, the app's own few lines. */
  readonly besideMs: number;
}

const measured: Measured[] = [];
for (const tasks of TASKS) measured.push(...(await measureAll(tasks)));
const calibration = measured.find(
  ({ tasks, load }) => tasks === CALIBRATION.tasks && load === CALIBRATION.load,
);
if (calibration === undefined) throw new Error("the run to calibrate on is not among those measured");
report(fit(calibration));

async function measureAll(tasks: number): Promise<Measured[]> {
  const results: Measured[] = [];
  await withFolder(async (folder) => {
    const harness = join(import.meta.dirname, "harness");
    const command = ["node", "--import", join(harness, "slow-disk.js"), join(harness, "file-app.js")];
    const service = { command, tasks, algorithm: "round-robin", health: { path: "/healthz" } };
    await withDeployment({ folder, service }, async ({ port }) => {
      for (const load of LOADS) results.push(await measure(port, tasks, load));
    });
  });
  return results;
}

async function measure(port: number, tasks: number, load: number): Promise<Measured> {
  const wanted = { port, ratePerSecond: load * tasks, request: append, spacing: "poisson" } as const;
  const warmUp = new OpenLoad(wanted);
  await pause(WARM_UP_MS);
  await warmUp.stop();
  const startedMs = performance.now();
  const running = new OpenLoad(wanted);
  await pause(seconds * 1000);
  const throughputRps = (running.answered() * 1000) / (performance.now() - startedMs);
  return { tasks, load, report: await running.stop(), throughputRps };
}

function append(): string {
  const body = JSON.stringify({ url: "https://example.com/" });
  return `POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: ${body.length}\r\n\r\n${body}`;
}

/** The same in the simulator. */
function predict({ meanMs, cv, besideMs }: Model, tasks: number, load: number): SimulationResult {
  const outcome = parseDesign({
    clients: {
      people: { to: "beside", rate: `${load * tasks}/s`, routes: { create: 1 } },
      store: { to: "links", rate: `${OWN_LOOKS_RPS * tasks}/s`, even: true, routes: { look: 1 } },
    },
    nodes: {
      beside: { kind: "delay", time: { kind: "constant", mean: `${besideMs.toFixed(4)}ms` }, to: "web" },
      web: { kind: "gateway", to: "links", group: { algorithm: "round-robin" } },
      links: { kind: "service", tasks, time: { mean: `${meanMs.toFixed(4)}ms`, cv } },
    },
    run: { duration: "1000s", warmUp: "20s" },
  });
  if (outcome.kind === "ok") return simulate(outcome.value);
  throw new Error(outcome.problems.map(({ path, what, mend }) => `${path}: ${what}; ${mend}`).join("\n"));
}

/** The three numbers with which the simulator gives the latencies that were measured: coarse, then finer. */
function fit({ tasks, load, report: { p50Ms, quantilesMs } }: Measured): Model {
  let best: Model = { meanMs: p50Ms * 0.7, cv: 0.5, besideMs: p50Ms * 0.2 };
  let error = Infinity;
  for (let step = 0.4; step > 0.01; step /= 1.7) {
    const around = best;
    for (const [meanBy, cvBy, besideBy] of NEIGHBOURS) {
      const model = {
        meanMs: around.meanMs * (1 + step * meanBy),
        cv: Math.max(0.01, around.cv * (1 + step * cvBy)),
        besideMs: around.besideMs * (1 + step * besideBy),
      };
      const miss = missOf(predict(model, tasks, load), quantilesMs);
      if (miss < error) [best, error] = [model, miss];
    }
  }
  return best;
}

/** How far the simulated latencies are from the measured ones, as the sum of their ratios' logarithms. */
function missOf({ clients: [people] }: SimulationResult, quantilesMs: readonly number[]): number {
  if (people === undefined) return Infinity;
  const { p10Ms, p25Ms, p50Ms, p75Ms, p90Ms, p99Ms } = people.latency;
  const simulated = [p10Ms, p25Ms, p50Ms, p75Ms, p90Ms, p99Ms];
  return quantilesMs.reduce((sum, ms, index) => sum + Math.abs(Math.log((simulated[index] ?? 0) / ms)), 0);
}

function report(fitted: Model): void {
  const rows = [
    ["tasks", "load/s", "measured p50", "predicted", "measured p99", "predicted", "measured /s", "predicted"],
  ];
  const errors: Record<"p50" | "p99" | "throughput", number[]> = { p50: [], p99: [], throughput: [] };
  for (const { tasks, load, report: real, throughputRps } of measured) {
    const [people] = predict(fitted, tasks, load).clients;
    if (people === undefined) continue;
    rows.push([
      `${tasks}`,
      `${load * tasks}`,
      real.p50Ms.toFixed(1),
      people.latency.p50Ms.toFixed(1),
      real.p99Ms.toFixed(1),
      people.latency.p99Ms.toFixed(1),
      throughputRps.toFixed(1),
      people.throughputRps.toFixed(1),
    ]);
    if (tasks === CALIBRATION.tasks && load === CALIBRATION.load) continue;
    errors.p50.push(Math.abs(people.latency.p50Ms / real.p50Ms - 1));
    errors.p99.push(Math.abs(people.latency.p99Ms / real.p99Ms - 1));
    errors.throughput.push(Math.abs(people.throughputRps / throughputRps - 1));
  }
  console.log(
    `fitted: a look takes ${fitted.meanMs.toFixed(2)} ms on average, cv ${fitted.cv.toFixed(2)}; ${fitted.besideMs.toFixed(2)} ms beside it`,
  );
  console.log(showTable(rows));
  const verdicts = Object.entries(errors).map(([what, values]): Verdict => {
    const { median, min, max } = spreadOf(values);
    const percent = (share: number): string => (share * 100).toFixed(1);
    return {
      claim: `simulated ${what} of an app on a slow disk within 15 % of what was measured, median of ${values.length} runs not calibrated on`,
      figure: `${percent(median)} % (${percent(min)}-${percent(max)})`,
      met: median <= PROMISE,
    };
  });
  conclude("simulate-real", verdicts, { fitted, measured });
}
