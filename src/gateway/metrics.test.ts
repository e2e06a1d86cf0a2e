import { describe, expect, test } from "bun:test";
import { type MetricFamily, renderMetrics } from "../base/index.ts";
import { REASONS } from "./errors.ts";
import { gatewayMetrics } from "./metrics.ts";
import { GROUP_COUNTER, HEALTH, NO_GROUP, type Scoreboard, TARGET_COUNTER } from "./scoreboard.ts";
import { plainScoreboard, proxyTo, snapshotOf } from "./testing/index.ts";

const SNAPSHOT = snapshotOf(proxyTo(["127.0.0.1:9001", "127.0.0.1:9002"])(8080));
const GROUP = SNAPSHOT.targetGroups[0]!;
const [FIRST, SECOND] = [GROUP.targets[0]!, GROUP.targets[1]!];

/** The values of one family, each with its labels. */
function samples(board: Scoreboard, name: string): Record<string, number> {
  const family = gatewayMetrics(board, SNAPSHOT).find((each: MetricFamily) => each.name === name);
  return Object.fromEntries(
    (family?.samples ?? []).map(({ labels, value, suffix = "" }) => [
      Object.values(labels).join(" ") + suffix,
      value,
    ]),
  );
}

describe("the gateway's metrics", () => {
  test("count over all workers, by group, class and reason", () => {
    const board = plainScoreboard(2);
    for (const column of board.columns) {
      column.countGroup(GROUP.slot, GROUP_COUNTER.requests, 3);
      column.countGroup(GROUP.slot, GROUP_COUNTER.status2xx, 2);
      column.countGroup(GROUP.slot, GROUP_COUNTER.status5xx, 1);
      column.countReason(GROUP.slot, REASONS.indexOf("connect-refused"));
      column.countReason(NO_GROUP, REASONS.indexOf("no-rule"));
    }
    expect(samples(board, "tenfold_requests_total")).toEqual({ app: 6, "(none)": 0 });
    expect(samples(board, "tenfold_responses_total")).toMatchObject({
      "app 2xx": 4,
      "app 5xx": 2,
      "app 1xx": 0,
    });
    expect(samples(board, "tenfold_errors_total")).toEqual({ "app connect-refused": 2, "(none) no-rule": 2 });
  });

  test("tell of each target what it does and how it is", () => {
    const board = plainScoreboard(2);
    const column = board.columns[0]!;
    column.moveInFlight(FIRST.slot, GROUP.slot, 1);
    column.targetEjected[SECOND.slot] = 1;
    column.countTarget(SECOND.slot, TARGET_COUNTER.connects);
    board.setHealth(FIRST.slot, HEALTH.unhealthy);
    const of = (name: string): number[] => Object.values(samples(board, name));
    expect(of("tenfold_target_in_flight")).toEqual([1, 0]);
    expect(of("tenfold_target_healthy")).toEqual([0, 1]);
    expect(of("tenfold_target_ejected")).toEqual([0, 1]);
    expect(of("tenfold_target_connects_total")).toEqual([0, 1]);
    expect(samples(board, "tenfold_in_flight")).toEqual({ app: 1, "(none)": 0 });
  });

  test("hold a histogram whose buckets are cumulative and end with all", () => {
    const board = plainScoreboard(2);
    for (const [i, ms] of [0.5, 3, 3, 40, 70_000].entries())
      board.columns[i % 2]!.observeLatency(GROUP.slot, ms);
    const buckets = samples(board, "tenfold_request_duration_seconds");
    expect(buckets).toMatchObject({
      "app 0.001_bucket": 1,
      "app 0.005_bucket": 3,
      "app 0.05_bucket": 4,
      "app 60_bucket": 4,
      "app +Inf_bucket": 5,
      app_count: 5,
    });
    expect(buckets["app_sum"]).toBeCloseTo(70.0465, 3);
  });

  test("name the workers that are there, and the revision each serves by", () => {
    const board = plainScoreboard(3);
    board.columns[1]!.claim(77, 1000);
    board.columns[1]!.acknowledge(4);
    board.columns[1]!.setConnections(12);
    expect(samples(board, "tenfold_worker_revision")).toEqual({ "1": 4 });
    expect(samples(board, "tenfold_connections")).toEqual({ "1": 12 });
    expect(samples(board, "tenfold_revision")).toEqual({ "": SNAPSHOT.revision });
  });

  test("render as Prometheus reads them, with and without a snapshot", () => {
    const text = renderMetrics(gatewayMetrics(plainScoreboard(1), SNAPSHOT));
    expect(text).toContain('tenfold_target_healthy{group="app",target="127.0.0.1:9001"} 1');
    expect(text).toContain('tenfold_request_duration_seconds_bucket{group="app",le="+Inf"} 0');
    expect(renderMetrics(gatewayMetrics(plainScoreboard(1), undefined))).toContain("tenfold_revision 0");
  });
});
