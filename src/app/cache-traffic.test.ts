import { expect, test } from "bun:test";
import { type Counter, formatStore, Store, sizesFor } from "../edge/index.ts";
import { CacheTraffic } from "./cache-traffic.ts";

const BYTES = 1 << 20;

/** A store of one worker, what is read of it, and a switch for the rules that have a cache. */
function scene() {
  const block = new Uint8Array(BYTES);
  formatStore(block, sizesFor({ bytes: BYTES, workers: 1 }), 7);
  const store = new Store(block, { worker: 0, pid: process.pid, isAlive: () => true });
  const uses = { cache: true };
  const traffic = new CacheTraffic(() => (uses.cache ? store.stats() : undefined));
  const count = (counter: Counter, by: number): void => store.count(counter, by);
  return { traffic, uses, count };
}

test("the ratio of late is of the last minute, the other of all; what went around the cache counts in neither", () => {
  const { traffic, count } = scene();
  count("miss absent", 100);
  traffic.begin(0);
  count("hit fresh", 80);
  count("stale grace", 10);
  count("collapsed absent", 10);
  count("bypass method", 500);
  expect(traffic.status(1000)).toMatchObject({ hitRatio: 0.9, hitRatioInAll: 0.45 });
  for (let second = 1; second <= 60; second++) traffic.read(second * 1000);
  expect(traffic.status(60_500)).toMatchObject({ hitRatio: null, hitRatioInAll: 0.45 });
});

test("rates are of the last few seconds, by result and reason", () => {
  const { traffic, count } = scene();
  for (let second = 0; second <= 10; second++) {
    traffic.read(second * 1000);
    count("hit fresh", 20);
  }
  expect(traffic.status(11_000)?.requests).toEqual([{ result: "hit", reason: "fresh", count: 220, rps: 20 }]);
});

test("without a rule that has a cache there is no status, and what was read is forgotten", () => {
  const { traffic, uses, count } = scene();
  traffic.read(0);
  uses.cache = false;
  traffic.read(1000);
  expect(traffic.status(1500)).toBeNull();
  count("hit fresh", 5);
  uses.cache = true;
  expect(traffic.status(2000)).toMatchObject({ hitRatio: null, hitRatioInAll: 1 });
});
