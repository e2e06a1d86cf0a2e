/**
 * The app cache's L1 beside lru-cache, which most of Node's caches have inside: nanoseconds per `get` that finds
 * something and per `set`, each as a ratio within one run.
 *
 *     bin/bun bench/cache-l1.ts [--rounds 7] [--entries 100000]
 *
 * Three cases: a get that hits, without and with expiry; a set of a key that is there; a set of a new key into a full
 * cache, which evicts. The two take turns, each in a process of its own per case, so that neither warms the other's code; the
 * median of the rounds counts.
 */
import { spawnSync } from "node:child_process";
import { LRUCache } from "lru-cache";
import { seededRandom, systemClock, systemRandom, systemScheduler } from "../src/base/index.ts";
import { type EvictionName, L1 } from "../src/cache/index.ts";
import { options } from "./harness/arguments.ts";
import { showTable, spreadOf } from "./harness/figures.ts";
import { conclude } from "./harness/results.ts";

const { rounds, entries, child, which } = options({ rounds: 7, entries: 100_000, child: "", which: "" });

const OPERATIONS = 1_000_000;
const TTL_MS = 60_000;

interface Subject {
  readonly get: (key: string) => unknown;
  readonly set: (key: string, value: unknown) => void;
}

type Case = "get" | "get-ttl" | "set" | "set-evict";
const CASES: readonly Case[] = ["get", "get-ttl", "set", "set-evict"];

function lru(hasTtl: boolean): Subject {
  const cache = new LRUCache<string, object>({ max: entries, ...(hasTtl ? { ttl: TTL_MS } : {}) });
  return {
    get: (key) => cache.get(key),
    set: (key, value) => {
      if (typeof value === "object" && value !== null) cache.set(key, value);
    },
  };
}

function tenfold(hasTtl: boolean, eviction: EvictionName): Subject {
  const l1 = new L1({
    capacity: entries,
    eviction,
    clock: systemClock,
    scheduler: systemScheduler,
    random: systemRandom,
  });
  const terms = { ttlMs: TTL_MS, graceMs: 0, tags: [], since: 0, loadMs: 0 };
  return {
    get: (key) => l1.get(key),
    set: hasTtl ? (key, value) => l1.set(key, value, terms) : (key, value) => l1.set(key, value),
  };
}

/** Nanoseconds per operation, of the second of two runs. */
function time(name: Case, subject: Subject): number {
  const random = seededRandom(1);
  const keys = Array.from({ length: entries * 4 }, (_, index) => `user:${index}:profile`);
  const value = { name: "somebody" };
  for (let index = 0; index < entries; index++) subject.set(keys[index] ?? "", value);
  const asked = Uint32Array.from({ length: OPERATIONS }, () => Math.floor(random() * random() * entries));
  let found = 0;
  let next = entries;
  const run = (): void => {
    for (let index = 0; index < OPERATIONS; index++) {
      if (name === "set-evict") subject.set(keys[next++ % keys.length] ?? "", value);
      else if (name === "set") subject.set(keys[asked[index] ?? 0] ?? "", value);
      else if (subject.get(keys[asked[index] ?? 0] ?? "") !== undefined) found++;
    }
  };
  run();
  const start = performance.now();
  run();
  const elapsedMs = performance.now() - start;
  if (name.startsWith("get") && found !== OPERATIONS * 2)
    throw new Error(`${found} of all gets found something`);
  return (elapsedMs * 1e6) / OPERATIONS;
}

if (child !== "") {
  const name = CASES.find((each) => each === child) ?? "get";
  const hasTtl = name === "get-ttl";
  const subject =
    which === "lru-cache" ? lru(hasTtl) : tenfold(hasTtl, which === "tenfold lru" ? "lru" : "s3-fifo");
  console.log(time(name, subject));
  process.exit();
}

function inChild(name: Case, subject: string): number {
  const args = [import.meta.path, "--child", name, "--which", subject, "--entries", String(entries)];
  return Number(spawnSync(process.execPath, args, { encoding: "utf8" }).stdout);
}

const SUBJECTS = ["tenfold", "tenfold lru", "lru-cache"];
const figures = CASES.map((name) => {
  const times = SUBJECTS.map((): number[] => []);
  for (let round = 0; round < rounds; round++) {
    SUBJECTS.forEach((subject, index) => times[index]?.push(inChild(name, subject)));
  }
  const medians = times.map((each) => spreadOf(each).median);
  const [ours = Number.NaN, , peer = Number.NaN] = medians;
  return { name, medians, ratio: peer / ours };
});
console.log(
  showTable([
    ["ns per operation", ...SUBJECTS, "times as fast as lru-cache"],
    ...figures.map(({ name, medians, ratio }) => [
      name,
      ...medians.map((ns) => ns.toFixed(1)),
      ratio.toFixed(2),
    ]),
  ]),
);
const least = (prefix: string): number =>
  Math.min(...figures.filter(({ name }) => name.startsWith(prefix)).map(({ ratio }) => ratio));
conclude(
  "cache-l1",
  [
    {
      claim: "app cache: a get that hits L1 is at least as fast as lru-cache 11",
      figure: `${least("get").toFixed(2)} times as fast`,
      met: least("get") >= 1,
    },
    {
      claim: "app cache: a set in L1 is at least 0.7 times as fast as lru-cache 11",
      figure: `${least("set").toFixed(2)} times as fast`,
      met: least("set") >= 0.7,
    },
  ],
  figures,
);
