/**
 * Caches under comparison, side by side: all run at once, each pinned to one core and idle but for its turn; wrk and the
 * origin share another. Every round gives each one turn, in rotated order. CPU is what the kernel charged over the turn,
 * divided by the requests that wrk completed.
 */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { type CacheName, type StartedCache, startCache } from "./caches.ts";
import { ratioOf, showSpread, showTable, spreadOf, type Verdict } from "./figures.ts";
import { cpuOf } from "./proc.ts";
import { launchListening } from "./process.ts";
import { freePort, pause } from "./wait.ts";
import { wrk } from "./wrk.ts";

const CACHE_CORE = 0;
const LOAD_CORE = 1;
const SETTLE_MS = 200;
const WARM_UP_SECONDS = 3;
const WARM_UP_CONNECTIONS = 64;

/** Paths that are never twice the same, so that each request is a miss of 1 KiB. */
export const MISS = "/miss";

/** What the kernel and wrk said of one turn. */
export interface Turn {
  readonly cpuUs: number;
  readonly requestsPerSecond: number;
  readonly p99Us: number;
}

/** The turns of each, round by round. */
export type Turns = Map<CacheName, Turn[]>;

/** How a race is run. */
export interface Race {
  readonly path: string;
  readonly connections: number;
  readonly rounds: number;
  readonly seconds: number;
}

/** Starts the origin, then the caches in front of it, each in a folder of its own below `folder`. */
export async function startCaches(folder: string, names: readonly CacheName[]): Promise<StartedCache[]> {
  const origin = await startOrigin(folder);
  const started: StartedCache[] = [];
  for (const name of names) started.push(await startCache(name, folder, origin, CACHE_CORE));
  return started;
}

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

/** Loads each with `path` for a few seconds: what can be stored is, and what can be compiled. */
export async function warmUp(contestants: readonly StartedCache[], path: string): Promise<void> {
  for (const { port } of contestants)
    await wrk(port, WARM_UP_CONNECTIONS, WARM_UP_SECONDS, LOAD_CORE, { path, distinct: path === MISS });
}

/** Runs all rounds. */
export async function race(contestants: readonly StartedCache[], settings: Race): Promise<Turns> {
  const turns: Turns = new Map(contestants.map(({ name }) => [name, []]));
  for (let round = 0; round < settings.rounds; round++) {
    for (let place = 0; place < contestants.length; place++) {
      const contestant = contestants[(round + place) % contestants.length]!;
      turns.get(contestant.name)?.push(await takeTurn(contestant, settings));
    }
  }
  return turns;
}

async function takeTurn(
  { process, port }: StartedCache,
  { path, connections, seconds }: Race,
): Promise<Turn> {
  const before = cpuOf(process.pid);
  const { requests, durationUs, p99Us } = await wrk(port, connections, seconds, LOAD_CORE, {
    path,
    distinct: path === MISS,
  });
  await pause(SETTLE_MS);
  const after = cpuOf(process.pid);
  const cpuMs = after.userMs + after.systemMs - before.userMs - before.systemMs;
  return { cpuUs: (cpuMs * 1000) / requests, requestsPerSecond: (requests / durationUs) * 1e6, p99Us };
}

/** Prints a table of the medians. */
export function showTurns(title: string, turns: Turns, { rounds, seconds }: Race): void {
  console.log(`\n${title}, ${rounds} rounds of ${seconds} s, median of the rounds`);
  const rows = [["cache", "CPU us/req", "req/s", "p99 ms"]];
  for (const [name, of] of turns) {
    const median = (pick: (turn: Turn) => number): number => spreadOf(of.map(pick)).median;
    rows.push([
      name,
      showSpread(spreadOf(cpuUsOf(turns, name)), 1),
      median((turn) => turn.requestsPerSecond).toFixed(0),
      (median((turn) => turn.p99Us) / 1000).toFixed(2),
    ]);
  }
  console.log(showTable(rows));
}

/** CPU of each turn. */
export function cpuUsOf(turns: Turns, name: CacheName): number[] {
  return (turns.get(name) ?? []).map(({ cpuUs }) => cpuUs);
}

/** Our CPU over that of `peer`, round by round, against the most that it may be. */
export function cpuVerdict(claim: string, turns: Turns, peer: CacheName, most: number): Verdict {
  const spread = ratioOf(cpuUsOf(turns, "tenfold"), cpuUsOf(turns, peer));
  return { claim, figure: `${showSpread(spread)}x ${peer}`, met: spread.median <= most };
}
