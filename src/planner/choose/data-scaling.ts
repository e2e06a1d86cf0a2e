/**
 * The database's next step, on a ladder from the cheapest to the dearest: index, cache, bigger machine, replicas, pool,
 * partitions, shards.
 *
 * The load goes up the ladder, and each step that is taken takes its part off before the next is looked at: a cache may
 * make the replicas needless. Do not shard what an index would mend.
 */

import { BUSY, MACHINE_BYTES, PRIMARY_WRITES_RPS, SERVER_READS_RPS } from "../database-server.ts";
import type { Table } from "../report/report.ts";
import { formatNumber } from "../report/unit.ts";
import type { Facts } from "./facts.ts";
import { met, type NumberTrigger, question, type Verdict } from "./question.ts";

/** The last step. */
const SHARDS = "shards";

/** A B-tree finds one row of a million in four pages; a hundred rows looked at for one are a search without it. */
const SCANNED = 100;

/** A cache is one more system: worth it once it frees about a third of a server. */
const CACHE_FREES = 0.3;

/** Below half, most reads miss. */
const HIT_SHARE = 0.5;

/** Machines of four times the cores are for sale. Writes gain half of that: they pass one log. */
const BIGGER_READS = 4;
const BIGGER_WRITES = 2;

/** A replica near by is less than this behind; who must not notice even that reads at the primary. */
const REPLICA_LAG_MS = 100;

/** A process each: beyond the usual max_connections of 100 they cost memory and snapshots, not work done. */
const CONNECTIONS = 100;

/** A table whose vacuum takes hours, and whose index no longer fits beside anything else. */
const TABLE_BYTES = 100e9;

type Asked = Pick<
  Facts,
  | "readRps"
  | "writeRps"
  | "sizeBytes"
  | "tableBytes"
  | "memoryBytes"
  | "rowsScannedPerRow"
  | "connections"
  | "hotShare"
  | "staleMs"
  | "retentionDrop"
>;

/** What is left for the steps above: reads and writes as shares of what one machine carries at its busy target. */
interface Load {
  readonly reads: number;
  readonly writes: number;
}

/** A step: the number that asks for it, and what it leaves. */
interface Rung {
  readonly choice: string;
  readonly tradeOff: string;
  readonly trigger: (facts: Asked, load: Load) => NumberTrigger;
  readonly after?: (load: Load, facts: Asked) => Load;
  /** How much of it: "13 replicas that read". */
  readonly amount?: (facts: Asked, load: Load) => string;
}

/** A step with the number that it met. */
interface Step {
  readonly rung: Rung;
  readonly trigger: NumberTrigger;
  readonly taken: boolean;
  readonly amount: string;
}

const number = (parts: Omit<NumberTrigger, "kind">): NumberTrigger => ({ kind: "number", ...parts });

const RUNGS: readonly Rung[] = [
  {
    choice: "an index",
    tradeOff: "every write keeps it up to date",
    trigger: ({ rowsScannedPerRow }) =>
      number({
        key: "scanned",
        what: "rows looked at for each returned",
        value: rowsScannedPerRow,
        threshold: SCANNED,
        unit: "count",
        formula: "given, or assumed",
        because: "a B-tree finds one row of a million in four pages",
      }),
  },
  {
    choice: "a cache before it",
    tradeOff: "answers may be old, and a cold cache is a stampede unless misses are coalesced",
    trigger: ({ hotShare }, { reads }) =>
      number({
        key: "cached",
        what: "reads that a cache would take, of one server's",
        value: hotShare >= HIT_SHARE ? reads * hotShare : 0,
        threshold: CACHE_FREES,
        unit: "share",
        formula: "reads / 20,000/s x hot share; nothing below a hot share of one half",
        inputs: [["hot share", hotShare, "share"]],
        because: "worth one more system once it frees a third of a server",
      }),
    after: ({ reads, writes }, { hotShare }) => ({ reads: reads * (1 - hotShare), writes }),
  },
  {
    choice: "a bigger machine",
    tradeOff: "its price grows faster than its strength, and there is a largest",
    trigger: (_, { reads, writes }) =>
      number({
        key: "load",
        what: "load of one server",
        value: reads + writes,
        threshold: BUSY,
        unit: "share",
        formula: "reads left / 20,000/s + writes / 5,000/s",
        because: "waits begin to grow at 70 % busy",
      }),
    after: ({ reads, writes }) => ({ reads: reads / BIGGER_READS, writes: writes / BIGGER_WRITES }),
  },
  {
    choice: "replicas that read",
    tradeOff: "they are a little behind: who has just written reads at the primary",
    trigger: ({ staleMs }, { reads, writes }) =>
      number({
        key: "readsLeft",
        what: "load of the bigger machine, for the reads that may be behind",
        value: staleMs >= REPLICA_LAG_MS && reads > 0 ? reads + writes : 0,
        threshold: BUSY,
        unit: "share",
        formula: "reads left / 80,000/s + writes / 10,000/s; nothing where even 100 ms are noticed",
        inputs: [["age not noticed", staleMs, "ms"]],
        because: "waits begin to grow at 70 % busy",
      }),
    after: ({ writes }) => ({ reads: 0, writes }),
    amount: (_, { reads }) => {
      const count = Math.ceil(reads / BUSY);
      return count === 1 ? "a replica that reads" : `${formatNumber(count, "count")} replicas that read`;
    },
  },
  {
    choice: "a pool of connections",
    tradeOff: "what lives in a session (SET, LISTEN, prepared by name) needs care",
    trigger: ({ connections }) =>
      number({
        key: "connections",
        what: "connections",
        value: connections,
        threshold: CONNECTIONS,
        unit: "count",
        formula: "given, or assumed",
        because: "each is a process; beyond 100 they cost more than they do",
        becauseSource: "PostgreSQL's max_connections",
      }),
  },
  {
    choice: "partitions of the large table",
    tradeOff: "questions without the partition's key look everywhere",
    trigger: ({ tableBytes, memoryBytes, retentionDrop }) =>
      number({
        key: "table",
        what: "the largest table",
        value: tableBytes,
        threshold: retentionDrop ? 0 : Math.min(TABLE_BYTES, memoryBytes),
        unit: "bytes",
        formula: "given; all data unless said",
        because:
          "memory or 100 GB: a vacuum takes hours, the index fits no more; 0 where old rows go by the month",
      }),
  },
  {
    choice: SHARDS,
    tradeOff: "joins across shards are slow, transactions across them slower, and there is no way back",
    trigger: ({ sizeBytes }, { reads, writes }) =>
      number({
        key: "shard",
        what: "what the bigger machine is left with, or data of one machine's",
        value: Math.max((reads + writes) / BUSY, sizeBytes / MACHINE_BYTES),
        threshold: 1,
        unit: "share",
        formula: "max((writes / 10,000/s + reads that no replica may take) / 70 %, data / 10 TB)",
        inputs: [["data", sizeBytes, "bytes"]],
        because: "one machine's writes at 70 % busy, or what it restores within a night",
      }),
    amount: ({ sizeBytes }, { reads, writes }) =>
      `${formatNumber(Math.max(2, Math.ceil(Math.max((reads + writes) / BUSY, sizeBytes / MACHINE_BYTES))), "count")} shards`,
  },
];

