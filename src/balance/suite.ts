/**
 * The suite that every balancing algorithm passes, whatever it does inside. What an algorithm's row in the table
 * does not claim (weights, warmth, few moves) is not asked of it.
 */
import { describe, expect, test } from "bun:test";
import { ALGORITHMS, type Algorithm } from "./algorithms.ts";
import {
  anyHash,
  begin,
  chiSquare,
  equalTargets,
  group,
  heapGrowth,
  movedShare,
  placements,
  tally,
  targets,
} from "./testing.ts";

/** Chi-square with 4 degrees of freedom exceeds this by chance once in a thousand seeds; ours are fixed. */
const CHI_SQUARE_4_MAX = 18.47;

/** Keys of the ring stray by 1/sqrt(160 points) a target; three times that is rare. Others are held to chance alone. */
const RING_STRAY_MAX = 0.25;

/** Declares the suite's tests for one algorithm. */
export function describeBalancer(algorithm: Algorithm): void {
  describe(algorithm, () => {
    candidateRules(algorithm);
    shareRules(algorithm);
    costRules(algorithm);
    const row = ALGORITHMS[algorithm];
    if (row.weight) weightRules(algorithm);
    if (row.warmth) warmthRules(algorithm);
    if (row.hash) keyRules(algorithm);
    if (row.moves === "few") disruptionRules(algorithm);
  });
}

function candidateRules(algorithm: Algorithm): void {
  test("without candidates there is no pick", () => {
    expect(group(algorithm, []).balancer.pick(1, -1)).toBe(-1);
  });

  test("only candidates are picked, whatever the set was before", () => {
    const under = group(algorithm, equalTargets(12));
    for (let round = 0; round < 40; round++) {
      const chosen = targets(...Array.from({ length: 12 }, () => 1 + Math.floor(under.random() * 9)));
      const candidates = chosen.filter(() => under.random() < 0.4);
      under.balancer.setTargets(candidates);
      const allowed = new Set(candidates.length === 0 ? [-1] : candidates.map(({ index }) => index));
      for (let pick = 0; pick < 50; pick++) {
        expect(allowed).toContain(under.balancer.pick(anyHash(under.random), -1));
      }
    }
  });

  test("an excluded target is not picked while there is another", () => {
    const under = group(algorithm, targets(1000, 1, 3));
    for (let pick = 0; pick < 500; pick++) {
      expect(under.balancer.pick(anyHash(under.random), pick % 3)).not.toBe(pick % 3);
    }
  });

  test("an excluded target is picked when it is the only one", () => {
    expect(group(algorithm, equalTargets(1)).balancer.pick(5, 0)).toBe(0);
  });

  test("to exclude a target that is no candidate changes nothing", () => {
    const picked = new Set(placements(group(algorithm, equalTargets(3)).balancer, 500, 9));
    expect(picked).toEqual(new Set([0, 1, 2]));
  });

  test("target numbers may have gaps and come in any order", () => {
    const gapped = [40, 3, 17].map((index) => ({ index, id: `h${index}:80`, weight: 1 }));
    const picked = new Set(placements(group(algorithm, gapped).balancer, 500));
    expect(picked).toEqual(new Set([3, 17, 40]));
  });
}

function shareRules(algorithm: Algorithm): void {
  test("equal targets get equal shares, within the bound of chance", () => {
    const counts = tally(group(algorithm, equalTargets(5)), 20_000);
    if (algorithm === "consistent-hash") expectShares(counts, [1, 1, 1, 1, 1], RING_STRAY_MAX);
    else expect(chiSquare(counts, [1, 1, 1, 1, 1])).toBeLessThan(CHI_SQUARE_4_MAX);
  });

  test("the other targets share the requests of an excluded one", () => {
    const { balancer } = group(algorithm, equalTargets(6));
    const counts = Array<number>(6).fill(0);
    for (const index of placements(balancer, 20_000, 2)) counts[index] = (counts[index] ?? 0) + 1;
    expectShares(counts, [1, 1, 0, 1, 1, 1], RING_STRAY_MAX);
  });
}

