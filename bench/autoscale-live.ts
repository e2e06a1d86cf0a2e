/**
 * Ten times as many live viewers of the example, at once: when are there enough tasks, does anything fail or flap?
 *
 * Each viewer is an open WebSocket, so requests in flight are their number, and the tasks needed are that divided by the
 * target of 10 in flight per task: 10 of 100 viewers. A constant HTTP load runs all the while.
 *
 *     bin/bun bench/autoscale-live.ts [--viewers 100] [--rate 200] [--hold 10]
 */
import { options } from "./harness/arguments.ts";
import { EXAMPLE, exampleRequest, withDeployment } from "./harness/deployment.ts";
import { countAlive, openSockets } from "./harness/live-sockets.ts";
import { describeFailures, OpenLoad } from "./harness/open-load.ts";
import { withFolder } from "./harness/process.ts";
import { conclude } from "./harness/results.ts";
import { ScalingWatch } from "./harness/scaling-watch.ts";

const STEP = 10;
const IN_FLIGHT_PER_TASK = 10;
const TASKS_MIN = 2;

/** From the step until enough tasks are healthy. */
const REACTION_SECONDS_MAX = 5;

/** Time to go back down: the stable window and the down window, twice over, and the drains. */
const BACK_SECONDS_MAX = 60;

const { viewers, rate, hold } = options({ viewers: 100, rate: 200, hold: 10 });
const needed = Math.ceil(viewers / IN_FLIGHT_PER_TASK);

const service = {
  command: ["node", EXAMPLE],
  tasks: TASKS_MIN,
  health: { path: "/healthz", interval: "250ms", rise: 1 },
  autoscale: {
    min: TASKS_MIN,
    max: needed + 2,
    inFlight: IN_FLIGHT_PER_TASK,
    downWindow: "10s",
    stableWindow: "10s",
  },
};

await withFolder((folder) =>
  withDeployment({ folder, service }, async (deployment) => {
    const { port } = deployment;
    const load = new OpenLoad({ port, ratePerSecond: rate, request: exampleRequest });
    const watch = new ScalingWatch(deployment);
    const open = await openSockets(port, viewers / STEP);
    await watch.look(5);
    open.push(...(await openSockets(port, viewers - open.length)));
    const upSeconds = await watch.look(hold, ({ healthy }) => healthy >= needed);
    await watch.look(hold - upSeconds);
    const alive = await countAlive(open, port);
    for (const socket of open) socket.close();
    const downSeconds = await watch.look(BACK_SECONDS_MAX, ({ wanted }) => wanted <= TASKS_MIN);
    const report = await load.stop();
    for (const example of report.examples) console.log(`  ${example}`);
    console.log(`wanted tasks over time: ${watch.wanted.join(" ")}`);
    const reacted = `${needed} healthy tasks of the example within ${REACTION_SECONDS_MAX} s of ${STEP}x the viewers`;
    conclude(
      "autoscale-live",
      [
        { claim: reacted, figure: `${upSeconds.toFixed(1)} s`, met: upSeconds <= REACTION_SECONDS_MAX },
        {
          claim: `${STEP}x the viewers lose no request and no WebSocket`,
          figure: `${describeFailures(report)}, ${open.length - alive} sockets dropped`,
          met: report.failedTotal === 0 && alive === open.length,
        },
        {
          claim: "back to the minimum once they have gone",
          figure: `${downSeconds.toFixed(1)} s`,
          met: downSeconds < BACK_SECONDS_MAX,
        },
        {
          claim: "changes of direction, at most 1",
          figure: String(watch.turns()),
          met: watch.turns() <= 1,
        },
      ],
      { wantedSeen: watch.wanted, report },
    );
  }),
);
