/**
 * The bus that tells other processes' memories of invalidations is delayed, doubles or loses its messages, or is cut again and again:
 * how old is the oldest value that a read gets after an invalidation was acknowledged?
 *
 *     bin/bun bench/cache-bus-faults.ts [--seconds 4] [--max-age 1000] [--keys 50]
 *
 * One cache changes and invalidates, another one, whose bus goes through the harmful proxy, reads everything all the time. The bound is
 * `l1MaxAge`, one second here. That messages are lost without a trace is the worst: nothing but the bound helps.
 */
import { createCache } from "../src/cache/io/index.ts";
import { startEmbedded } from "../src/resp/testing/store-servers.ts";
import { options } from "./harness/arguments.ts";
import { showTable } from "./harness/figures.ts";
import { type BusHarm, DELAY_MS, startBusProxy } from "./harness/races/bus-proxy.ts";
import { conclude } from "./harness/results.ts";
import { pause } from "./harness/wait.ts";

const { seconds, "max-age": maxAgeMs, keys } = options({ seconds: 4, "max-age": 1000, keys: 50 });

/** Time between two changes, ms. */
const CHANGE_EVERY_MS = 20;
/** What a busy machine adds. */
const SLACK_MS = 100;

const HARMS: readonly BusHarm[] = ["none", "doubled", "cut", "delayed", "lost"];

/** What was read under one kind of harm. */
interface Seen {
  reads: number;
  old: number;
  oldestMs: number;
}

const server = await startEmbedded();
const proxy = await startBusProxy(server.port);
const terms = { name: "bus", ttl: "1h", beta: 0, jitter: 0, l1MaxAge: maxAgeMs, deadline: "2s" };
const writer = createCache({ ...terms, store: server.url });
const reader = createCache({ ...terms, store: `redis://127.0.0.1:${proxy.port}` });

const truth = Array.from({ length: keys }, () => 0);
/** For each key the changes that were acknowledged, and when. */
const acknowledged = Array.from({ length: keys }, (): { version: number; atMs: number }[] => []);

const results: Record<string, Seen> = {};
for (const harm of HARMS) {
  proxy.harm = harm;
  const seen: Seen = { reads: 0, old: 0, oldestMs: 0 };
  const endMs = performance.now() + seconds * 1000;
  await Promise.all([change(endMs), read(endMs, seen)]);
  results[harm] = seen;
  proxy.harm = "none";
  await pause(maxAgeMs + DELAY_MS);
}
const { heard, interruptions } = reader.stats().invalidations;
await Promise.all([writer.close(), reader.close()]);
proxy.close();
await server.stop();

async function change(endMs: number): Promise<void> {
  for (let turn = 0; performance.now() < endMs; turn++) {
    const key = (turn * 7) % keys;
    const version = (truth[key] ?? 0) + 1;
    truth[key] = version;
    if ((await writer.delete(`k${key}`)) === "everywhere")
      acknowledged[key]?.push({ version, atMs: performance.now() });
    await pause(CHANGE_EVERY_MS);
  }
}

async function read(endMs: number, seen: Seen): Promise<void> {
  while (performance.now() < endMs) {
    for (let key = 0; key < keys; key++) {
      const beganMs = performance.now();
      const value = await reader.getOrSet(`k${key}`, () => truth[key] ?? 0);
      seen.reads++;
      // The first change that the value does not have, if it was acknowledged before the read began.
      const missed = acknowledged[key]?.find(({ version }) => version > value);
      if (missed === undefined || missed.atMs >= beganMs) continue;
      seen.old++;
      seen.oldestMs = Math.max(seen.oldestMs, beganMs - missed.atMs);
    }
    await pause(2);
  }
}

console.log(
  showTable([
    ["the bus", "reads", "older than an acknowledged invalidation", "oldest"],
    ...Object.entries(results).map(([harm, { reads, old, oldestMs }]) => [
      harm,
      ...[reads, old].map(String),
      `${oldestMs.toFixed(0)} ms`,
    ]),
  ]),
);
const oldest = Math.max(...Object.values(results).map(({ oldestMs }) => oldestMs));
conclude(
  "cache-bus-faults",
  [
    {
      claim: `a bus that is cut, delays, doubles or loses messages: no read is older than an acknowledged invalidation by more than l1MaxAge (${maxAgeMs} ms)`,
      figure: `${oldest.toFixed(0)} ms at most`,
      met: oldest <= maxAgeMs + SLACK_MS && Object.values(results).every(({ reads }) => reads > 1000),
    },
    {
      claim: "the experiment can fail: lost and delayed messages do make reads older",
      figure: `lost ${results["lost"]?.oldestMs.toFixed(0)} ms, delayed ${results["delayed"]?.oldestMs.toFixed(0)} ms`,
      met: (results["lost"]?.oldestMs ?? 0) > DELAY_MS && (results["delayed"]?.oldestMs ?? 0) > DELAY_MS / 2,
    },
    {
      claim: "a connection that is cut is noticed, and memory emptied",
      figure: `${interruptions} interruptions, ${heard} messages heard; oldest read ${results["cut"]?.oldestMs.toFixed(0)} ms`,
      met: interruptions > 0 && (results["cut"]?.oldestMs ?? Number.NaN) < maxAgeMs / 2,
    },
  ],
  { results, heard, interruptions },
);
process.exit();