/** Which step is next, and which follow. */
export const dataScaling: ReturnType<typeof question> = question({
  asks: "the database's next step",
  reads: [
    "readRps",
    "writeRps",
    "sizeBytes",
    "tableBytes",
    "memoryBytes",
    "rowsScannedPerRow",
    "connections",
    "hotShare",
    "staleMs",
    "retentionDrop",
  ],
  decide: (facts): Verdict => {
    const steps = climb(facts);
    const taken = steps.filter((step) => step.taken);
    const [next, ...later] = taken;
    return {
      choice: choiceOf(taken),
      answer: answerOf(taken),
      tradeOff: next?.rung.tradeOff ?? "none",
      triggers: steps.map(({ trigger }) => trigger),
      more: [
        ...(later.length === 0 ? [] : [`After it: ${later.map(({ amount }) => amount).join(", ")}.`]),
        ...(steps.at(-1)?.taken === true ? [] : [shardSentence(facts)]),
        ...(next?.rung.choice === "an index" ? ["Then ask again: every other number is of a search."] : []),
      ],
    };
  },
  sections: (facts) => [ladderTable(climb(facts))],
});

/** The next step, and whether it ends in shards: the two things that change what is built. */
function choiceOf([next, ...later]: readonly Step[]): string {
  if (next === undefined) return "nothing";
  const ends = later.some(({ rung }) => rung.choice === SHARDS);
  return ends ? `${next.rung.choice}, ${SHARDS} in the end` : next.rung.choice;
}

/** "do not shard" unless the last rung is needed: that is the dearest mistake. */
function answerOf(taken: readonly Step[]): string {
  const [next] = taken;
  if (next === undefined) return "nothing: do not shard, do not partition";
  const shards = taken.find(({ rung }) => rung.choice === SHARDS);
  if (shards === next) return `${next.amount}: nothing cheaper is left`;
  return `${next.amount}; ${shards === undefined ? "do not shard" : `in the end ${shards.amount}`}`;
}

/** The number that would change it: how far one primary is from its end. */
function shardSentence({ writeRps, sizeBytes }: Asked): string {
  const mostRps = PRIMARY_WRITES_RPS * BIGGER_WRITES * BUSY;
  const times = (most: number, now: number): string =>
    now === 0 ? "none now" : `${formatNumber(most / now, "count", 2)} times what there is`;
  return `Shards are for ${formatNumber(mostRps, "perSecond")} writes (${times(mostRps, writeRps)}) or ${formatNumber(MACHINE_BYTES, "bytes")} (${times(MACHINE_BYTES, sizeBytes)}).`;
}

function climb(facts: Asked): Step[] {
  let load: Load = {
    reads: facts.readRps / SERVER_READS_RPS,
    writes: facts.writeRps / PRIMARY_WRITES_RPS,
  };
  return RUNGS.map((rung) => {
    const trigger = rung.trigger(facts, load);
    const taken = met(trigger);
    const amount = taken ? (rung.amount?.(facts, load) ?? rung.choice) : "";
    if (taken) load = rung.after?.(load, facts) ?? load;
    return { rung, trigger, taken, amount };
  });
}

function ladderTable(steps: readonly Step[]): Table {
  return {
    kind: "table",
    title: "The ladder",
    columns: [{ title: "step" }, { title: "needed" }, { title: "it costs" }],
    rows: steps.map(({ rung, taken, amount }) => [
      taken ? amount : rung.choice,
      taken ? "yes" : "no",
      rung.tradeOff,
    ]),
  };
}
