/**
 * Config reloads with open WebSockets and a constant load: how many connections drop, how many requests fail?
 *
 * Each reload changes a rule and signals the controller; it counts when every worker serves by the new snapshot. At
 * the end one event is published, and each WebSocket must still bring it.
 *
 *     bin/bun bench/reloads.ts [--reloads 100] [--sockets 200] [--rate 200]
 */
import { options } from "./harness/arguments.ts";
import { type Deployment, EXAMPLE, exampleRequest, withDeployment } from "./harness/deployment.ts";
import { countAlive, openSockets } from "./harness/live-sockets.ts";
import { describeFailures, OpenLoad } from "./harness/open-load.ts";
import { withFolder } from "./harness/process.ts";
import { conclude } from "./harness/results.ts";
import { until } from "./harness/wait.ts";

/** A reload is read, published and acknowledged within this. */
const RELOAD_DEADLINE_MS = 10_000;

const { reloads, sockets, rate } = options({ reloads: 100, sockets: 200, rate: 200 });

const service = { command: ["node", EXAMPLE], tasks: 2, health: { path: "/healthz", interval: "250ms" } };

await withFolder((folder) =>
  withDeployment({ folder, service, workers: 2 }, async (deployment) => {
    const open = await openSockets(deployment.port, sockets);
    const load = new OpenLoad({ port: deployment.port, ratePerSecond: rate, request: exampleRequest });
    for (let done = 1; done <= reloads; done++) await reload(deployment, done);
    const report = await load.stop();
    const alive = await countAlive(open, deployment.port);
    for (const socket of open) socket.close();
    for (const example of report.examples) console.log(`  ${example}`);
    const dropped = sockets - alive;
    conclude(
      "reloads",
      [
        {
          claim: `${reloads} reloads drop none of ${sockets} WebSockets`,
          figure: `${dropped} dropped`,
          met: dropped === 0,
        },
        {
          claim: `${reloads} reloads lose no request`,
          figure: describeFailures(report),
          met: report.failedTotal === 0,
        },
      ],
      report,
    );
  }),
);

async function reload(deployment: Deployment, number: number): Promise<void> {
  const { controller } = await deployment.status();
  const address = `127.0.0.1:${deployment.port}`;
  const rules = [{ match: { path: `/reload-${number}` }, respond: { status: 204 } }, { forward: "app" }];
  deployment.writeConfig({ listeners: { web: { address, protocol: "http", rules } } });
  process.kill(controller.pid, "SIGHUP");
  await until(`reload ${number} to be served`, RELOAD_DEADLINE_MS, async () => {
    const { controller: now, gateway } = await deployment.status();
    return (
      now.revision > controller.revision && gateway.workers.every(({ revision }) => revision === now.revision)
    );
  });
}
