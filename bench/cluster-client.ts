/**
 * Our client of a Redis Cluster beside those of ioredis and node-redis: GETs of values of 100 bytes spread over three primaries, 64 at
 * a time from one process. Calls a second, and CPU of the client's process per call.
 *
 *     bin/bun bench/cluster-client.ts [--rounds 5] [--calls 100000]
 *
 * All are asked in turn within a round, and the ratio of a round is what counts: a busy machine is busy for all.
 */
import { createCluster } from "@redis/client";
import { Cluster } from "ioredis";
import { RespCluster } from "../src/resp/io/index.ts";
import { startRedisCluster } from "../src/resp/testing/store-cluster.ts";
import { hasRedis } from "../src/resp/testing/store-servers.ts";
import { options } from "./harness/arguments.ts";
import { ratioOf, showSpread, showTable, spreadOf } from "./harness/figures.ts";
import { conclude } from "./harness/results.ts";

const { rounds, calls } = options({ rounds: 5, calls: 100_000 });

const KEYS = 1000;
const AT_ONCE = 64;

if (!hasRedis) {
  console.log("needs redis-server (Debian: redis-server)");
  process.exit(1);
}
const cluster = await startRedisCluster({ replicas: 0, prefix: ["taskset", "-c", "0"] });
const ports = cluster.nodes.map(({ port }) => port);
const ours = new RespCluster({ url: cluster.url });
const ioredis = new Cluster(ports.map((port) => ({ host: "127.0.0.1", port })));
const nodeRedis = createCluster({ rootNodes: ports.map((port) => ({ url: `redis://127.0.0.1:${port}` })) });
await nodeRedis.connect();

const clients: Readonly<Record<string, (key: string) => Promise<unknown>>> = {
  "tenfold/resp": (key) => ours.call(["GET", key]),
  ioredis: (key) => ioredis.get(key),
  "node-redis": (key) => nodeRedis.get(key),
};

/** What a client gave, a round each. */
interface Measured {
  readonly perSecond: number[];
  readonly cpuUs: number[];
}

const measured = new Map<string, Measured>(
  Object.keys(clients).map((name) => [name, { perSecond: [], cpuUs: [] }]),
);

try {
  for (let key = 0; key < KEYS; key++) await ours.call(["SET", `key:${key}`, "x".repeat(100)]);
  for (const get of Object.values(clients)) await run(get, calls / 10);
  for (let round = 0; round < rounds; round++)
    for (const [name, get] of Object.entries(clients)) {
      const { perSecond, cpuUs } = await run(get, calls);
      measured.get(name)?.perSecond.push(perSecond);
      measured.get(name)?.cpuUs.push(cpuUs);
    }
  report();
} finally {
  ours.close();
  ioredis.disconnect();
  nodeRedis.destroy();
  await cluster.stop();
}

async function run(
  get: (key: string) => Promise<unknown>,
  count: number,
): Promise<{ perSecond: number; cpuUs: number }> {
  const before = process.cpuUsage();
  const startMs = performance.now();
  let next = 0;
  const worker = async (): Promise<void> => {
    while (next < count)
      if ((await get(`key:${next++ % KEYS}`)) === null) throw new Error("a key is missing");
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
  const seconds = (performance.now() - startMs) / 1000;
  const { user, system } = process.cpuUsage(before);
  return { perSecond: count / seconds, cpuUs: (user + system) / count };
}

function report(): void {
  const own = measured.get("tenfold/resp");
  const rows = [...measured].map(([name, { perSecond, cpuUs }]) => [
    name,
    showSpread(spreadOf(perSecond), 0),
    showSpread(spreadOf(cpuUs)),
    name === "tenfold/resp" ? "" : showSpread(ratioOf(own?.cpuUs ?? [], cpuUs)),
  ]);
  console.log(showTable([["client", "calls/s", "CPU us/call", "our CPU / its"], ...rows]));
  const peers = ["ioredis", "node-redis"].map((name) => {
    const ratio = ratioOf(own?.cpuUs ?? [], measured.get(name)?.cpuUs ?? []);
    const claim = `a GET in a cluster takes no more CPU than with ${name}`;
    return { claim, figure: `${showSpread(ratio)} of it`, met: ratio.median <= 1 };
  });
  conclude("cluster-client", peers, Object.fromEntries(measured));
}
