import { describe, expect, setDefaultTimeout, test } from "bun:test";
import { breakBy, type Cluster } from "./testing/faults.ts";
import { type Mutation, SCRIPTED_MUTATIONS } from "./testing/mutations.ts";
import {
  type ClusterWanted,
  PAIR_AND_WITNESS,
  type SimulationResult,
  simulate,
} from "./testing/simulation.ts";

// Each simulates 40 s of several clusters.
setDefaultTimeout(60_000);

const SEEDS = Array.from({ length: 2 }, (_, index) => 2_000 + index);

/** The faults of chance end at 18 s; what is away until then has been so for longer than an election takes. */
const LONG_MS = 14_000;

const STRICT = { kind: "quorum", count: 1, strict: true, lagBytesMax: 1024 * 1024 } as const;

/** Runs a script on clusters whose servers share no disk: by default two and a witness. */
function play(
  script: (cluster: Cluster) => void,
  mutation: Mutation = {},
  wanted: ClusterWanted = PAIR_AND_WITNESS,
): SimulationResult[] {
  const cluster = { ...wanted, sharesDisks: false };
  return SEEDS.map((seed) => simulate(seed, { cluster, durability: STRICT, script, mutation }));
}

function rulesBroken(results: readonly SimulationResult[]): string[] {
  return results.flatMap(({ seed, violations }) => violations.map(({ rule }) => `${seed} ${rule}`));
}

/** Whether in none of them that server took over. */
function isPassedOver(name: string, results: readonly SimulationResult[]): boolean {
  return results.every(({ notes }) => !notes.some((note) => note.includes(`${name} is promoted`)));
}

describe("two servers and a witness", () => {
  test("lose no write when the primary is lost that the witness alone has followed: the replica takes it from there", () => {
    const results = play((cluster) => breakBy("the witness ahead, then dead", cluster, "s1", LONG_MS));
    expect(rulesBroken(results)).toEqual([]);
    expect(results.every(({ failovers }) => failovers === 1)).toBe(true);
    expect(results.every(({ notes }) => notes.some((note) => note.includes("s2 < follow w1")))).toBe(true);
    expect(Math.max(...results.map(({ gapMs }) => gapMs))).toBeLessThan(8_000);
  });

  test("go on writing without the replica, without the witness, and with a witness whose disk is new", () => {
    for (const [fault, name] of [
      ["kill machine", "s2"],
      ["kill machine", "w1"],
      ["new disk of the witness", "w1"],
    ] as const) {
      const results = play((cluster) => breakBy(fault, cluster, name, LONG_MS));
      expect(rulesBroken(results)).toEqual([]);
      expect(isPassedOver("s2", results)).toBe(true);
      expect(Math.max(...results.map(({ gapMs }) => gapMs))).toBeLessThan(3_000);
    }
  });

  test("promote nobody on the word of a witness that has lost what it acknowledged", () => {
    const script = (cluster: Cluster): void =>
      breakBy("a new and slow witness, then dead", cluster, "s1", LONG_MS);
    const results = play(script);
    expect(rulesBroken(results)).toEqual([]);
    expect(isPassedOver("s2", results)).toBe(true);
    const mutants = play(script, SCRIPTED_MUTATIONS["hasty-witness"]);
    expect(rulesBroken(mutants).join()).toContain("acknowledged write lost");
  });
});

describe("a replica that has heard of the newest timeline and lacks what lies before it", () => {
  /** Of three servers s2 is promoted while s3 is behind, and is lost as soon as s3 has heard of its timeline. */
  const script = ({ world, agents }: Cluster): void => {
    const s3 = world.server("s3");
    const kill = (name: string): void => {
      world.server(name).kill(true);
      agents.get(name)?.kill();
    };
    const look = (): void => {
      if (s3.upstream === "s2") s3.stalledUntilMs = world.nowMs + 3_000;
      if (s3.timeline < 2) return world.after(1, look);
      kill("s2");
      s3.kill(); // what it has not flushed is gone; that there is a timeline 2 it knows
      world.blocked.clear();
      agents.get("s1")?.start();
      world.after(9_000, () => agents.get("s2")?.start());
    };
    world.blocked.add("s1>s3");
    world.after(400, () => kill("s1"));
    look();
  };
  const wanted = { servers: 3, hasWitness: false };

  test("is not promoted", () => {
    expect(rulesBroken(play(script, {}, wanted))).toEqual([]);
    const mutants = play(script, SCRIPTED_MUTATIONS["fork-ignored"], wanted);
    expect(rulesBroken(mutants).join()).toContain("acknowledged write lost");
  });
});
