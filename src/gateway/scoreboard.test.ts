import { describe, expect, test } from "bun:test";
import { GROUP_SLOTS, SLOTS } from "../config/index.ts";
import { REASONS } from "./errors.ts";
import {
  columnsFor,
  countStatus,
  formatScoreboard,
  GROUP_COUNTER,
  HEALTH,
  NO_GROUP,
  REASONS_MAX,
  Scoreboard,
  scoreboardBytes,
  TARGET_COUNTER,
  WORKER_COUNTER,
} from "./scoreboard.ts";
import { plainScoreboard } from "./testing/index.ts";

describe("a scoreboard", () => {
  test("adds up what its columns say", () => {
    const board = plainScoreboard(3);
    for (const column of board.columns) {
      column.moveInFlight(7, 2, 1);
      column.countTarget(7, TARGET_COUNTER.failures);
      column.countGroup(2, GROUP_COUNTER.retries, 5);
      column.countReason(2, 4);
      column.count(WORKER_COUNTER.accepted);
    }
    expect([board.inFlight(7), board.groupInFlight(2), board.inFlight(8)]).toEqual([3, 3, 0]);
    expect(board.targetCounter(7, TARGET_COUNTER.failures)).toBe(3);
    expect(board.groupCounter(2, GROUP_COUNTER.retries)).toBe(15);
    expect([board.groupReason(2, 4), board.workerCounter(WORKER_COUNTER.accepted)]).toEqual([3, 3]);
  });

  test("keeps its rows apart, first and last ones too", () => {
    const board = plainScoreboard(2);
    const [first, last] = [board.columns[0]!, board.columns[1]!];
    last.moveInFlight(SLOTS - 1, NO_GROUP, 1);
    last.countTarget(SLOTS - 1, TARGET_COUNTER.ejections);
    last.countReason(NO_GROUP, REASONS_MAX - 1);
    last.observeLatency(NO_GROUP, 5);
    board.setHealth(SLOTS - 1, HEALTH.unhealthy);
    expect(first.targetInFlight.some((count) => count !== 0)).toBe(false);
    expect([first.pid, last.pid, last.ackedRevision]).toEqual([0, 0, 0]);
    expect(last.groupCounters.filter((count) => count !== 0)).toHaveLength(1);
    expect(board.groupInFlight(GROUP_SLOTS - 1)).toBe(0);
  });

  test("clears what a dead worker had in flight when its place is taken, and keeps what it counted", () => {
    const board = plainScoreboard(1);
    const column = board.columns[0]!;
    column.claim(100, 1000);
    column.moveInFlight(3, 0, 1);
    column.targetEjected[3] = 1;
    column.setConnections(9);
    column.acknowledge(5);
    column.countGroup(0, GROUP_COUNTER.requests, 42);
    column.claim(101, 2000);
    expect([board.inFlight(3), board.ejectedBy(3), column.connections, column.ackedRevision]).toEqual([
      0, 0, 0, 0,
    ]);
    expect([column.pid, column.heartbeatMs]).toEqual([101, 2000]);
    expect(board.groupCounter(0, GROUP_COUNTER.requests)).toBe(42);
  });

  test("knows who is alive by the heartbeats", () => {
    const board = plainScoreboard(3);
    board.columns[0]!.claim(1, 1000);
    board.columns[1]!.claim(2, 5000);
    expect(board.live(5500, 2000)).toEqual([board.columns[1]!]);
    board.columns[1]!.release();
    expect(board.live(5500, 2000)).toEqual([]);
  });

  test("tells changes of health by a number that grows, and only those", () => {
    const board = plainScoreboard();
    const before = board.healthVersion;
    board.setHealth(1, HEALTH.healthy);
    board.setHealth(1, HEALTH.healthy);
    expect(board.healthVersion).toBe(before + 1);
    board.clearSlot(1);
    expect([board.health(1), board.healthVersion]).toEqual([HEALTH.unknown, before + 2]);
  });

  test("forgets the counts of a target that left, but not what it still has in flight", () => {
    const board = plainScoreboard(1);
    const column = board.columns[0]!;
    for (const slot of [1, 2, 3]) {
      column.countTarget(slot, TARGET_COUNTER.requests);
      column.moveInFlight(slot, 0, 1);
    }
    column.clearTarget(2);
    expect([1, 2, 3].map((slot) => board.targetCounter(slot, TARGET_COUNTER.requests))).toEqual([1, 0, 1]);
    expect(board.inFlight(2)).toBe(1);
  });

  test("of another layout, or cut short, is refused", () => {
    const block = new Uint8Array(scoreboardBytes(2));
    expect(() => new Scoreboard(block)).toThrow("not a scoreboard of this version");
    formatScoreboard(block, 2);
    expect(new Scoreboard(block).columns).toHaveLength(2);
    expect(() => new Scoreboard(block.slice(0, -64))).toThrow("cut short");
  });

  test("has room for every reason, and two generations of workers", () => {
    expect(REASONS.length).toBeLessThanOrEqual(REASONS_MAX);
    expect([1, 2, 8, 32, 100].map(columnsFor)).toEqual([4, 4, 16, 64, 64]);
  });

  test("counts a status under its class", () => {
    const classes = [101, 200, 304, 499, 502, 599].map(countStatus);
    const { status1xx, status2xx, status3xx, status4xx, status5xx } = GROUP_COUNTER;
    expect(classes).toEqual([status1xx, status2xx, status3xx, status4xx, status5xx, status5xx]);
  });
});
