/** One gateway worker and nothing else: the process that serves, without the controller that would publish to it. */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { buildSnapshot, formatProblem, parseConfig } from "../../src/config/index.ts";
import { openStore } from "../../src/edge/io/index.ts";
import { columnsFor, openScoreboard } from "../../src/gateway/io/index.ts";
import { launch } from "./process.ts";
import { freePort, until } from "./wait.ts";

/** How long workers may take to serve. */
const START_DEADLINE_MS = 20_000;

const WORKER = join(import.meta.dirname, "../../src/app/gateway-worker.ts");

/** Writes the snapshot of a user's config into the state folder; gives the command line of a worker that serves it. */
export function gatewayWorker(folder: string, config: unknown): string[] {
  return gatewayWorkers(folder, config, 1)[0] ?? [];
}

/** The same for several workers that share the state folder. */
function gatewayWorkers(folder: string, config: unknown, count: number): string[][] {
  const parsed = parseConfig(config, { folder, cores: 1 });
  if (parsed.kind === "problems") throw new Error(parsed.problems.map(formatProblem).join("\n"));
  const built = buildSnapshot({ config: parsed.config, tasks: [], revision: 1 });
  if (built.kind === "refused") throw new Error(built.message);
  for (const name of ["gateway", "logs"]) mkdirSync(join(folder, name), { recursive: true });
  writeFileSync(join(folder, "gateway", "snapshot.json"), JSON.stringify(built.snapshot));
  openScoreboard(join(folder, "gateway", "scoreboard"), columnsFor(count));
  const { listeners, gateway } = built.snapshot;
  if (listeners.some(({ rules }) => rules.some(({ cache }) => cache !== undefined))) {
    openStore({
      path: join(folder, "gateway", "cache"),
      bytes: gateway.cache.memoryBytes,
      workers: columnsFor(count) + 1,
    });
  }
  return Array.from({ length: count }, (_, index) => [
    process.execPath,
    WORKER,
    "--state",
    folder,
    "--index",
    String(index),
  ]);
}

/** What a bench says of a gateway with a cache. */
interface CachedGateway {
  /** Port of the only target. */
  readonly origin: number;
  readonly workers: number;
  readonly memory?: string;
  /** The rule's cache, as a config says it. */
  readonly cache?: object;
}

/** Starts workers behind one port, with one cached rule for everything; resolves to the port when all of them serve. */
export async function startCachedGateway(
  folder: string,
  { origin, workers, memory = "128MiB", cache = {} }: CachedGateway,
): Promise<number> {
  const port = freePort();
  const config = {
    admin: { address: "127.0.0.1:0" },
    gateway: { workers, cache: { memory } },
    listeners: { web: { address: `127.0.0.1:${port}`, rules: [{ forward: "origin", cache }] } },
    targetGroups: { origin: { targets: [{ address: `127.0.0.1:${origin}` }] } },
  };
  const started = gatewayWorkers(folder, config, workers).map((argv, index) =>
    launch({ name: `worker-${index}`, argv, folder }),
  );
  // The kernel spreads connections over the workers that listen: all of them should.
  await until("the workers to serve", START_DEADLINE_MS, () =>
    started.every((worker) => worker.output().includes("serving")),
  );
  return port;
}
