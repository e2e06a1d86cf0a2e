/**
 * A router of a cluster whose servers are on machines of their own, as a process: who is primary it reads from the lease.
 *
 *     bin/bun bench/harness/lease-router.ts '{"address":…,"servers":[…],"failover":…,"password":…}'
 */
import { type FailoverOptions, failoverSettings } from "../../src/app/database-failover.ts";
import { runRouter } from "../../src/app/run-router.ts";
import { createLog, systemClock } from "../../src/base/index.ts";
import { type Address, DEFAULTS } from "../../src/config/index.ts";

/** What it is started with. */
export interface LeaseRouterOptions {
  readonly address: Address;
  readonly failover: FailoverOptions;
  /** Of "postgres". */
  readonly password: string;
}

const { address, failover, password }: LeaseRouterOptions = JSON.parse(process.argv[2] ?? "{}");
const { mode = "async", members, store, cluster } = failover;
const { queueTimeoutMs, queueMax } = DEFAULTS.database.pool;
const servers = members.map((member) => ({
  ...{ name: member.name, host: member.address.host, port: member.address.port },
  ...({ role: "replica", timeline: 0, eligible: true } as const),
}));
const running = await runRouter({
  cluster: { revision: 1, name: cluster, term: 0, state: "no-primary", primary: undefined, servers, mode },
  address,
  workers: 1,
  pool: DEFAULTS.database.pool,
  users: { postgres: { password } },
  authUser: { user: "postgres", database: "postgres", password },
  lease: { store, cluster, times: failoverSettings(failover), hold: { ms: queueTimeoutMs, max: queueMax } },
  log: createLog({ clock: systemClock, level: "info", write: (line) => process.stderr.write(line) }),
});
process.on("SIGTERM", () => void running.stop().then(() => process.exit(0)));
