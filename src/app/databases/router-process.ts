/**
 * A router in a process of its own: `router-process.ts FILE`, what to route as in `RouterFile`. Several may listen at one address.
 *
 * Until there is a primary clients are let in, and their statements wait. SIGTERM and SIGINT let transactions end first.
 */
import { randomBytes } from "node:crypto";
import { readFileSync } from "node:fs";
import { createLog, type Log, systemClock, systemRandom, systemScheduler } from "../../base/index.ts";
import { formatAddress } from "../../config/index.ts";
import type { ClusterView } from "../../database/index.ts";
import { fetchVerifiers, type RouterSettings, RouterWorker } from "../../database/io/index.ts";
import { parseConsistency } from "../../sql/index.ts";
import { createTransport } from "../../transport/io/index.ts";
import { readPasswords } from "../cluster-folder.ts";
import { askAgents } from "./agents.ts";
import { observedView } from "./observed-view.ts";
import type { RouterFile } from "./router-service.ts";

/** How often agents are asked who is primary. */
const LOOK_MS = 250;
const FACTS_TIMEOUT_MS = 1_000;

const DRAIN_MS = 10_000;

/** Who may ask for timelines. */
const REPLICATION = "tenfold_replication";

/** Cancel keys have room for so many workers. */
const WORKER_IDS = 512;

process.stderr.on("error", () => {}); // a full disk leaves a gap in the log; it must not end the router
const log = createLog({ clock: systemClock, level: "info", write: (line) => process.stderr.write(line) });

try {
  run(JSON.parse(readFileSync(process.argv[2] ?? "", "utf8")) as RouterFile, log);
} catch (problem) {
  log.error("router-cannot-serve", { error: String(problem) });
  process.exit(1);
}

function run(file: RouterFile, to: Log): void {
  const transport = createTransport(process.env["TENFOLD_TRANSPORT"]);
  let view = firstView(file);
  const worker = new RouterWorker(settingsOf(file), view, {
    transport,
    clock: systemClock,
    random: systemRandom,
    scheduler: systemScheduler,
    log: to,
    randomBytes: (length) => new Uint8Array(randomBytes(length)),
    ...(file.servers.kind === "own" ? { fetchVerifier: verifiersOf(file.servers.folder, () => view) } : {}),
  });
  worker.start();
  transport.start();
  if (file.servers.kind === "own")
    follow(file.servers.folder, (look) => {
      const next = look(view);
      if (next === view) return;
      view = next;
      worker.update(view);
      to.info("router-view", { state: view.state, primary: view.primary ?? null, term: view.term });
    });
  const port = Number(process.env["PORT"] ?? 0);
  if (port > 0) Bun.serve({ hostname: "127.0.0.1", port, fetch: () => Response.json({ state: view.state }) });
  const stop = (): void => void worker.drain(DRAIN_MS).then(() => process.exit(0));
  process.on("SIGTERM", stop);
  process.on("SIGINT", stop);
  to.info("router-serving", { address: formatAddress(file.address) });
}

/** Servers elsewhere are taken at their word; of ours nothing is known yet. */
function firstView({ name, mode, servers }: RouterFile): ClusterView {
  const addresses = servers.kind === "own" ? [] : servers.addresses;
  const known = addresses.map(({ host, port }, index) => ({
    name: index === 0 ? "primary" : `replica${index}`,
    host,
    port,
    role: index === 0 ? ("primary" as const) : ("replica" as const),
    timeline: 0,
    eligible: true,
  }));
  const primary = known[0]?.name;
  return {
    revision: 0,
    name,
    term: 0,
    state: primary === undefined ? "no-primary" : "steady",
    primary,
    servers: known,
    mode,
  };
}

function settingsOf(file: RouterFile): RouterSettings {
  const { address, pool, users, consistency, servers } = file;
  const [user = ""] = Object.keys(users);
  const wanted = parseConsistency(consistency);
  const monitor =
    servers.kind === "own" ? { user: REPLICATION, database: "postgres" } : { user, database: user };
  const passwords = servers.kind === "own" ? readPasswords(servers.folder) : undefined;
  return {
    address,
    workerId: workerId(),
    pool,
    users: {
      ...users,
      ...(passwords === undefined ? {} : { [REPLICATION]: { password: passwords.replication } }),
    },
    ...(wanted === undefined ? {} : { reads: { monitor, consistency: wanted } }),
  };
}

/** "router-main/7" -> 7. */
function workerId(): number {
  const number = Number(process.env["TENFOLD_TASK"]?.split("/")[1] ?? 0);
  return number % WORKER_IDS;
}

function verifiersOf(folder: string, view: () => ClusterView): ReturnType<typeof fetchVerifiers> {
  return fetchVerifiers(() => {
    const { primary, servers } = view();
    const server = servers.find(({ name }) => name === primary);
    if (server === undefined) throw new Error("there is no primary to ask");
    const { host, port } = server;
    return { host, port, user: "postgres", database: "postgres", password: readPasswords(folder).superuser };
  });
}

/** Asks the agents again and again. */
function follow(folder: string, take: (look: (last: ClusterView) => ClusterView) => void): void {
  const again = (): void => {
    systemScheduler.after(LOOK_MS, () => {
      askAgents(folder, FACTS_TIMEOUT_MS)
        .then((asked) =>
          take((last) =>
            observedView(
              last,
              asked.flatMap(({ facts }) => facts ?? []),
            ),
          ),
        )
        .catch((problem: unknown) => log.warn("router-view-unknown", { error: String(problem) }))
        .finally(again);
    });
  };
  again();
}
