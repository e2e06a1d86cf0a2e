/** Builders for tests of the simulator: a design from what a user would write, and one that has a theory. */

import type { Design } from "./design.ts";
import { parseDesign } from "./parse.ts";
import type { SimulationResult } from "./result.ts";
import { type RunOptions, simulate } from "./run.ts";
import { SCENARIOS } from "./scenarios.ts";

/** The design; throws its problems. */
export function designOf(input: object): Design {
  const outcome = parseDesign(input);
  if (outcome.kind === "ok") return outcome.value;
  throw new Error(outcome.problems.map(({ path, what, mend }) => `${path}: ${what}; ${mend}`).join("\n"));
}

/** Its problems, one line each; throws when there are none. */
export function problemsOf(input: unknown): string[] {
  const outcome = parseDesign(input);
  if (outcome.kind === "ok") throw new Error("no problem was found");
  return outcome.problems.map(({ path, what, mend }) => `${path}: ${what}; ${mend}`);
}

/** Runs what a user wrote. */
export function runOf(input: object, options: RunOptions = {}): SimulationResult {
  return simulate(designOf(input), options);
}

/** Runs one of the designs that come with Tenfold, with other parts where given. */
export function scenario(name: string, over: object = {}): SimulationResult {
  const found = SCENARIOS.find((one) => one.name === name);
  return runOf({ name, ...(found?.design as object), ...over });
}

/** So many servers with one queue, such as theory knows: rate in 1/s, mean 10 ms. */
export function queueDesign(rateRps: number, servers: number, over: object = {}): object {
  return {
    clients: { all: { to: "app", rate: `${rateRps}/s`, timeout: "0" } },
    nodes: { app: { kind: "service", cores: servers, time: "10ms", queueMax: 10_000_000, ...over } },
    run: { duration: "2500s", warmUp: "100s", inSystemMax: 1_000_000, window: "60s" },
  };
}
