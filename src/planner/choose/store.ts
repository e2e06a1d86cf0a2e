/**
 * SQL, or which other kind of store. SQL unless a limit that can be named is met: a relational database joins, checks
 * and changes its mind; every other kind gives some of that away for one thing that it does better.
 */

import { MACHINE_BYTES, PRIMARY_WRITES_RPS } from "../database-server.ts";
import { formatNumber } from "../report/unit.ts";
import type { Facts } from "./facts.ts";
import { met, type NumberTrigger, question, type Trigger, type Verdict } from "./question.ts";

/** Beyond three joins of a table with itself a planner multiplies its guesses, and is off by powers of ten. */
const GRAPH_DEPTH = 4;

/** A megabyte in a row is read, cached, backed up and sent to each replica with it. */
const OBJECT_BYTES = 1e6;

type Read = "joins" | "graphDepth" | "objectBytes" | "appendOnly" | "writeRps" | "sizeBytes";
type Asked = Pick<Facts, Read>;

interface Kind {
  readonly choice: string;
  readonly answer: string;
  readonly tradeOff: string;
  readonly holds: (facts: Asked, numbers: ReturnType<typeof numbersOf>) => boolean;
}

/** The first that holds. */
const KINDS: readonly Kind[] = [
  {
    choice: "graph",
    answer: "a graph store for that part, SQL for the rest",
    tradeOff: "a second system, and nothing that is true in both at once",
    holds: (_, { depth }) => met(depth),
  },
  {
    choice: "time-series",
    answer: "a time-series store",
    tradeOff: "no updates, and questions by time only",
    holds: ({ appendOnly }, { writes, size }) => appendOnly && (met(writes) || met(size)),
  },
  {
    choice: "wide-column",
    answer: "a wide-column store",
    tradeOff: "no joins, no transactions across keys, and each question needs a table of its own",
    holds: ({ joins }, { size }) => joins === "none" && met(size),
  },
  {
    choice: "key-value",
    answer: "a key-value store",
    tradeOff: "no joins, and no question but by key",
    holds: ({ joins }, { writes }) => joins === "none" && met(writes),
  },
  {
    choice: "sql-and-objects",
    answer: "SQL, and an object store for the files",
    tradeOff: "a file and its row are not written in one transaction: write the file first",
    holds: (_, { object }) => met(object),
  },
  {
    choice: "sql",
    answer: "SQL",
    tradeOff: "a schema that has to be changed with care; columns of JSON hold what varies",
    holds: () => true,
  },
];

/** SQL or another kind of store. */
export const store: ReturnType<typeof question> = question({
  asks: "SQL or another kind of store",
  reads: ["joins", "graphDepth", "objectBytes", "appendOnly", "writeRps", "sizeBytes"],
  decide: (facts): Verdict => {
    const numbers = numbersOf(facts);
    const kind = KINDS.find(({ holds }) => holds(facts, numbers));
    const { choice = "sql", answer = "SQL", tradeOff = "" } = kind ?? {};
    return { choice, answer, tradeOff, triggers: triggersOf(facts, numbers), more: moreOf(choice, facts) };
  },
});

function numbersOf({
  graphDepth,
  objectBytes,
  writeRps,
  sizeBytes,
}: Asked): Readonly<Record<"depth" | "object" | "writes" | "size", NumberTrigger>> {
  const of = (
    key: string,
    what: string,
    value: number,
    rest: Pick<NumberTrigger, "unit" | "threshold" | "because">,
  ): NumberTrigger => ({ kind: "number", key, what, value, formula: "given, or assumed", ...rest });
  return {
    depth: of("storeDepth", "steps of a graph in one question", graphDepth, {
      unit: "count",
      threshold: GRAPH_DEPTH,
      because: "beyond three joins of a table with itself a planner only guesses",
    }),
    object: of("storeObject", "size of one value", objectBytes, {
      unit: "bytes",
      threshold: OBJECT_BYTES,
      because: "a megabyte in a row is cached, backed up and replicated with it",
    }),
    writes: of("storeWrites", "writes", writeRps, {
      unit: "perSecond",
      threshold: PRIMARY_WRITES_RPS,
      because: "one primary's, batched",
    }),
    size: of("storeSize", "data", sizeBytes, {
      unit: "bytes",
      threshold: MACHINE_BYTES,
      because: "one machine restores 10 TB at 300 MB/s in nine hours",
    }),
  };
}

function triggersOf({ joins, appendOnly }: Asked, numbers: ReturnType<typeof numbersOf>): Trigger[] {
  return [
    ...Object.values(numbers),
    {
      kind: "word",
      what: "questions across tables",
      is: joins,
      wanted: "none",
      because: "what is only asked for by its key needs no SQL",
    },
    {
      kind: "word",
      what: "rows never change",
      is: appendOnly ? "yes" : "no",
      wanted: "yes",
      because: "what is only added and asked for by time compresses tenfold and expires by the block",
    },
  ];
}

/** SQL beyond one machine is still SQL, and says so. */
function moreOf(choice: string, { writeRps, sizeBytes }: Asked): string[] {
  if (!choice.startsWith("sql") || (writeRps < PRIMARY_WRITES_RPS && sizeBytes < MACHINE_BYTES)) return [];
  const limits = `${formatNumber(PRIMARY_WRITES_RPS, "perSecond")} and ${formatNumber(MACHINE_BYTES, "bytes")}`;
  return [
    `One machine (${limits}) does not carry it, but questions across tables need SQL: ask \`tenfold choose database\` for the way.`,
  ];
}
