/**
 * How fast the simulator is with production's balancers in the loop, and what a large run costs.
 *
 *     bin/bun bench/simulate-speed.ts [--requests 2000000] [--large 10000000]
 */
import { type Design, parseDesign, simulate } from "../src/planner/index.ts";
import { options } from "./harness/arguments.ts";
import type { Verdict } from "./harness/figures.ts";
import { conclude } from "./harness/results.ts";

const { requests, large } = options({ requests: 2_000_000, large: 10_000_000 });

/** Utilisation of the tasks: busy, and with room for chance. */
const LOAD = 0.8;
const MIB = 1024 * 1024;

interface Speed {
  readonly seconds: number;
  readonly eventsPerSecond: number;
  readonly requests: number;
}

function run(algorithm: string, tasks: number, count: number): Speed {
  const startedMs = performance.now();
  const result = simulate(designOf(algorithm, tasks, count));
  const seconds = (performance.now() - startedMs) / 1000;
  return { seconds, eventsPerSecond: result.events / seconds, requests: result.total.requests };
}

function designOf(algorithm: string, tasks: number, count: number): Design {
  const rateRps = tasks * LOAD * 100;
  const outcome = parseDesign({
    clients: { all: { to: "web", rate: `${rateRps}/s` } },
    nodes: {
      web: { kind: "gateway", to: "app", group: { algorithm } },
      app: { kind: "service", tasks, time: "10ms" },
    },
    run: { duration: `${Math.ceil(count / rateRps)}s`, warmUp: "1s", requestsMax: count * 2 },
  });
  if (outcome.kind === "ok") return outcome.value;
  throw new Error(outcome.problems.map(({ path, what }) => `${path} ${what}`).join("\n"));
}

const verdicts: Verdict[] = [];
const figures: Record<string, Speed> = {};
for (const algorithm of ["round-robin", "least-requests", "p2c"]) {
  const speed = run(algorithm, 3, requests);
  figures[`${algorithm} 3`] = speed;
  verdicts.push({
    claim: `at least 2 million events/s on one core, ${algorithm} over 3 targets`,
    figure: `${(speed.eventsPerSecond / 1e6).toFixed(2)} million events/s`,
    met: speed.eventsPerSecond >= 2e6,
  });
}
const big = run("p2c", 1000, large);
figures["p2c 1000"] = big;
verdicts.push({
  claim: `1,000 tasks and ${(large / 1e6).toFixed(0)} million requests in less than 30 s`,
  figure: `${big.seconds.toFixed(1)} s`,
  met: big.seconds < 30,
});
const rssMib = process.resourceUsage().maxRSS / 1024;
verdicts.push({
  claim: "…in less than 1 GiB",
  figure: `${rssMib.toFixed(0)} MiB`,
  met: rssMib * MIB < 1024 * MIB,
});
conclude("simulate-speed", verdicts, figures);
