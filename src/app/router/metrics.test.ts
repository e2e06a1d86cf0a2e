import { expect, test } from "bun:test";

import { Durations } from "../../database/index.ts";
import { Counters } from "../../database/io/index.ts";
import type { WorkerReport } from "./messages.ts";
import { routerMetrics } from "./metrics.ts";

const SAMPLE =
  /^([a-zA-Z_:][\w:]*)(?:\{((?:[a-zA-Z_]\w*="(?:[^"\\\n]|\\[\\"n])*",?)*)\})? (\+Inf|-?[\d.]+(?:e[+-]?\d+)?)$/;

/** What promtool would say: each family has its help and type once, before its samples, and names and values are well-formed. */
function problemsOf(text: string): string[] {
  const problems: string[] = [];
  const types = new Map<string, string>();
  const seen = new Set<string>();
  for (const line of text.split("\n").slice(0, -1)) {
    const [, kind, name = "", rest = ""] = /^# (HELP|TYPE) (\S+) (.+)$/.exec(line) ?? [];
    if (kind === "TYPE" && types.has(name)) problems.push(`${name} twice`);
    if (kind === "TYPE") types.set(name, rest);
    if (kind !== undefined) continue;
    const [, metric = "", labels = ""] = SAMPLE.exec(line) ?? [];
    const family = [metric, metric.replace(/_(?:bucket|sum|count)$/, "")].find((one) => types.has(one));
    if (family === undefined) problems.push(`no family: ${line}`);
    else if (types.get(family) === "counter" && !metric.endsWith("_total"))
      problems.push(`no _total: ${line}`);
    if (seen.has(`${metric}{${labels}}`)) problems.push(`twice: ${line}`);
    seen.add(`${metric}{${labels}}`);
  }
  if (!text.endsWith("\n")) problems.push("no newline at the end");
  return problems;
}

function reportOf(waits: readonly number[]): WorkerReport {
  const [waitTimes, queryTimes] = [new Durations(), new Durations()];
  for (const ms of waits) waitTimes.record(ms);
  const pool = { database: 'a "quoted"\nname\\', user: "ann", servers: 1, freeServers: 1, waitingClients: 0 };
  return {
    counters: new Counters(),
    pools: [pool],
    reads: [["read", 1]],
    refusals: [["53300", 2]],
    pins: [["listen", 3]],
    waitTimes,
    queryTimes,
  };
}

test("metrics are valid text of Prometheus, whatever databases are called", () => {
  expect(problemsOf(routerMetrics([reportOf([1]), reportOf([])], 2))).toEqual([]);
});

test("a histogram's classes add up over workers, each with those below it", () => {
  const text = routerMetrics([reportOf([0.4, 3, 200_000]), reportOf([3, 700])], 2);
  const bucket = (le: string): string | undefined =>
    new RegExp(`^tenfold_router_client_wait_seconds_bucket\\{le="${le}"\\} (\\d+)$`, "m").exec(text)?.[1];
  expect(["0.0005", "0.002", "0.005", "1", "120", "\\+Inf"].map(bucket)).toEqual([
    "1",
    "1",
    "3",
    "4",
    "4",
    "5",
  ]);
  expect(text).toContain("tenfold_router_client_wait_seconds_count 5\n");
  expect(text).toContain("tenfold_router_client_wait_seconds_sum 200.7064\n");
  expect(text).toContain("tenfold_router_query_seconds_count 0\n");
});
