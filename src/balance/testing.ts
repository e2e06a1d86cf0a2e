/** Builders for the tests and benchmarks of this part: targets, a group under steady load, and the statistics. */
import { heapStats } from "bun:jsc";
import { seededRandom } from "../base/index.ts";
import { type Algorithm, createBalancer } from "./algorithms.ts";
import type { Balancer, Candidate, Load } from "./balancer.ts";

/** Candidates numbered from 0, one per weight. */
export function targets(...weights: number[]): Candidate[] {
  return weights.map((weight, index) => ({ index, id: `10.0.0.${index + 1}:8080`, weight }));
}

/** That many candidates of weight 1. */
export function equalTargets(count: number): Candidate[] {
  return targets(...Array<number>(count).fill(1));
}

/** One group: a balancer, and the load and time that it sees, all in the test's hand. */
export interface Group {
  readonly balancer: Balancer;
  readonly inFlight: number[];
  readonly warmth: number[];
  readonly random: () => number;
  nowMs: number;
}

/** A group over these candidates, idle and warm. */
export function group(algorithm: Algorithm, candidates: readonly Candidate[], boundedLoad = 1.25): Group {
  const random = seededRandom(7);
  const inFlight = Array<number>(64).fill(0);
  const warmth = Array<number>(64).fill(1);
  const load: Load = { inFlight: (index) => inFlight[index] ?? 0, warmth: (index) => warmth[index] ?? 1 };
  const made: Group = {
    balancer: createBalancer(algorithm, { load, random, nowMs: () => made.nowMs, boundedLoad }),
    inFlight,
    warmth,
    random,
    nowMs: 0,
  };
  made.balancer.setTargets(candidates);
  return made;
}

/** A random key's hash. */
export function anyHash(random: () => number): number {
  return Math.floor(random() * 2 ** 32);
}

/**
 * Picks `picks` times by random keys with `held` requests always in flight, each answered after 10 ms, and returns
 * how often each target was picked.
 */
export function tally(under: Group, picks: number, held = 0): number[] {
  const picked = Array<number>(64).fill(0);
  const open: number[] = [];
  for (let request = 0; request < picks; request++) {
    const index = under.balancer.pick(anyHash(under.random), -1);
    picked[index] = (picked[index] ?? 0) + 1;
    under.nowMs += 1;
    begin(under, index);
    open.push(index);
    if (open.length > held) end(under, open.shift() ?? -1);
  }
  return picked;
}

/** One more request in flight. */
export function begin({ inFlight }: Group, index: number): void {
  inFlight[index] = (inFlight[index] ?? 0) + 1;
}

/** A request is answered. */
export function end({ balancer, inFlight }: Group, index: number): void {
  inFlight[index] = (inFlight[index] ?? 0) - 1;
  balancer.observe(index, 10, false);
}

/** The targets of fixed keys, to compare before and after a change of the set. */
export function placements(balancer: Balancer, keys: number, exclude = -1): number[] {
  const random = seededRandom(11);
  return Array.from({ length: keys }, () => balancer.pick(anyHash(random), exclude));
}

/** The share of keys that changed their target. */
export function movedShare(before: readonly number[], after: readonly number[]): number {
  return before.filter((target, key) => target !== after[key]).length / before.length;
}

/** Pearson's statistic of counts that should stand in proportion to `weights`. */
export function chiSquare(counts: readonly number[], weights: readonly number[]): number {
  const total = weights.reduce((sum, weight, at) => sum + (weight > 0 ? (counts[at] ?? 0) : 0), 0);
  const weightSum = weights.reduce((sum, weight) => sum + weight, 0);
  return weights.reduce((sum, weight, at) => {
    const expected = (total * weight) / weightSum;
    return sum + ((counts[at] ?? 0) - expected) ** 2 / expected;
  }, 0);
}

/**
 * Bytes by which `calls` calls grow the heap. Collected before and not after; a block of the heap is the unit, so
 * that a few hundred KiB are noise, and a million calls that allocate show as megabytes.
 */
export function heapGrowth(run: () => void, calls: number): number {
  for (let call = 0; call < 1_000; call++) run();
  Bun.gc(true);
  const before = heapStats().heapCapacity;
  for (let call = 0; call < calls; call++) run();
  return heapStats().heapCapacity - before;
}
