/**
 * The router of a database in the config: `router-process.ts FILE`, what to route as in `RouterFile`. It may take the place of another one
 * at the same address, which ends when this one serves.
 *
 * Until there is a primary clients are let in, and their statements wait. SIGTERM and SIGINT let transactions end first.
 */
import { readFileSync } from "node:fs";
import { createLog, systemClock } from "../../base/index.ts";
import { formatAddress } from "../../config/index.ts";
import { type ClusterView, REPLICATION_ROLE } from "../../database/index.ts";
import { parseConsistency } from "../../sql/index.ts";
import { readPasswords } from "../cluster-folder.ts";
import { failoverSettings } from "../database-failover.ts";
import { type RouterOptions, type RouterSetup, runRouter } from "../run-router.ts";
import { followAgents, unknownView } from "./follow-agents.ts";
import { ROUTER_DRAIN_MS, type RouterFile } from "./router-service.ts";

process.stderr.on("error", () => {}); // a full disk leaves a gap in the log; it must not end the router
const log = createLog({ clock: systemClock, level: "info", write: (line) => process.stderr.write(line) });

try {
  await run(JSON.parse(readFileSync(process.argv[2] ?? "", "utf8")) as RouterFile);
} catch (problem) {
  log.error("router-cannot-serve", { error: String(problem) });
  process.exit(1);
}

async function run(file: RouterFile): Promise<void> {
  let view = firstView(file);
  const { address, workers, servers } = file;
  const port = Number(process.env["PORT"] ?? 0);
  const running = await runRouter({
    ...setupOf(file, view),
    ...readsOf(file),
    ...leaseOf(file),
    address,
    workers,
    takesOver: true,
    drainMs: ROUTER_DRAIN_MS,
    // The port that the controller looks at.
    ...(port > 0 ? { metrics: { host: "127.0.0.1", port } } : {}),
    log,
  });
  const stop = (): void => void running.stop().then(() => process.exit(0));
  process.on("SIGTERM", stop);
  process.on("SIGINT", stop);
  if (servers.kind === "own")
    followAgents(servers.folder, view, log, (next) => {
      view = next;
      running.configure(setupOf(file, view));
    });
  log.info("router-serving", { address: formatAddress(address) });
}

/** Servers elsewhere are taken at their word; of ours nothing is known yet. */
function firstView({ name, mode, servers }: RouterFile): ClusterView {
  const unknown = unknownView(name, mode);
  if (servers.kind === "own") return unknown;
  const known = servers.addresses.map(({ host, port }, index) => ({
    name: index === 0 ? "primary" : `replica${index}`,
    host,
    port,
    role: index === 0 ? ("primary" as const) : ("replica" as const),
    timeline: 0,
    eligible: true,
  }));
  return { ...unknown, state: "steady", primary: "primary", servers: known };
}

/** In a cluster of ours all its users may log in, and the role of replicas tells timelines. */
function setupOf({ pool, users, servers, adminUsers }: RouterFile, cluster: ClusterView): RouterSetup {
  if (servers.kind === "elsewhere") return { cluster, pool, users, adminUsers, serverTls: servers.tls };
  const { superuser, replication } = readPasswords(servers.folder);
  return {
    cluster,
    pool,
    adminUsers,
    users: { ...users, [REPLICATION_ROLE]: { password: replication } },
    authUser: { user: "postgres", database: "postgres", password: superuser },
  };
}

/** Clients wait for a primary as long as they would for a connection. */
function leaseOf({ servers, pool }: RouterFile): Pick<RouterOptions, "lease"> {
  if (servers.kind === "elsewhere" || servers.failover === undefined) return {};
  const { store, cluster } = servers.failover;
  const hold = { ms: pool.queueTimeoutMs, max: pool.queueMax };
  return { lease: { store, cluster, times: failoverSettings(servers.failover), hold } };
}

function readsOf({ consistency, servers, users, database }: RouterFile): Pick<RouterOptions, "reads"> {
  const wanted = parseConsistency(consistency);
  if (wanted === undefined) return {};
  const [user = ""] = Object.keys(users);
  const monitor =
    servers.kind === "own" ? { user: REPLICATION_ROLE, database: "postgres" } : { user, database };
  return { reads: { monitor, consistency: wanted } };
}
