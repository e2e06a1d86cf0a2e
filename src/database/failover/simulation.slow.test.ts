import { expect, test } from "bun:test";
import { simulate } from "./testing/simulation.ts";

test("10,000 clusters go through faults without breaking a rule", () => {
  const broken: string[] = [];
  for (let seed = 1; seed <= 10_000; seed += 1) {
    const { violations } = simulate(seed);
    if (violations.length > 0) broken.push(`seed ${seed}: ${JSON.stringify(violations[0])}`);
  }
  expect(broken).toEqual([]);
}, 1_800_000);
