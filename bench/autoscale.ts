/**
 * A step to ten times the load and back: when are there enough tasks, does a request fail, does the number flap?
 *
 * Every answer takes 50 ms, so requests in flight are rate x 0.05 s (Little's law), and the tasks needed are that
 * divided by the target of 5 in flight per task: 2 before the step, 10 during it.
 *
 *     bin/bun bench/autoscale.ts [--rate 1000] [--hold 20]
 */
import { join } from "node:path";
import { options } from "./harness/arguments.ts";
import { type Deployment, withDeployment } from "./harness/deployment.ts";
import { describeFailures, OpenLoad } from "./harness/open-load.ts";
import { withFolder } from "./harness/process.ts";
import { conclude } from "./harness/results.ts";
import { pause } from "./harness/wait.ts";

const ANSWER_SECONDS = 0.05;
const IN_FLIGHT_PER_TASK = 5;
const STEP = 10;

/** From the step until enough tasks are healthy. */
const REACTION_SECONDS_MAX = 5;

/** High recommendations are remembered for this long before the number falls. */
const DOWN_WINDOW_SECONDS = 10;

/** Time to go back down: the stable window and the down window, twice over. */
const BACK_SECONDS_MAX = 60;

const LOOK_EVERY_MS = 100;

/** `rate` is that of the step; a tenth of it goes before and after. */
const { rate, hold } = options({ rate: 1000, hold: 20 });
const needed = Math.ceil((rate * ANSWER_SECONDS) / IN_FLIGHT_PER_TASK);

const service = {
  command: ["node", join(import.meta.dirname, "harness/slow-app.js")],
  tasks: 2,
  health: { path: "/healthz", interval: "250ms", rise: 1 },
  autoscale: {
    min: 2,
    max: needed + 2,
    inFlight: IN_FLIGHT_PER_TASK,
    downWindow: `${DOWN_WINDOW_SECONDS}s`,
    stableWindow: "10s",
  },
};

/** The number of tasks as it was seen, one entry for each change. */
const wantedSeen: number[] = [];

await withFolder((folder) =>
  withDeployment({ folder, service }, async (deployment) => {
    const load = new OpenLoad({ port: deployment.port, ratePerSecond: rate / STEP });
    await look(deployment, 5, () => false);
    load.setRate(rate);
    const upSeconds = await look(deployment, hold, ({ healthy }) => healthy >= needed);
    await look(deployment, hold - upSeconds, () => false);
    load.setRate(rate / STEP);
    const downSeconds = await look(deployment, BACK_SECONDS_MAX, ({ wanted }) => wanted <= 2);
    const report = await load.stop();
    for (const example of report.examples) console.log(`  ${example}`);
    console.log(`wanted tasks over time: ${wantedSeen.join(" ")}`);
    const turns = turnsOf(wantedSeen);
    conclude(
      "autoscale",
      [
        {
          claim: `${needed} healthy tasks within ${REACTION_SECONDS_MAX} s of a ${STEP}x step`,
          figure: `${upSeconds.toFixed(1)} s`,
          met: upSeconds <= REACTION_SECONDS_MAX,
        },
        {
          claim: `a ${STEP}x step loses no request`,
          figure: describeFailures(report),
          met: report.failedTotal === 0,
        },
        {
          claim: "back to the minimum after the down window",
          figure: `${downSeconds.toFixed(1)} s`,
          met: downSeconds < BACK_SECONDS_MAX,
        },
        {
          claim: "changes of direction in the number of tasks, at most 1",
          figure: String(turns),
          met: turns <= 1,
        },
      ],
      { wantedSeen, report },
    );
  }),
);

interface Seen {
  readonly wanted: number;
  readonly healthy: number;
}

/** Watches for at most `seconds`, or until `reached`; resolves with the seconds that it took. */
async function look(
  deployment: Deployment,
  seconds: number,
  reached: (seen: Seen) => boolean,
): Promise<number> {
  const startMs = performance.now();
  const elapsed = (): number => (performance.now() - startMs) / 1000;
  while (elapsed() < seconds) {
    const seen = await deployment.service();
    if (seen.wanted !== wantedSeen.at(-1)) wantedSeen.push(seen.wanted);
    if (reached(seen)) return elapsed();
    await pause(LOOK_EVERY_MS);
  }
  return elapsed();
}

/** How often a series changes its direction. */
function turnsOf(series: readonly number[]): number {
  const signs = series.slice(1).map((value, index) => Math.sign(value - series[index]!));
  return signs.slice(1).filter((sign, index) => sign !== signs[index]).length;
}
