import { expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { REASONS } from "./reasons.ts";
import { newCounters, queryCacheMetrics } from "./stats.ts";

const guide = readFileSync(join(import.meta.dirname, "../../../docs/guide/query-cache.md"), "utf8");

test("the guide names every reason", () => {
  expect(Object.keys(REASONS).filter((reason) => !guide.includes(`\`${reason}\``))).toEqual([]);
});

test("the guide names every metric", () => {
  const text = queryCacheMetrics({ ...newCounters(), storeFailures: 0 });
  const names = [...text.matchAll(/^# TYPE tenfold_query_cache(\S+)/gm)].map(([, name]) => name ?? "");
  expect(names).toHaveLength(11);
  expect(names.filter((name) => !guide.includes(name))).toEqual([]);
});
