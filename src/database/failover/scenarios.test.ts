import { describe, expect, setDefaultTimeout, test } from "bun:test";
import type { Durability } from "./settings.ts";
import { type Cluster, promotedTwice } from "./testing/faults.ts";
import { MUTATIONS } from "./testing/mutations.ts";
import { type SimulationResult, simulate } from "./testing/simulation.ts";

// Dozens of clusters each.
setDefaultTimeout(60_000);

const SEEDS = Array.from({ length: 4 }, (_, index) => 1_000 + index);

const ASYNC: Durability = { kind: "async", lagBytesMax: 1024 * 1024 };
const QUORUM: Durability = { kind: "quorum", count: 1, strict: true, lagBytesMax: 1024 * 1024 };

/** Runs a script on many clusters and in both modes; none may break a rule. Returns the results. */
function play(script: (cluster: Cluster) => void): SimulationResult[] {
  return SEEDS.flatMap((seed) =>
    [ASYNC, QUORUM].map((durability) => {
      const result = simulate(seed, { durability, script });
      expect([seed, result.violations]).toEqual([seed, []]);
      return result;
    }),
  );
}

function longestGapMs(results: readonly SimulationResult[]): number {
  return Math.max(...results.map(({ gapMs }) => gapMs));
}

function primaryOf({ world }: Cluster): string {
  return world.stored?.record.server ?? "";
}

describe("writes wait", () => {
  test("less than 7 s when the primary and its agent are killed, at a lease of 5 s", () => {
    const results = play((cluster) => {
      const name = primaryOf(cluster);
      cluster.world.server(name).kill();
      cluster.agents.get(name)?.kill();
      cluster.world.after(12_000, () => cluster.agents.get(name)?.start());
    });
    // A strict quorum of two servers waits for the second one, as it should.
    const open = results.filter(({ members }) => members > 2);
    expect(longestGapMs(open)).toBeLessThan(7_000);
    expect(results.every(({ failovers }) => failovers === 1)).toBe(true);
  });

  test("less than 2 s when the server alone crashes, and nobody else is promoted", () => {
    const results = play((cluster) => cluster.world.server(primaryOf(cluster)).kill());
    expect(longestGapMs(results)).toBeLessThan(2_000);
    expect(results.every(({ failovers }) => failovers === 0)).toBe(true);
  });

  test("about a second in a switchover, slow stores and disks among them", () => {
    const results = play((cluster) => cluster.agents.get(primaryOf(cluster))?.switchover("s2"));
    expect(longestGapMs(results)).toBeLessThan(1_100);
    expect(results.every(({ failovers }) => failovers === 1)).toBe(true);
  });

  test("not at all when a replica is killed, or an agent is restarted", () => {
    const replica = play((cluster) => {
      cluster.world.server("s2").kill();
      cluster.agents.get("s2")?.kill();
      cluster.world.after(12_000, () => cluster.agents.get("s2")?.start());
    });
    const agent = play((cluster) => {
      cluster.agents.get(primaryOf(cluster))?.kill();
      cluster.world.after(1_000, () => cluster.agents.get("s1")?.start());
    });
    expect([...replica, ...agent].every(({ failovers }) => failovers === 0)).toBe(true);
    expect(longestGapMs(agent)).toBeLessThan(1_000);
  });
});

test("an agent that hangs for longer than its lease costs a failover and no acknowledged write", () => {
  const results = play((cluster) => cluster.agents.get(primaryOf(cluster))?.pause(12_000));
  expect(results.every(({ failovers }) => failovers === 1)).toBe(true);
});

test("a store that is away for longer than a lease stops writes, and changes no primary's history", () => {
  const results = play(({ world }) => {
    world.storeDownUntilMs = world.nowMs + 10_000;
  });
  expect(results.every(({ failovers }) => failovers === 1)).toBe(true);
});

test("a promotion that nobody heard of is told from the one that ran, though both began at one point", () => {
  play(promotedTwice);
  const mistaken = SEEDS.filter((seed) => {
    const options = { durability: QUORUM, script: promotedTwice, mutation: MUTATIONS["any-timeline"] };
    return simulate(seed, options).violations.length > 0;
  });
  expect(mistaken).not.toEqual([]);
});
