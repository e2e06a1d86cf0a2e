/**
 * The simulator against theory on every case that has one: how far is the mean answer off?
 *
 * Each case runs several times from different seeds; the figure is the mean of the runs over theory, with a 95 %
 * interval from their spread. The promise is 1 %.
 *
 *     bin/bun bench/simulate-theory.ts [--runs 8] [--requests 3000000]
 */
import {
  closedNetwork,
  type Design,
  ggc,
  mmc,
  mmck,
  openNetwork,
  parseDesign,
  simulate,
} from "../src/planner/index.ts";
import { options } from "./harness/arguments.ts";
import type { Verdict } from "./harness/figures.ts";
import { conclude } from "./harness/results.ts";

const { runs, requests } = options({ runs: 8, requests: 3_000_000 });

/** t(0.975) of eight runs; of another number the interval is a little off. */
const T = 2.365;

/** What chance may add when a case has long memory: the interval must hold the theory, or be within the promise. */
const PROMISE = 0.01;

/** Cases with seeds of their own do not stray together. */
const SEEDS_APART = 1000;

interface Case {
  readonly name: string;
  readonly design: object;
  readonly rateRps: number;
  readonly theoryMs: number;
}

const service = (over: object): object => ({ kind: "service", time: "10ms", queueMax: 10_000_000, ...over });
const open = (rateRps: number, nodes: object): object => ({
  clients: { all: { to: "app", rate: `${rateRps}/s`, timeout: "0" } },
  nodes,
});

function steadyMs(queue: ReturnType<typeof mmc> | ReturnType<typeof ggc>): number {
  if (queue.kind === "unstable") throw new Error("a case without a steady state");
  return queue.responseMs;
}

const markov = (rateRps: number, servers: number): Case => ({
  name: `M/M/${servers} at ${Math.round((rateRps / servers) * 1)} %`,
  design: open(rateRps, { app: service({ cores: servers }) }),
  rateRps,
  theoryMs: steadyMs(mmc({ rateRps, serviceMs: 10, servers })),
});

const general = (cv: number): Case => ({
  name: `M/G/1 at 80 %, cv ${cv}`,
  design: open(80, { app: service({ time: { mean: "10ms", cv } }) }),
  rateRps: 80,
  theoryMs: steadyMs(ggc({ rateRps: 80, serviceMs: 10, servers: 1, arrivalCv: 1, serviceCv: cv })),
});

function tandem(): Case {
  const nodes = {
    app: service({ calls: ["db"] }),
    db: { kind: "database", cores: 1, read: "12ms", queueMax: 10_000_000 },
  };
  const plain = openNetwork(60, [
    { name: "app", visits: 1, serviceMs: 10, servers: 1 },
    { name: "db", visits: 1, serviceMs: 12, servers: 1 },
  ]);
  if (plain.kind === "unstable") throw new Error("a case without a steady state");
  return {
    name: "tandem of 60 % and 72 %",
    design: open(60, nodes),
    rateRps: 60,
    theoryMs: plain.responseMs,
  };
}

function closed(): Case {
  const { responseMs, throughputRps } = closedNetwork(30, 200, [
    { name: "app", visits: 1, serviceMs: 10, servers: 1 },
  ]);
  const design = {
    clients: { all: { to: "app", users: 30, think: "200ms", timeout: "0" } },
    nodes: { app: service({}) },
  };
  return { name: "30 users who think 200 ms", design, rateRps: throughputRps, theoryMs: responseMs };
}

/** Six in the system, four of them served: the pool holds six, the service works on four. */
function bounded(): Case {
  const queue = mmck({ rateRps: 500, serviceMs: 10, servers: 4, capacity: 6 });
  const design = open(500, { app: service({ cores: 4, queueMax: 2 }) });
  return { name: "M/M/4/6 at 125 %", design, rateRps: 500, theoryMs: queue.responseMs };
}

const CASES: readonly Case[] = [
  markov(50, 1),
  markov(80, 1),
  markov(90, 1),
  markov(240, 3),
  general(0),
  general(1),
  general(2),
  bounded(),
  tandem(),
  closed(),
];

const verdicts: Verdict[] = [];
for (const [index, one] of CASES.entries()) {
  const ratios = Array.from(
    { length: runs },
    (_, seed) => simulate(designOf(one, index * SEEDS_APART + seed)).total.latency.meanMs / one.theoryMs,
  );
  const mean = ratios.reduce((sum, ratio) => sum + ratio, 0) / runs;
  const deviation = Math.sqrt(ratios.reduce((sum, ratio) => sum + (ratio - mean) ** 2, 0) / (runs - 1));
  const half = (T * deviation) / Math.sqrt(runs);
  verdicts.push({
    claim: `${one.name}: simulated mean within 1 % of theory`,
    figure: `${mean.toFixed(4)}x (±${half.toFixed(4)})`,
    met: Math.abs(mean - 1) <= PROMISE,
  });
}
conclude("simulate-theory", verdicts, { runs, requests });

function designOf({ design, rateRps }: Case, seed: number): Design {
  const duration = `${Math.round(requests / rateRps)}s`;
  const run = {
    duration,
    warmUp: "60s",
    seed,
    inSystemMax: 1_000_000,
    requestsMax: 1_000_000_000,
    window: "600s",
  };
  const outcome = parseDesign({ ...design, run });
  if (outcome.kind === "problems")
    throw new Error(outcome.problems.map(({ path, what }) => `${path} ${what}`).join("\n"));
  return outcome.value;
}
