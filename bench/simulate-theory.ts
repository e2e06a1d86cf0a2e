/**
 * The simulator against theory on every case that has one: how far is the mean answer off?
 *
 * Each case runs several times from different seeds; the figure is the mean of the runs over theory, with a 95 %
 * interval from their spread. The promise is 1 %. Two cases have production's balancer in the loop: random choice makes
 * one queue into several like it (M/M/1), turns make arrivals regular (E_k/M/1).
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

const PROMISE = 0.01;

/** How many times as many requests a case gets whose waits remember each other for long, so that chance is small beside the promise. */
const LONGER = 4;

/** Cases with seeds of their own do not stray together. */
const SEEDS_APART = 1000;

interface Case {
  readonly name: string;
  readonly design: object;
  readonly rateRps: number;
  readonly theoryMs: number;
  readonly times?: number;
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
  name: `M/M/${servers} at ${rateRps / servers} %`,
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

/** A request works at both stations before its user thinks again. */
function closedTandem(): Case {
  const { responseMs, throughputRps } = closedNetwork(30, 200, [
    { name: "app", visits: 1, serviceMs: 10, servers: 2 },
    { name: "db", visits: 1, serviceMs: 8, servers: 1 },
  ]);
  const nodes = {
    app: service({ cores: 2, calls: ["db"] }),
    db: { kind: "database", cores: 1, read: "8ms", queueMax: 10_000_000 },
  };
  const clients = { all: { to: "app", users: 30, think: "200ms", timeout: "0" } };
  return {
    name: "30 users, two stations",
    design: { clients, nodes },
    rateRps: throughputRps,
    theoryMs: responseMs,
  };
}

/** A gateway before four tasks of one core at 80 %. */
const balanced = (algorithm: string, theoryMs: number): Case => ({
  name: `four tasks at 80 %, ${algorithm}`,
  design: {
    clients: { all: { to: "web", rate: "320/s", timeout: "0" } },
    nodes: {
      web: { kind: "gateway", to: "app", group: { algorithm, connections: { perTargetMax: 65_535 } } },
      app: service({ tasks: 4 }),
    },
  },
  rateRps: 320,
  theoryMs,
});

/** G/M/1 with arrivals that are sums of `stages` exponentials: sigma = A*(mu (1 - sigma)), T = 1 / (mu (1 - sigma)). */
function erlangArrivalsMs(rateRps: number, stages: number, serviceMs: number): number {
  const serviceRps = 1000 / serviceMs;
  let sigma = 0.5;
  for (let i = 0; i < 1000; i++) {
    const stageRps = stages * rateRps;
    sigma = (stageRps / (stageRps + serviceRps * (1 - sigma))) ** stages;
  }
  return 1000 / (serviceRps * (1 - sigma));
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
  { ...markov(90, 1), times: LONGER },
  markov(240, 3),
  general(0),
  general(1),
  { ...general(2), times: LONGER },
  bounded(),
  tandem(),
  closed(),
  closedTandem(),
  balanced("random", 50),
  balanced("round-robin", erlangArrivalsMs(80, 4, 10)),
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

function designOf({ design, rateRps, times = 1 }: Case, seed: number): Design {
  const duration = `${Math.round((requests * times) / rateRps)}s`;
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
