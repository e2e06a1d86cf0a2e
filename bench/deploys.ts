/**
 * Rolling deploys of the example, one after the other, under a constant open-model load: how many requests fail?
 *
 *     bin/bun bench/deploys.ts [--deploys 1000] [--rate 200]
 */
import { options } from "./harness/arguments.ts";
import { EXAMPLE, exampleRequest, withDeployment } from "./harness/deployment.ts";
import { describeFailures, OpenLoad } from "./harness/open-load.ts";
import { withFolder } from "./harness/process.ts";
import { conclude } from "./harness/results.ts";

/** How often the progress is told. */
const TELL_EVERY = 50;

const { deploys, rate } = options({ deploys: 1000, rate: 200 });

const service = {
  command: ["node", EXAMPLE],
  tasks: 2,
  health: { path: "/healthz", interval: "250ms", rise: 1 },
};

await withFolder((folder) =>
  withDeployment({ folder, service }, async (deployment) => {
    const load = new OpenLoad({ port: deployment.port, ratePerSecond: rate, request: exampleRequest });
    for (let done = 1; done <= deploys; done++) {
      await deployment.command("deploy", "app");
      if (done % TELL_EVERY === 0) console.log(`${done} deploys, ${load.failedTotal()} failed requests`);
    }
    const report = await load.stop();
    for (const example of report.examples) console.log(`  ${example}`);
    console.log(
      `p50 ${report.p50Ms.toFixed(2)} ms, p99 ${report.p99Ms.toFixed(2)} ms, max ${report.maxMs.toFixed(0)} ms`,
    );
    const claim = `${deploys} rolling deploys at ${rate} requests per second lose no request`;
    conclude("deploys", [{ claim, figure: describeFailures(report), met: report.failedTotal === 0 }], report);
  }),
);
