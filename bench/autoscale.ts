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
import { withDeployment } from "./harness/deployment.ts";
import { describeFailures, OpenLoad } from "./harness/open-load.ts";
import { withFolder } from "./harness/process.ts";
import { conclude } from "./harness/results.ts";
import { ScalingWatch } from "./harness/scaling-watch.ts";

const ANSWER_SECONDS = 0.05;
const IN_FLIGHT_PER_TASK = 5;
const STEP = 10;

/** From the step until enough tasks are healthy. */
const REACTION_SECONDS_MAX = 5;

/** High recommendations are remembered for this long before the number falls. */
const DOWN_WINDOW_SECONDS = 10;

/** Time to go back down: the stable window and the down window, twice over. */
const BACK_SECONDS_MAX = 60;

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

await withFolder((folder) =>
  withDeployment({ folder, service }, async (deployment) => {
    const load = new OpenLoad({ port: deployment.port, ratePerSecond: rate / STEP });
    const watch = new ScalingWatch(deployment);
    await watch.look(5);
    load.setRate(rate);
    const upSeconds = await watch.look(hold, ({ healthy }) => healthy >= needed);
    await watch.look(hold - upSeconds);
    load.setRate(rate / STEP);
    const downSeconds = await watch.look(BACK_SECONDS_MAX, ({ wanted }) => wanted <= 2);
    const report = await load.stop();
    for (const example of report.examples) console.log(`  ${example}`);
    console.log(`wanted tasks over time: ${watch.wanted.join(" ")}`);
    const turns = watch.turns();
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
      { wantedSeen: watch.wanted, report },
    );
  }),
);