function weightRules(algorithm: Algorithm): void {
  test("weights 3:2:1 give shares 3:2:1 under steady load", () => {
    const counts = tally(group(algorithm, targets(3, 2, 1)), 20_000, 60);
    expectShares(counts, [3, 2, 1], algorithm === "consistent-hash" ? RING_STRAY_MAX : 0.05);
  });
}

function warmthRules(algorithm: Algorithm): void {
  test("a target at a tenth of its warmth gets about a tenth of a share", () => {
    const under = group(algorithm, equalTargets(4));
    under.warmth[1] = 0.1;
    expectShares(tally(under, 20_000, 62), [1, 0.1, 1, 1], 0.25);
  });

  test("when all are cold, requests are still taken, and evenly", () => {
    const under = group(algorithm, equalTargets(5));
    under.warmth.fill(0.1);
    expectShares(tally(under, 10_000), [1, 1, 1, 1, 1], 0.1);
  });
}

function keyRules(algorithm: Algorithm): void {
  test("the same key always gets the same target", () => {
    const { balancer } = group(algorithm, targets(5, 3, 1, 1));
    expect(placements(balancer, 2_000)).toEqual(placements(balancer, 2_000));
  });

  test("the order in which targets are listed does not matter", () => {
    const listed = targets(5, 3, 1, 2);
    const forward = placements(group(algorithm, listed).balancer, 2_000);
    expect(placements(group(algorithm, listed.toReversed()).balancer, 2_000)).toEqual(forward);
  });

  test("an excluded target's keys keep one second choice each", () => {
    const { balancer } = group(algorithm, equalTargets(5));
    expect(placements(balancer, 2_000, 3)).toEqual(placements(balancer, 2_000, 3));
  });
}

function disruptionRules(algorithm: Algorithm): void {
  // Ideal is the changed target's share. The ring strays by its points, maglev moves about as many keys again.
  const movesMax = (share: number): number => (algorithm === "maglev" ? 2 * share + 0.02 : 1.25 * share);

  test("a target that joins takes about its own share of the keys", () => {
    const { balancer } = group(algorithm, equalTargets(10));
    const before = placements(balancer, 20_000);
    balancer.setTargets(equalTargets(11));
    expect(movedShare(before, placements(balancer, 20_000))).toBeLessThan(movesMax(1 / 11));
  });

  test("a target that leaves gives its keys away and few others move", () => {
    const { balancer } = group(algorithm, equalTargets(10));
    const before = placements(balancer, 20_000);
    balancer.setTargets(equalTargets(10).filter(({ index }) => index !== 4));
    expect(movedShare(before, placements(balancer, 20_000))).toBeLessThan(movesMax(1 / 10));
  });

  test("a target that comes back gets exactly its old keys", () => {
    const { balancer } = group(algorithm, equalTargets(10));
    const before = placements(balancer, 5_000);
    balancer.setTargets(equalTargets(7));
    balancer.setTargets(equalTargets(10));
    expect(placements(balancer, 5_000)).toEqual(before);
  });
}

function costRules(algorithm: Algorithm): void {
  test("a pick allocates nothing", () => {
    const under = group(algorithm, targets(3, 2, 1, 4));
    for (const index of [0, 1, 2, 3]) begin(under, index);
    let hash = 1;
    const pick = (): void => {
      hash = (Math.imul(hash, 69_069) + 1) >>> 0;
      under.balancer.observe(under.balancer.pick(hash, -1), 10, false);
    };
    // One small object per pick would be 1.6 MB or more.
    expect(heapGrowth(pick, 100_000)).toBeLessThan(400_000);
  });
}

/** Each target's share is within `stray` (relative) of its weight's; a weight of 0 means no pick at all. */
function expectShares(counts: readonly number[], weights: readonly number[], stray: number): void {
  const total = counts.reduce((sum, count) => sum + count, 0);
  const weightSum = weights.reduce((sum, weight) => sum + weight, 0);
  for (const [index, weight] of weights.entries()) {
    const wanted = weight / weightSum;
    expect(Math.abs((counts[index] ?? 0) / total - wanted)).toBeLessThanOrEqual(wanted * stray);
  }
}
