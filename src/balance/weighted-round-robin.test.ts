import { expect, test } from "bun:test";
import type { Balancer } from "./balancer.ts";
import { group, targets } from "./testing.ts";

const picks = (balancer: Balancer, count: number): string =>
  Array.from({ length: count }, () => "abcdef"[balancer.pick(0, -1)]).join("");

test("weights 5:1:1 give nginx's own sequence", () => {
  expect(picks(group("weighted-round-robin", targets(5, 1, 1)).balancer, 14)).toBe("aabacaaaabacaa");
});

test("every round of 6 gives weights 3:2:1 exactly 3, 2 and 1", () => {
  const { balancer } = group("weighted-round-robin", targets(3, 2, 1));
  for (let round = 0; round < 100; round++) {
    expect(picks(balancer, 6).split("").toSorted().join("")).toBe("aaabbc");
  }
});

test("equal weights are a plain round robin", () => {
  expect(picks(group("weighted-round-robin", targets(4, 4, 4)).balancer, 6)).toBe("abcabc");
});

test("warmth scales the weight", () => {
  const under = group("weighted-round-robin", targets(2, 2));
  under.warmth[1] = 0.5;
  expect(
    picks(under.balancer, 30)
      .split("")
      .filter((name) => name === "b"),
  ).toHaveLength(10);
});

test("a target that stays keeps its place in the round when the set changes", () => {
  const { balancer } = group("weighted-round-robin", targets(1, 1));
  expect(picks(balancer, 1)).toBe("a");
  balancer.setTargets(targets(1, 1, 1));
  expect(picks(balancer, 2)).not.toContain("a");
});
