/** Measuring this machine: every row gets a plausible time, and nothing is left behind. */
import { afterAll, describe, expect, test } from "bun:test";
import { readdirSync } from "node:fs";
import { scratchFolder } from "../testing.ts";
import { measureLatencies } from "./latency.ts";
import { medianMs, scattered } from "./sampling.ts";

const folder = scratchFolder();
afterAll(() => folder[Symbol.dispose]());

/** Short: what is proved here is that it works, not how fast the machine is. */
const { ms, remarks } = await measureLatencies(folder.path, 5);

describe("a time is measured of", () => {
  /** From a hundred times faster than any machine to a hundred times slower than a busy one. */
  const rows: [name: Parameters<typeof ms.get>[0], atLeastMs: number, atMostMs: number][] = [
    ["l1", 1e-8, 1e-3],
    ["ram", 1e-7, 1e-1],
    ["ramMegabyte", 1e-4, 100],
    ["loopback", 1e-4, 1000],
    ["diskRead", 1e-5, 1000],
    ["diskSync", 1e-5, 10_000],
  ];
  for (const [name, atLeastMs, atMostMs] of rows) {
    test(name, () => {
      expect(ms.get(name)).toBeGreaterThan(atLeastMs);
      expect(ms.get(name)).toBeLessThan(atMostMs);
    });
  }
});

test("a reader is told that files may come from memory", () => {
  expect(remarks.join("\n")).toMatch(/page cache|is in memory/);
});

test("nothing is left in the folder", () => {
  expect(readdirSync(folder.path)).toEqual([]);
});

test("a sample runs once, however short the moment", () => {
  let runs = 0;
  expect(medianMs(0, () => void runs++)).toBeGreaterThanOrEqual(0);
  expect(runs).toBe(1);
});

test("scattered numbers stay below their bound, reach all of it, and are the same each time", () => {
  const [draw, again] = [scattered(), scattered()];
  const drawn = Array.from({ length: 1000 }, () => draw(10));
  expect([...new Set(drawn)].toSorted((a, b) => a - b)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
  expect(drawn).toEqual(drawn.map(() => again(10)));
});
