import { describe, expect, test } from "bun:test";
import { seededRandom, simulatedTime } from "../base/index.ts";
import type { Snapshot, TargetGroup, UserConfig } from "../config/index.ts";
import { Group } from "./group.ts";
import { type Column, HEALTH, type Scoreboard, TARGET_COUNTER } from "./scoreboard.ts";
import { plainScoreboard, snapshotOf } from "./testing/index.ts";

type Settings = Omit<NonNullable<UserConfig["targetGroups"]>[string], "targets">;

/** A group of so many targets in a test's hand: time, health and answers. */
class World {
  readonly board: Scoreboard = plainScoreboard(2);
  readonly column: Column = this.board.columns[0]!;
  readonly time = simulatedTime();
  readonly group: Group;
  #snapshot: Snapshot;
  readonly #settings: Settings;
  clockReads = 0;

  constructor(ports: readonly number[], settings: Settings = {}) {
    this.#settings = settings;
    this.#snapshot = this.#build(ports);
    this.group = new Group(this.#spec, {
      scoreboard: this.board,
      column: this.column,
      random: seededRandom(3),
      nowMs: () => {
        this.clockReads++;
        return this.time.clock.nowMs();
      },
    });
  }

  update(ports: readonly number[]): void {
    this.#snapshot = this.#build(ports, this.#snapshot);
    this.group.update(this.#spec);
  }

  slot(index: number): number {
    return this.#spec.targets[index]!.slot;
  }

  /** How often each target is picked. */
  picks(count = 100): number[] {
    const picked = this.#spec.targets.map(() => 0);
    for (let i = 0; i < count; i++) picked[this.group.pick(0, -1)]!++;
    return picked;
  }

  get #spec(): TargetGroup {
    return this.#snapshot.targetGroups[0]!;
  }

  #build(ports: readonly number[], previous?: Snapshot): Snapshot {
    const targets = ports.map((port) => ({ address: `10.0.0.1:${port}` }));
    const config: UserConfig = {
      listeners: { web: { address: 8080, rules: [{ forward: "app" }] } },
      targetGroups: { app: { ...this.#settings, targets } },
    };
    return snapshotOf(config, previous);
  }
}

const HEALTH_POLICY = { health: { path: "/" } } as const;

describe("a group", () => {
  test("uses the targets that are well, and all of them in panic", () => {
    const world = new World([1, 2, 3, 4], HEALTH_POLICY);
    world.board.setHealth(world.slot(0), HEALTH.unhealthy);
    expect(world.picks(30)).toEqual([0, 10, 10, 10]);
    world.board.setHealth(world.slot(1), HEALTH.unhealthy);
    expect(world.picks(30)).toEqual([0, 0, 15, 15]);
    world.board.setHealth(world.slot(2), HEALTH.unhealthy);
    expect(world.group.panic).toBe(false);
    expect(world.picks(40)).toEqual([10, 10, 10, 10]);
    expect(world.group.panic).toBe(true);
  });

  test("without checks of its own does not care what the board says", () => {
    const world = new World([1, 2]);
    world.board.setHealth(world.slot(0), HEALTH.unhealthy);
    expect(world.picks(10)).toEqual([5, 5]);
  });

  test("ejects a target for its answers, for a while", () => {
    const world = new World([1, 2], { ejection: { consecutive5xx: 3, base: "10s" } });
    for (let i = 0; i < 3; i++) world.group.answered(0, 500, 1);
    expect(world.picks(10)).toEqual([0, 10]);
    expect(world.board.ejectedBy(world.slot(0))).toBe(1);
    world.time.advance(10_001);
    world.group.sweep();
    expect(world.picks(10)).toEqual([5, 5]);
    expect(world.board.ejectedBy(world.slot(0))).toBe(0);
  });

  test("lets a target back in that could not be reached once a check has reached it", () => {
    const world = new World([1, 2], { ...HEALTH_POLICY, ejection: { consecutiveFailures: 2 } });
    for (let i = 0; i < 2; i++) world.group.failed(0, 1);
    world.board.setHealth(world.slot(0), HEALTH.unhealthy);
    expect(world.picks(10)).toEqual([0, 10]);
    world.board.setHealth(world.slot(0), HEALTH.healthy);
    expect(world.picks(10)).toEqual([5, 5]);
    expect(world.board.ejectedBy(world.slot(0))).toBe(0);
  });

  test("does not let one back in so that was ejected for its answers", () => {
    const world = new World([1, 2], { ...HEALTH_POLICY, ejection: { consecutive5xx: 2 } });
    for (let i = 0; i < 2; i++) world.group.answered(0, 503, 1);
    world.board.setHealth(world.slot(0), HEALTH.unhealthy);
    expect(world.picks(10)).toEqual([0, 10]);
    world.board.setHealth(world.slot(0), HEALTH.healthy);
    expect(world.picks(10)).toEqual([0, 10]);
  });

  test("keeps what it knows of targets that stay when their numbers change", () => {
    const world = new World([1, 2, 3], { ejection: { consecutiveFailures: 2 } });
    for (let i = 0; i < 2; i++) world.group.failed(2, 1);
    world.update([3, 1, 4]);
    expect(world.picks(10)).toEqual([0, 5, 5]);
  });

  test("leaves nothing of a target that left in its row", () => {
    const world = new World([1, 2], { ejection: { consecutiveFailures: 2 } });
    for (let i = 0; i < 2; i++) world.group.failed(1, 1);
    const slot = world.slot(1);
    expect([world.board.ejectedBy(slot), world.board.targetCounter(slot, TARGET_COUNTER.failures)]).toEqual([
      1, 2,
    ]);
    world.update([1]);
    expect([world.board.ejectedBy(slot), world.board.targetCounter(slot, TARGET_COUNTER.failures)]).toEqual([
      0, 0,
    ]);
  });

  test("starts a target slowly that joins later, and none at the beginning", () => {
    const world = new World([1, 2], { slowStart: "10s" });
    expect(world.picks(100)).toEqual([50, 50]);
    world.time.advance(20_000);
    world.update([1, 2, 3]);
    world.time.advance(2_000);
    const [, , cold = 0] = world.picks(300);
    expect(cold).toBeGreaterThan(5);
    expect(cold).toBeLessThan(60);
    world.time.advance(10_000);
    expect(world.picks(300)[2]).toBeGreaterThan(80);
  });

  test("does not look at the clock for a pick when nothing starts slowly", () => {
    const world = new World([1, 2, 3], { algorithm: "least-requests" });
    world.picks(1);
    const before = world.clockReads;
    world.picks(100);
    expect(world.clockReads).toBe(before);
  });

  test("follows the load of all workers", () => {
    const world = new World([1, 2], { algorithm: "least-requests" });
    const other = world.board.columns[1]!;
    for (let i = 0; i < 3; i++) other.moveInFlight(world.slot(0), 0, 1);
    expect(world.picks(10)).toEqual([0, 10]);
  });

  test("avoids the target that has just failed, unless it is the only one", () => {
    const world = new World([1, 2]);
    for (let i = 0; i < 10; i++) expect(world.group.pick(0, 0)).toBe(1);
    world.update([1]);
    expect(world.group.pick(0, 0)).toBe(0);
  });
});
