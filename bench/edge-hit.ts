/**
 * What a hit costs: CPU of our cache beside nginx's proxy_cache and Varnish, at 1 KiB and 100 KiB; and what a miss costs
 * beside the same gateway without a cache.
 *
 * All run at once, each pinned to core 0 and idle but for its turn; wrk and the origin share core 1. Every round gives
 * each one turn, in rotated order. CPU is what the kernel charged over the turn, divided by the requests that wrk
 * completed.
 *
 *     bin/bun bench/edge-hit.ts [--rounds 8] [--seconds 1] [--connections 64,256] [--caches nginx,varnish,tenfold]
 */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { options } from "./harness/arguments.ts";
import { type CacheName, type StartedCache, startCache } from "./harness/caches.ts";
import { ratioOf, showSpread, showTable, spreadOf, type Verdict } from "./harness/figures.ts";
import { cpuOf } from "./harness/proc.ts";
import { launchListening, withFolder } from "./harness/process.ts";
import { conclude } from "./harness/results.ts";
import { freePort, pause } from "./harness/wait.ts";
import { wrk } from "./harness/wrk.ts";

const CACHE_CORE = 0;
const LOAD_CORE = 1;
const SETTLE_MS = 200;
const WARM_UP_SECONDS = 3;

/** Path of the origin -> what it stands for. */
const OBJECTS = { "/1k": "1 KiB", "/100k": "100 KiB" } as const;

/** Paths that are never twice the same, so that each request is a miss. */
const MISS = "/miss";

interface Turn {
  readonly cpuUs: number;
  readonly requestsPerSecond: number;
  readonly p99Us: number;
}

type Turns = Map<CacheName, Turn[]>;

const { rounds, seconds, connections, caches } = options({
  rounds: 8,
  seconds: 1,
  connections: "64,256",
  caches: "nginx,varnish,tenfold",
});

await withFolder(async (folder) => {
  const origin = await startOrigin(folder);
  const names = caches.split(",") as CacheName[];
  const started: StartedCache[] = [];
  for (const name of [...names, "uncached" as const])
    started.push(await startCache(name, folder, origin, CACHE_CORE));
  const verdicts: Verdict[] = [];
  const figures: Record<string, unknown> = {};
  for (const [path, size] of Object.entries(OBJECTS)) {
    const hitters = started.filter(({ name }) => name !== "uncached");
    for (const { port } of hitters)
      await wrk(port, 64, WARM_UP_SECONDS, LOAD_CORE, { path, distinct: path === MISS });
    for (const count of connections.split(",").map(Number)) {
      const turns = await race(hitters, count, path);
      show(`hits of ${size}, ${count} connections`, turns);
      verdicts.push(...hitVerdicts(turns, `${size}, ${count} connections`));
      figures[`${size} ${count}`] = Object.fromEntries(turns);
    }
  }
  for (const { port } of started)
    await wrk(port, 64, WARM_UP_SECONDS, LOAD_CORE, { path: MISS, distinct: true });
  const misses = await race(started, 64, MISS);
  show("misses of 1 KiB, 64 connections", misses);
  figures["misses"] = Object.fromEntries(misses);
  verdicts.push(verdict("a miss costs at most 1.1x the gateway without a cache", misses, "uncached", 1.1));
  console.log("");
  conclude("edge-hit", verdicts, figures);
});

/** nginx answering from memory; what is asked for under /miss is fresh, but no two requests ask for the same. */
async function startOrigin(folder: string): Promise<number> {
  const port = freePort();
  for (const [name, bytes] of [
    ["1k", 1024],
    ["100k", 102_400],
  ] as const)
    writeFileSync(join(folder, name), "x".repeat(bytes));
  const path = join(folder, "origin.conf");
  writeFileSync(
    path,
    `
user root; worker_processes 1; daemon off; pid ${folder}/origin.pid; worker_rlimit_nofile 16384;
events { worker_connections 16384; }
http {
  access_log off; keepalive_requests 100000000; keepalive_timeout 300s; default_type text/plain; open_file_cache max=100;
  server {
    listen 127.0.0.1:${port} reuseport backlog=4096; root ${folder}; add_header Cache-Control "max-age=3600";
    location ${MISS} { add_header Cache-Control "max-age=3600"; rewrite ^ /1k break; }
  }
}
`,
  );
  const argv = ["nginx", "-p", folder, "-c", path, "-e", join(folder, "origin-error.log")];
  await launchListening({ name: "origin", argv, folder, core: LOAD_CORE }, port);
  return port;
}

async function race(contestants: readonly StartedCache[], count: number, path: string): Promise<Turns> {
  const turns: Turns = new Map(contestants.map(({ name }) => [name, []]));
  for (let round = 0; round < rounds; round++) {
    for (let place = 0; place < contestants.length; place++) {
      const contestant = contestants[(round + place) % contestants.length]!;
      turns.get(contestant.name)?.push(await takeTurn(contestant, count, path));
    }
  }
  return turns;
}

async function takeTurn({ process, port }: StartedCache, count: number, path: string): Promise<Turn> {
  const before = cpuOf(process.pid);
  const { requests, durationUs, p99Us } = await wrk(port, count, seconds, LOAD_CORE, {
    path,
    distinct: path === MISS,
  });
  await pause(SETTLE_MS);
  const after = cpuOf(process.pid);
  const cpuMs = after.userMs + after.systemMs - before.userMs - before.systemMs;
  return { cpuUs: (cpuMs * 1000) / requests, requestsPerSecond: (requests / durationUs) * 1e6, p99Us };
}

function show(title: string, turns: Turns): void {
  console.log(`\n${title}, ${rounds} rounds of ${seconds} s, median of the rounds`);
  const rows = [["cache", "CPU us/req", "req/s", "p99 ms"]];
  for (const [name, of] of turns) {
    const median = (pick: (turn: Turn) => number): number => spreadOf(of.map(pick)).median;
    rows.push([
      name,
      showSpread(spreadOf(of.map((turn) => turn.cpuUs)), 1),
      median((turn) => turn.requestsPerSecond).toFixed(0),
      (median((turn) => turn.p99Us) / 1000).toFixed(2),
    ]);
  }
  console.log(showTable(rows));
}

function hitVerdicts(turns: Turns, where: string): Verdict[] {
  return [...turns.keys()]
    .filter((name) => name !== "tenfold")
    .map((peer) => verdict(`a hit, ${where}: CPU at most 1.0x`, turns, peer, 1));
}

function verdict(claim: string, turns: Turns, peer: CacheName, most: number): Verdict {
  const cpu = (name: CacheName): number[] => (turns.get(name) ?? []).map(({ cpuUs }) => cpuUs);
  const spread = ratioOf(cpu("tenfold"), cpu(peer));
  return { claim, figure: `${showSpread(spread)}x ${peer}`, met: spread.median <= most };
}
