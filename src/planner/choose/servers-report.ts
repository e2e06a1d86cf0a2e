/** How many servers, as a report: every reading, and why the answer is what it is. */
import { type Figure, figure } from "../report/figure.ts";
import type { Report, Table } from "../report/report.ts";
import { formatNumber } from "../report/unit.ts";
import {
  type Fitted,
  type Reading,
  type ServersAnswer,
  type ServersQuestion,
  serversFor,
} from "./servers.ts";

type Inputs = readonly (readonly [string, number, "perSecond" | "ms"])[];

/** How many servers, by every reading of the question. */
export function serversReport(question: ServersQuestion): Report {
  const found = serversFor(question);
  const inputs: Inputs = [
    ["rate", question.rateRps, "perSecond"],
    ["rated load", question.serverRps, "perSecond"],
    ["at a p99 of", question.serverP99Ms, "ms"],
    ["wanted p99", question.objectiveMs, "ms"],
  ];
  return {
    title: `Servers for ${formatNumber(question.rateRps, "perSecond")} at p99 < ${formatNumber(question.objectiveMs, "ms")}`,
    answer: answerOf(found),
    sections: [readingTable(found, inputs), fitTable(found.fits, inputs), lessons(question, found)],
  };
}

function answerOf({ readings, fits, answer, contentionMax, p99Ms }: ServersAnswer): string[] {
  const naive = readings[0]?.servers ?? 0;
  const spare = 1 / (fits[0]?.busy ?? 1) - 1;
  return [
    `${formatNumber(answer, "count")} servers: each at most 70 % busy with one lost, and the rated load with a zone of three lost.`,
    `Division says ${formatNumber(naive, "count")}; that has nothing to spare: were a server one worker, ${formatNumber(spare, "share", 2)} more load would be a queue without end.`,
    `With one lost the p99 is ${formatNumber(p99Ms.oneLost.best, "ms", 2)} to ${formatNumber(p99Ms.oneLost.worst, "ms", 2)}, by what a server is inside.`,
    contentionMax === Infinity
      ? "Nothing is shared by one server."
      : `It holds while less than ${formatNumber(contentionMax, "share", 2)} of the work is done one after the other in what all share: measure one and four servers.`,
  ];
}

function readingTable({ readings }: ServersAnswer, inputs: Inputs): Table {
  const right = { align: "right" } as const;
  return {
    kind: "table",
    title: "Readings",
    columns: [
      { title: "reading" },
      { title: "of one server", ...right },
      { title: "servers", ...right },
      { title: "with one lost", ...right },
    ],
    rows: readings.map((reading, index) => [
      reading.name,
      reading.perServerRps === undefined
        ? ""
        : figure({
            key: `perServer${index}`,
            label: `of one server, ${reading.name}`,
            value: reading.perServerRps,
            unit: "perSecond",
            formula: reading.formula,
            inputs,
            digits: 4,
          }),
      count(`servers${index}`, reading, reading.servers, inputs),
      reading.withOneLost === undefined
        ? ""
        : count(`withOneLost${index}`, reading, reading.withOneLost, inputs),
    ]),
  };
}

function count(key: string, { name, formula }: Reading, value: number, inputs: Inputs): Figure | string {
  if (value === Infinity) return "never";
  const label = `${key.startsWith("with") ? "servers with one lost" : "servers"}, ${name}`;
  return figure({ key, label, value, unit: "count", formula, inputs });
}

function fitTable(fits: readonly Fitted[], inputs: Inputs): Table {
  const right = { align: "right" } as const;
  const source = "M/M/c; Erlang 1917";
  return {
    kind: "table",
    title: "What one server may be inside: each fits its rating",
    columns: [
      { title: "workers", ...right },
      { title: "service time", ...right },
      { title: "busy at the rated load", ...right },
      { title: "load at the wanted p99", ...right },
    ],
    rows: fits.map(({ workers, serviceMs, busy, perServerRps }) => [
      `${workers}`,
      figure({
        key: `service${workers}`,
        label: `service time of ${workers} workers`,
        value: serviceMs,
        unit: "ms",
        formula: "the service time at which the rated load has the rated p99",
        inputs,
        source,
        digits: 3,
      }),
      figure({
        key: `busy${workers}`,
        label: `busy at the rated load, ${workers} workers`,
        value: busy,
        unit: "share",
        formula: "rated load x service time / workers",
        inputs,
        digits: 3,
      }),
      figure({
        key: `load${workers}`,
        label: `load at the wanted p99, ${workers} workers`,
        value: perServerRps,
        unit: "perSecond",
        formula: "the rate at which M/M/c has the wanted p99",
        inputs,
        source,
        digits: 4,
      }),
    ]),
  };
}

function lessons(
  { serverRps, serverP99Ms, objectiveMs }: ServersQuestion,
  found: ServersAnswer,
): Report["sections"][number] {
  const { fits, queues, readings } = found;
  const gain = (fits[0]?.perServerRps ?? serverRps) / serverRps - 1;
  const never = readings.filter(({ servers }) => servers === Infinity);
  return {
    kind: "notes",
    title: "Why",
    lines: [
      `From ${formatNumber(serverP99Ms, "ms")} to ${formatNumber(objectiveMs, "ms")} buys ${formatNumber(gain, "share", 2)} more load where a server was nearly full.`,
      `The divided number as one queue for all has a p99 of ${formatNumber(queues.shared, "ms", 2)}, as queues apart ${formatNumber(queues.apart, "ms", 2)}: what balancing by load can win at most.`,
      "Two points tell the contention: c = (4 X(1) / X(4) - 1) / 3 of the throughput of one and of four servers.",
      ...(never.length === 0
        ? []
        : [
            `No number of servers is enough at: ${never.map(({ name }) => name).join("; ")}. Mend what they share first.`,
          ]),
    ],
  };
}
