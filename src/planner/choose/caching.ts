/** Which caching strategy: whether a cache is worth it, and how it learns of writes. */

import { BUSY, PRIMARY_WRITES_RPS } from "../database-server.ts";
import { formatNumber } from "../report/unit.ts";
import type { Facts } from "./facts.ts";
import { met, type NumberTrigger, question, type Trigger, type Verdict } from "./question.ts";

/** Below half, most reads miss, and each miss pays for the look as well. */
const HIT_SHARE = 0.5;

/** A value should be read again before it changes. */
const READS_PER_WRITE = 2;

/** Expiry alone is enough from a second on: shorter ones hit too seldom. */
const EXPIRY_MS = 1000;

/** A buffer that is flushed less often than this saves no writes. */
const LOSS_MS = 1000;

type Asked = Pick<
  Facts,
  "hotShare" | "readRps" | "writeRps" | "staleMs" | "readsOwnWrites" | "lossMs" | "sizeBytes"
>;
type Numbers = Readonly<Record<"hot" | "reads" | "stale" | "writes" | "loss", NumberTrigger>>;

interface Strategy {
  readonly choice: string;
  readonly answer: string;
  readonly tradeOff: string;
  readonly holds: (facts: Asked, numbers: Numbers) => boolean;
}

/** The first that holds. */
const STRATEGIES: readonly Strategy[] = [
  {
    choice: "write-behind",
    answer: "write-behind: writes are gathered and flushed",
    tradeOff: "a crash loses what was not flushed yet, and readers beside the cache see old values",
    holds: (_, { writes, loss }) => met(writes) && met(loss),
  },
  {
    choice: "none",
    answer: "no cache",
    tradeOff: "every read reaches the database",
    holds: (_, { hot, reads }) => !met(hot) || !met(reads),
  },
  {
    choice: "write-through",
    answer: "write-through: a write goes into the cache and the database",
    tradeOff: "each write pays for both, also for values that nobody reads",
    holds: ({ readsOwnWrites }) => readsOwnWrites,
  },
  {
    choice: "cache-aside with expiry",
    answer: "cache-aside with expiry",
    tradeOff:
      "answers may be as old as the expiry; misses have to be coalesced, or a cold cache is a stampede",
    holds: (_, { stale }) => met(stale),
  },
  {
    choice: "cache-aside with invalidation",
    answer: "cache-aside with invalidation on every write",
    tradeOff:
      "every write must reach the cache, and a load under way must not store what has just changed (leases)",
    holds: () => true,
  },
];

/** Which caching strategy. */
export const caching: ReturnType<typeof question> = question({
  asks: "caching strategy",
  reads: ["hotShare", "readRps", "writeRps", "staleMs", "readsOwnWrites", "lossMs", "sizeBytes"],
  decide: (facts): Verdict => {
    const numbers = numbersOf(facts);
    const found = STRATEGIES.find(({ holds }) => holds(facts, numbers));
    const { choice = "none", answer = "no cache", tradeOff = "" } = found ?? {};
    return {
      choice,
      answer,
      tradeOff,
      triggers: triggersOf(facts, numbers),
      more: choice === "none" ? [] : [memorySentence(facts)],
    };
  },
});

function memorySentence({ sizeBytes, hotShare, readRps }: Asked): string {
  const spared = formatNumber(readRps * hotShare, "perSecond", 3);
  return `A tenth of the data, ${formatNumber(sizeBytes / 10, "bytes", 3)}, takes ${spared} off the database, if it fits.`;
}

function numbersOf({ hotShare, readRps, writeRps, staleMs, lossMs }: Asked): Numbers {
  const given = { kind: "number", formula: "given, or assumed" } as const;
  return {
    hot: {
      ...given,
      key: "hotShare",
      what: "share of reads of the hot tenth",
      value: hotShare,
      threshold: HIT_SHARE,
      unit: "share",
      because: "below half, most reads miss, and pay for the look as well",
    },
    reads: {
      ...given,
      key: "readsPerWrite",
      what: "reads for each write",
      value: writeRps === 0 ? Infinity : readRps / writeRps,
      threshold: READS_PER_WRITE,
      unit: "ratio",
      formula: "reads / writes",
      inputs: [
        ["reads", readRps, "perSecond"],
        ["writes", writeRps, "perSecond"],
      ],
      because: "a value should be read again before it changes",
    },
    stale: {
      ...given,
      key: "cacheStale",
      what: "age that a reader does not notice",
      value: staleMs,
      threshold: EXPIRY_MS,
      unit: "ms",
      because: "expiry alone is enough from a second on; shorter ones hit too seldom",
    },
    writes: {
      ...given,
      key: "cacheWrites",
      what: "writes of one primary's",
      value: writeRps / PRIMARY_WRITES_RPS,
      threshold: BUSY,
      unit: "share",
      formula: "writes / 5,000/s",
      inputs: [["writes", writeRps, "perSecond"]],
      because: "only a primary that is nearly full has writes to save",
    },
    loss: {
      ...given,
      key: "loss",
      what: "last writes that may be lost",
      value: lossMs,
      threshold: LOSS_MS,
      unit: "ms",
      because: "a buffer flushed more often than every second gathers little",
    },
  };
}

function triggersOf({ readsOwnWrites }: Asked, numbers: Numbers): Trigger[] {
  return [
    ...Object.values(numbers),
    {
      kind: "word",
      what: "a value is read right after it is written",
      is: readsOwnWrites ? "yes" : "no",
      wanted: "yes",
      because: "then the cache should hold it before it is asked for",
    },
  ];
}
