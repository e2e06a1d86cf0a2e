import { describe, expect, test } from "bun:test";
import { seededRandom } from "../../base/index.ts";
import { below } from "../../base/testing.ts";
import { type EvictionName, POLICIES } from "./policies.ts";
import { Sketch } from "./sketch.ts";
import { evictionSuite, type Harness, harness } from "./suite.ts";

for (const name of Object.keys(POLICIES) as EvictionName[]) evictionSuite(name);

/** Popular keys, asked for often enough that every policy knows them. */
function warm({ use }: Harness, keys: readonly string[], rounds: number): void {
  for (let round = 0; round < rounds; round++) for (const key of keys) use(key);
}

const POPULAR = Array.from({ length: 10 }, (_, index) => `popular${index}`);
const kept = ({ live }: Harness): number => POPULAR.filter((key) => live.has(key)).length;

function scan({ use }: Harness, length: number): void {
  for (let at = 0; at < length; at++) use(`scan${at}`);
}

describe("what tells the policies apart", () => {
  test("lru drops what was not used for longest, fifo what came first", () => {
    const order = (name: EvictionName): string[] => {
      const tried = harness(name, 3);
      for (const key of ["a", "b", "c", "a", "d"]) tried.use(key);
      return [...tried.live.keys()].toSorted();
    };
    expect(order("lru")).toEqual(["a", "c", "d"]);
    expect(order("fifo")).toEqual(["b", "c", "d"]);
  });

  test.each(["s3-fifo", "w-tinylfu", "lfu"] as const)(
    "%s keeps what is popular through a long scan",
    (name) => {
      const tried = harness(name, 100);
      warm(tried, POPULAR, 50);
      scan(tried, 1000);
      expect(kept(tried)).toBeGreaterThanOrEqual(9);
    },
  );

  test.each(["lru", "fifo"] as const)("%s does not", (name) => {
    const tried = harness(name, 100);
    warm(tried, POPULAR, 50);
    scan(tried, 1000);
    expect(kept(tried)).toBe(0);
  });

  test("s3-fifo: a ghost that comes back enters the main queue and stays through a scan", () => {
    const tried = harness("s3-fifo", 100);
    scan(tried, 200); // fills the main queue
    tried.use("returning");
    for (let at = 0; at < 40; at++) tried.use(`other${at}`);
    expect(tried.live.has("returning")).toBe(false);
    tried.use("returning");
    for (let at = 0; at < 60; at++) tried.use(`more${at}`);
    expect(tried.live.has("returning")).toBe(true);
  });

  test("s3-fifo keeps a part of a loop longer than the cache, lru nothing", () => {
    const hits = (name: EvictionName): number => {
      const tried = harness(name, 100);
      let found = 0;
      for (let at = 0; at < 5000; at++) if (tried.use(`k${at % 200}`)) found++;
      return found;
    };
    expect(hits("s3-fifo")).toBeGreaterThan(1500);
    expect(hits("lru")).toBe(0);
  });

  test("lfu forgets what was popular an hour ago: minus one for every idle minute", () => {
    const tried = harness("lfu", 100);
    warm(tried, POPULAR, 1000);
    tried.advance(60 * 60_000);
    for (let round = 0; round < 5; round++) for (let at = 0; at < 90; at++) tried.use(`new${at}`);
    scan(tried, 300);
    expect(kept(tried)).toBe(0);
  });

  test("w-tinylfu finds the window that traffic of ever new keys needs", () => {
    const tried = harness("w-tinylfu", 200);
    const random = seededRandom(3);
    let hits = 0;
    for (let at = 0; at < 60_000; at++) {
      const isHit = tried.use(`k${Math.floor(at / 4) - below(random, 50)}`);
      if (isHit && at >= 30_000) hits++;
    }
    // With a fixed window of 1 % it is under 0.3.
    expect(hits / 30_000).toBeGreaterThan(0.6);
  });
});

describe("the sketch of frequencies", () => {
  test("never counts too few before it halves, and seldom too many", () => {
    const sketch = new Sketch();
    sketch.ensure(1000);
    for (let key = 0; key < 500; key++) for (let use = 0; use < key % 10; use++) sketch.add(hash(key));
    let tooMany = 0;
    for (let key = 0; key < 500; key++) {
      const count = sketch.count(hash(key));
      expect(count).toBeGreaterThanOrEqual(key % 10);
      if (count > key % 10) tooMany++;
    }
    expect(tooMany).toBeLessThan(10);
  });

  test("counts to 15, and halves everything after ten uses per entry", () => {
    const sketch = new Sketch();
    sketch.ensure(64);
    for (let use = 0; use < 100; use++) sketch.add(hash(1));
    expect(sketch.count(hash(1))).toBe(15);
    for (let key = 0; key < 2000; key++) sketch.add(hash(key + 2));
    expect(sketch.count(hash(1))).toBeLessThan(15);
  });
});

const hash = (key: number): number => Math.imul(key + 1, 0x9e37_79b1) >>> 0;
