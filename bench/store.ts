/**
 * The store beside Debian's redis-server, each on core 0, redis-benchmark on core 1: requests a second and CPU per request,
 * without pipelining (50 clients) and with 16 requests at once. Then the memory of a million small keys.
 *
 *     bin/bun bench/store.ts [--rounds 3] [--requests 100000] [--keys 1000000] [--fsync off|everysec|always]
 *
 * Both are asked in turn within a round, and the ratio of a round is what counts: a busy machine is busy for both.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { startStore } from "../conformance/store/store-process.ts";
import { freePort } from "../src/base/testing.ts";
import { RespClient } from "../src/resp/io/index.ts";
import { startRedis } from "../src/resp/testing/store-servers.ts";
import { options } from "./harness/arguments.ts";
import { ratioOf, showSpread, showTable, type Verdict } from "./harness/figures.ts";
import { cpuOf, residentBytesOf } from "./harness/proc.ts";
import { conclude } from "./harness/results.ts";

const SERVER_CORE = ["taskset", "-c", "0"];
const LOAD_CORE = ["taskset", "-c", "1"];

/** Tests of redis-benchmark. */
const TESTS = ["get", "set", "incr", "lpush", "rpop", "sadd", "hset", "zadd", "mset", "lrange_100"];

/** Clients of redis-benchmark. */
const CLIENTS = 50;

const { rounds, requests, keys, fsync } = options({
  rounds: 3,
  requests: 100_000,
  keys: 1_000_000,
  fsync: "off",
});

interface Server {
  readonly name: "store" | "redis";
  readonly port: number;
  readonly pid: number;
  readonly url: string;
}

/** What one run of one test gave. */
interface Measured {
  readonly perSecond: number;
  readonly cpuUs: number;
}

const folder = mkdtempSync(join(tmpdir(), "tenfold-bench-store-"));
const isLogged = fsync !== "off";
const redisLog = isLogged ? ["--appendonly", "yes", "--appendfsync", fsync, "--dir", folder] : [];
const ours = await startStore({
  prefix: SERVER_CORE,
  port: freePort(),
  ...(isLogged ? { data: join(folder, "store"), settings: { fsync } } : {}),
});
const theirs = await startRedis(redisLog, SERVER_CORE);
const servers: readonly Server[] = [
  { name: "store", port: ours.port, pid: ours.pid, url: ours.url },
  { name: "redis", port: theirs.port, pid: theirs.pid, url: theirs.url },
];

try {
  const results = new Map<string, Record<Server["name"], Measured[]>>();
  for (const pipeline of [1, 16]) await measure(pipeline, results);
  const memory = await memoryOfKeys();
  report(results, memory);
} finally {
  await ours.stop();
  await theirs.stop();
  rmSync(folder, { recursive: true, force: true });
}

async function measure(
  pipeline: number,
  results: Map<string, Record<Server["name"], Measured[]>>,
): Promise<void> {
  for (const test of TESTS) {
    const name = `${test} x${pipeline}`;
    const runs: Record<Server["name"], Measured[]> = { store: [], redis: [] };
    for (let round = 0; round < rounds; round++)
      for (const server of servers) runs[server.name].push(await run(server, test, pipeline));
    results.set(name, runs);
  }
}

async function run({ port, pid }: Server, test: string, pipeline: number): Promise<Measured> {
  const count = requests * (pipeline > 1 ? 4 : 1);
  const before = cpuOf(pid);
  const command = `-p ${port} -t ${test} -n ${count} -c ${CLIENTS} -P ${pipeline} --csv`.split(" ");
  const child = Bun.spawn([...LOAD_CORE, "redis-benchmark", ...command], {
    stdout: "pipe",
    stderr: "ignore",
  });
  const lines = (await new Response(child.stdout).text()).trim().split("\n");
  const after = cpuOf(pid);
  // LRANGE first fills its list: the last line is the test itself.
  const perSecond = Number(lines.at(-1)?.split('","')[1]);
  const cpuMs = after.userMs + after.systemMs - before.userMs - before.systemMs;
  return { perSecond, cpuUs: (cpuMs * 1000) / count };
}

/** Resident bytes that a million keys of 16 bytes with values of 3 add. */
async function memoryOfKeys(): Promise<Record<Server["name"], number>> {
  const grown = { store: 0, redis: 0 };
  for (const { name, url, pid } of servers) {
    const client = new RespClient({ url, deadlineMs: 60_000, pendingMax: 100_000 });
    await client.call(["FLUSHALL"]);
    for (let at = 0; at < keys; at += 10_000)
      await client.pipeline(
        Array.from({ length: 10_000 }, (_, i) => ["SET", `key:${String(at + i).padStart(12, "0")}`, "xyz"]),
      );
    grown[name] = residentBytesOf(pid);
    client.close();
  }
  return grown;
}

function report(
  results: ReadonlyMap<string, Record<Server["name"], readonly Measured[]>>,
  memory: Record<Server["name"], number>,
): void {
  const rows: string[][] = [];
  const verdicts: Verdict[] = [];
  for (const [name, { store, redis }] of results) {
    const speed = ratioOf(speeds(store), speeds(redis));
    const cpu = ratioOf(cpus(store), cpus(redis));
    const perSecond = (runs: readonly Measured[]): string => (Math.max(...speeds(runs)) / 1000).toFixed(0);
    rows.push([name, `${perSecond(store)}k`, `${perSecond(redis)}k`, showSpread(speed), showSpread(cpu)]);
    const bar = name.endsWith("x1") ? 0.7 : 0.5;
    verdicts.push({
      claim: `the store answers ${name} at least ${bar}x as fast as redis-server`,
      figure: showSpread(speed),
      met: speed.median >= bar,
    });
  }
  console.log(showTable([["test", "store/s", "redis/s", "speed", "CPU per request"], ...rows]));
  const ratio = memory.store / memory.redis;
  verdicts.push({
    claim: `${keys} small keys take at most twice the memory of redis-server`,
    figure: `${ratio.toFixed(2)}x (${(memory.store / 2 ** 20).toFixed(0)} MiB)`,
    met: ratio <= 2,
  });
  conclude("store", verdicts, { fsync, memory, results: Object.fromEntries(results) });
}

function speeds(runs: readonly Measured[]): number[] {
  return runs.map(({ perSecond }) => perSecond);
}
function cpus(runs: readonly Measured[]): number[] {
  return runs.map(({ cpuUs }) => cpuUs);
}
