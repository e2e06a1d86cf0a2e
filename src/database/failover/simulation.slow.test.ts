/** More seeds than fit beside all other tests; `bench/failover-simulation.ts` runs as many as wanted. */
import { expect, test } from "bun:test";
import { simulate } from "./testing/simulation.ts";

test("180 more clusters go through faults without breaking a rule", () => {
  const broken: string[] = [];
  for (let seed = 21; seed <= 200; seed += 1) {
    const { violations } = simulate(seed);
    if (violations.length > 0) broken.push(`seed ${seed}: ${JSON.stringify(violations[0])}`);
  }
  expect(broken).toEqual([]);
}, 240_000);
