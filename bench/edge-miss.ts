/**
 * What a miss costs beside the same proxy without a cache: ours, nginx's proxy_cache beside its proxy_pass, and Varnish's
 * miss beside its pass. Every request is for a path of its own, 1 KiB is fetched and stored, and after the warm-up our
 * store is full, so that each one stored pushes another one out. How it is measured: harness/cache-race.ts.
 *
 *     bin/bun bench/edge-miss.ts [--rounds 8] [--seconds 1] [--caches nginx,varnish,tenfold]
 */
import { options } from "./harness/arguments.ts";
import {
  cpuUsOf,
  cpuVerdict,
  MISS,
  race,
  showTurns,
  startCaches,
  type Turns,
  warmUp,
} from "./harness/cache-race.ts";
import type { CacheName } from "./harness/caches.ts";
import { ratioOf, showSpread, type Verdict } from "./harness/figures.ts";
import { withFolder } from "./harness/process.ts";
import { conclude } from "./harness/results.ts";

/** A cache -> the same program as a proxy alone. */
const UNCACHED = {
  nginx: "nginx-pass",
  varnish: "varnish-pass",
  tenfold: "tenfold-pass",
} as const satisfies Partial<Record<CacheName, CacheName>>;

/** Seconds of misses in which 256 MiB fill with objects of 1 KiB, and more. */
const FILL_ROUNDS = 3;

const { rounds, seconds, caches } = options({ rounds: 8, seconds: 1, caches: "nginx,varnish,tenfold" });

await withFolder(async (folder) => {
  const pairs = caches.split(",").map((name) => [name, UNCACHED[name as keyof typeof UNCACHED]] as const);
  const started = await startCaches(folder, pairs.flat() as CacheName[]);
  for (let round = 0; round < FILL_ROUNDS; round++) await warmUp(started, MISS);
  const settings = { path: MISS, connections: 64, rounds, seconds };
  const turns = await race(started, settings);
  showTurns("misses of 1 KiB, 64 connections", turns, settings);
  console.log("");
  for (const [name, proxy] of pairs)
    console.log(`a miss of ${name}: ${missCost(turns, name as CacheName, proxy)}`);
  conclude("edge-miss", verdictsOf(turns), Object.fromEntries(turns));
});

function missCost(turns: Turns, cache: CacheName, proxy: CacheName): string {
  return `${showSpread(ratioOf(cpuUsOf(turns, cache), cpuUsOf(turns, proxy)))}x the CPU of ${proxy}`;
}

function verdictsOf(turns: Turns): Verdict[] {
  const claim = "a miss costs at most 1.1x the gateway without a cache";
  return turns.has("tenfold") ? [cpuVerdict(claim, turns, "tenfold-pass", 1.1)] : [];
}
