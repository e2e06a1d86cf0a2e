import { expect, test } from "bun:test";
import { explainDecision } from "./explain.ts";
import { decideOnce, observedOf, policyOf, tasksAt } from "./testing.ts";

test("a decision tells what was seen, each vote, each clamp and the outcome", () => {
  const policy = { ...policyOf({ max: 6 }), cpu: 0.5 };
  const observed = observedOf(2, { tasks: tasksAt(2, 0.75), inFlight: 100, deploying: true });
  expect(explainDecision(decideOnce(observed, policy))).toEqual([
    "goes from 2 to 6: max, autoscale.max holds",
    "  saw: 2 wanted, 2 ready, 100 requests in flight, CPU 0.75 per task, a deploy under way",
    "  in-flight: 50 per ready task, target 10, asks for 10 (panic)",
    "  cpu: 0.75 per ready task, target 0.5, asks for 3 (above-target)",
    "  max: 10 becomes 6",
  ]);
});

test("a signal without data is named", () => {
  expect(explainDecision(decideOnce(observedOf(3), policyOf()))).toEqual([
    "stays at 3: no-data, no signal has data",
    "  saw: 3 wanted, 3 ready",
    "  in-flight: no data",
  ]);
});
