/**
 * Which balancing algorithm.
 *
 * Taking turns gives each target a queue of its own, fed evenly (arrival cv^2 = 1/n); asking who is idle is at best one
 * queue for all. The p99 of both is known (G/G/c), so the rule compares what turns would cost here.
 */
import { ggc, responseQuantile } from "../queueing/index.ts";
import { formatNumber } from "../report/unit.ts";
import type { Facts } from "./facts.ts";
import { met, type NumberTrigger, question, type Trigger, type Verdict } from "./question.ts";

/** A fifth more at the p99 is what a graph shows at a glance. */
const WORSE = 1.2;

/** A target that is at times twice as slow as its peers is seen by its latency, before its queue grows. */
const SLOW = 2;

/** A tenth stronger is within what scheduling on one machine makes of itself. */
const STRONGER = 1.1;

/** Up to here our least requests looks at all; beyond, the best of two drawn is as good and cheaper. */
const LOOKED_AT = 64;

/** Beyond this many targets one queue is as good as endless, and the exact sums are slow. */
const QUEUE_TARGETS_MAX = 200;

type Asked = Pick<
  Facts,
  "tasks" | "busy" | "costCv" | "cpuMs" | "speedSpread" | "strengthSpread" | "longLived" | "state"
>;
type Numbers = Readonly<Record<"turns" | "slow" | "stronger" | "many", NumberTrigger>>;

interface Algorithm {
  readonly choice: string;
  readonly tradeOff: string;
  readonly holds: (facts: Asked, numbers: Numbers) => boolean;
}

/** The first that holds. */
const ALGORITHMS: readonly Algorithm[] = [
  {
    choice: "consistent-hash",
    tradeOff: "load is as uneven as the keys; boundedLoad spills over",
    holds: ({ state }) => state === "room",
  },
  {
    choice: "least-response-time",
    tradeOff: "it follows what it measured last: a target that recovers waits until it is tried again",
    holds: ({ tasks }, { slow }) => tasks > 1 && met(slow),
  },
  {
    choice: "p2c",
    tradeOff: "the most idle target is not always found, only a good one",
    holds: ({ longLived }, { turns, many }) => (longLived || met(turns)) && met(many),
  },
  {
    choice: "least-requests",
    tradeOff: "a target that answers errors quickly draws requests: ejection must be on",
    holds: ({ longLived }, { turns }) => longLived || met(turns),
  },
  {
    choice: "weighted-round-robin",
    tradeOff: "weights are written by hand, and must be kept true",
    holds: (_, { stronger }) => met(stronger),
  },
  {
    choice: "round-robin",
    tradeOff: "it looks at nothing: a slow target gets as much as a fast one",
    holds: () => true,
  },
];

/** Which balancing algorithm. */
export const algorithm: ReturnType<typeof question> = question({
  asks: "balancing algorithm",
  reads: ["tasks", "busy", "costCv", "cpuMs", "speedSpread", "strengthSpread", "longLived", "state"],
  decide: (facts): Verdict => {
    const numbers = numbersOf(facts);
    const found = ALGORITHMS.find(({ holds }) => holds(facts, numbers));
    const { choice = "round-robin", tradeOff = "" } = found ?? {};
    return { choice, answer: choice, tradeOff, triggers: triggersOf(facts, numbers) };
  },
});

/** The p99 of turns over that of one shared queue, at best. */
function numbersOf(facts: Asked): Numbers {
  const { tasks, busy, costCv, cpuMs, speedSpread, strengthSpread } = facts;
  const [apart, shared] = [p99Of(facts, 1), p99Of(facts, Math.min(tasks, QUEUE_TARGETS_MAX))];
  const given = { kind: "number", unit: "ratio", formula: "given, or assumed" } as const;
  return {
    turns: {
      ...given,
      key: "turns",
      what: "p99 by turns, over that of one queue for all",
      value: apart / shared,
      threshold: WORSE,
      formula: `p99 of G/G/1 / p99 of G/G/c: ${formatNumber(apart, "ms", 3)} / ${formatNumber(shared, "ms", 3)}`,
      inputs: [
        ["targets", tasks, "count"],
        ["busy", busy, "share"],
        ["cv", costCv, "ratio"],
        ["time", cpuMs, "ms"],
      ],
      because: "a fifth more at the p99 is seen on any graph",
      source: "Allen & Cunneen 1978",
    },
    slow: {
      ...given,
      key: "speedSpread",
      what: "slowest target over the fastest, at times",
      value: speedSpread,
      threshold: SLOW,
      because: "twice as slow is seen by latency before the queue has grown",
    },
    stronger: {
      ...given,
      key: "strengthSpread",
      what: "strongest machine over the weakest",
      value: strengthSpread,
      threshold: STRONGER,
      because: "a tenth is within what one machine varies by itself",
    },
    many: {
      ...given,
      key: "targets",
      what: "targets",
      value: tasks,
      threshold: LOOKED_AT + 1,
      unit: "count",
      because: "up to 64 are all looked at; beyond, the best of two drawn is as good",
      becauseSource: "Mitzenmacher 2001",
    },
  };
}

/** What is busier than this is as good as full, and its p99 a matter of rounding. */
const BUSY_MAX = 0.999;

/** Of one queue over `servers`, all tasks together as busy as said; 1 = a queue for each, by turns. */
function p99Of({ tasks, busy, costCv, cpuMs }: Asked, servers: number): number {
  const serviceMs = cpuMs > 0 ? cpuMs : 1;
  const rateRps = (servers * Math.min(busy, BUSY_MAX) * 1000) / serviceMs;
  const arrivalCv = servers === 1 ? Math.sqrt(1 / tasks) : 1;
  const queue = ggc({ rateRps, serviceMs, servers, arrivalCv, serviceCv: costCv });
  return queue.kind === "steady" ? responseQuantile(queue, 0.99) : Infinity;
}

function triggersOf({ state, longLived }: Asked, numbers: Numbers): Trigger[] {
  return [
    ...Object.values(numbers),
    {
      kind: "word",
      what: "what a task keeps",
      is: state,
      wanted: "room",
      because: "whoever shares a room must meet in it",
    },
    {
      kind: "word",
      what: "connections stay",
      is: longLived ? "yes" : "no",
      wanted: "yes",
      because: "turns even out arrivals, not what has stayed",
    },
  ];
}
