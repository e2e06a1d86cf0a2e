/**
 * A router worker as a process of its own, for benches and tests: prints its port when it listens.
 *
 *     bin/bun bench/harness/router-worker.ts '{"port":6432,"server":5432,"pool":{"mode":"transaction"}}'
 */
import { randomBytes } from "node:crypto";
import { createLog, systemClock, systemRandom, systemScheduler } from "../../src/base/index.ts";
import { DEFAULT_FAILOVER } from "../../src/database/failover/settings.ts";
import type { PoolSettings } from "../../src/database/index.ts";
import {
  fetchVerifiers,
  openLeaseStore,
  type ReadsSettings,
  RouterWorker,
} from "../../src/database/io/index.ts";
import { createTransport } from "../../src/transport/io/index.ts";

interface Options {
  readonly port: number;
  /** Port of the server on loopback. */
  readonly server: number;
  /** Ports of its replicas; reads go there then. */
  readonly replicas?: readonly number[];
  readonly reads?: Partial<ReadsSettings>;
  readonly pool?: Partial<PoolSettings>;
  /** The superuser's password: users are fetched from the server then. */
  readonly password?: string;
  /** URL of the store with the lease of the server "a"; without it the router follows none. */
  readonly lease?: string;
  readonly transport?: string;
}

const options: Options = JSON.parse(process.argv[2] ?? "{}");
const { port, server, replicas = [], reads, pool = {}, password, lease, transport: wanted } = options;
const transport = createTransport(wanted);
const log = createLog({ level: "warn", clock: systemClock, write: (line) => process.stderr.write(line) });
const servers = [server, ...replicas].map((at, index) => ({
  name: String.fromCharCode(97 + index),
  host: "127.0.0.1",
  port: at,
  role: index === 0 ? ("primary" as const) : ("replica" as const),
  timeline: 0,
  eligible: true,
}));
const worker = new RouterWorker(
  {
    address: { host: "127.0.0.1", port },
    workerId: 0,
    pool,
    authentication: password === undefined ? "trust" : "scram",
    ...(lease === undefined
      ? {}
      : {
          failover: { store: openLeaseStore({ url: lease, cluster: "main", ttlMs: DEFAULT_FAILOVER.ttlMs }) },
        }),
    ...(replicas.length === 0
      ? {}
      : { reads: { monitor: { user: "postgres", database: "postgres" }, ...reads } }),
  },
  { revision: 1, name: "main", term: 1, state: "steady", primary: "a", servers, mode: "async" },
  {
    transport,
    clock: systemClock,
    random: systemRandom,
    scheduler: systemScheduler,
    log,
    randomBytes: (length) => new Uint8Array(randomBytes(length)),
    ...(password === undefined
      ? {}
      : {
          fetchVerifier: fetchVerifiers(() => ({
            host: "127.0.0.1",
            port: server,
            user: "postgres",
            password,
          })),
        }),
  },
);
console.log(`listening on ${worker.start().port} by ${transport.name}`);
process.on("SIGTERM", () => {
  worker.stop();
  process.exit(0);
});
process.on("SIGUSR2", () =>
  console.log(
    JSON.stringify({
      ...worker.counters,
      pools: worker.pools,
      reads: Object.fromEntries(worker.reads?.counts ?? []),
    }),
  ),
);
transport.start();
