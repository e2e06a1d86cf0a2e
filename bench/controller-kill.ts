/**
 * SIGKILL of the controller under load, at rest and in the middle of deploys: what fails, what restarts?
 *
 * After each kill the controller is started again and must adopt what runs. At rest every task and worker must keep
 * its pid; in the middle of a deploy tasks change, so only requests count.
 *
 *     bin/bun bench/controller-kill.ts [--kills 20] [--rate 200] [--seed 1]
 */
import { seededRandom } from "../src/base/index.ts";
import { options } from "./harness/arguments.ts";
import { type Deployment, EXAMPLE, exampleRequest, withDeployment } from "./harness/deployment.ts";
import { describeFailures, OpenLoad } from "./harness/open-load.ts";
import { withFolder } from "./harness/process.ts";
import { conclude } from "./harness/results.ts";
import { pause } from "./harness/wait.ts";

/** A deploy of two tasks takes about this long; the kill falls anywhere in it. */
const DEPLOY_MS = 500;

/** How long the data plane is left alone. */
const WITHOUT_CONTROLLER_MS = 500;

const { kills, rate, seed } = options({ kills: 20, rate: 200, seed: 1 });
const random = seededRandom(seed);

const service = {
  command: ["node", EXAMPLE],
  tasks: 2,
  health: { path: "/healthz", interval: "250ms", rise: 1 },
};

await withFolder((folder) =>
  withDeployment({ folder, service, workers: 2 }, async (deployment) => {
    const load = new OpenLoad({ port: deployment.port, ratePerSecond: rate, request: exampleRequest });
    let restarted = 0;
    for (let done = 0; done < kills; done++) {
      if (done % 2 === 0) restarted += await killAtRest(deployment);
      else await killInDeploy(deployment);
    }
    const report = await load.stop();
    for (const example of report.examples) console.log(`  ${example}`);
    conclude(
      "controller-kill",
      [
        {
          claim: `${kills} kills of the controller lose no request`,
          figure: describeFailures(report),
          met: report.failedTotal === 0,
        },
        { claim: "adoption restarts nothing", figure: `${restarted} restarted`, met: restarted === 0 },
      ],
      report,
    );
  }),
);

/** Resolves with the number of tasks and workers that are not the same process any more. */
async function killAtRest(deployment: Deployment): Promise<number> {
  const before = await deployment.pids();
  await killAndStart(deployment);
  const after = new Set(await deployment.pids());
  return before.filter((pid) => !after.has(pid)).length;
}

async function killInDeploy(deployment: Deployment): Promise<void> {
  const deploy = deployment.command("deploy", "app").catch(() => {}); // its controller dies under it
  await pause(random() * DEPLOY_MS);
  await killAndStart(deployment);
  await deploy;
}

async function killAndStart(deployment: Deployment): Promise<void> {
  process.kill(deployment.controller().pid, "SIGKILL");
  await pause(WITHOUT_CONTROLLER_MS);
  await deployment.start();
}
