/** Reports on queues that turn requests away: M/M/c/K and Erlang's formulas. */
import { figure } from "../report/figure.ts";
import type { Report } from "../report/report.ts";
import { formatNumber } from "../report/unit.ts";
import { valueTable } from "../report/value-table.ts";
import { erlangB, erlangC } from "./erlang.ts";
import { mmck } from "./mmck.ts";
import { inputsOf, type QueueQuestion } from "./question.ts";
import { squareRootStaffing } from "./staffing.ts";

/** A queue with room for so many. */
export function boundedReport(question: QueueQuestion, capacity: number): Report {
  const queue = mmck({ ...question, capacity });
  const source = "Kleinrock, Queueing Systems I, 3.6";
  const inputs: [string, number, "perSecond" | "ms" | "count"][] = [
    ...inputsOf(question),
    ["capacity", capacity, "count"],
  ];
  return {
    title: `M/M/${question.servers}/${capacity}: at most ${capacity} at once, the rest is turned away`,
    answer: [
      `${formatNumber(queue.refusedShare, "share", 4)} of the requests are turned away; the others are answered in ${formatNumber(queue.responseMs, "ms", 4)} on average.`,
    ],
    sections: [
      valueTable("Steady state", [
        figure({
          key: "refusedShare",
          label: "turned away",
          value: queue.refusedShare,
          unit: "share",
          formula: "p(capacity), p(n) = p(n-1) x load / min(n, servers)",
          inputs,
          source,
        }),
        figure({
          key: "throughputRps",
          label: "let in",
          value: queue.throughputRps,
          unit: "perSecond",
          formula: "rate x (1 - turned away)",
          inputs,
          source,
        }),
        figure({
          key: "utilisation",
          label: "utilisation",
          value: queue.utilisation,
          unit: "share",
          formula: "let in x time / servers",
          inputs,
          source,
        }),
        figure({
          key: "emptyShare",
          label: "nobody there",
          value: queue.emptyShare,
          unit: "share",
          formula: "p(0)",
          inputs,
          source,
        }),
        figure({
          key: "waitMs",
          label: "mean wait",
          value: queue.waitMs,
          unit: "ms",
          formula: "mean number that waits / let in",
          inputs,
          source,
        }),
        figure({
          key: "responseMs",
          label: "mean answer",
          value: queue.responseMs,
          unit: "ms",
          formula: "mean number in the system / let in",
          inputs,
          source,
        }),
        figure({
          key: "inSystem",
          label: "mean number in the system",
          value: queue.inSystem,
          unit: "ratio",
          formula: "sum of n x p(n)",
          inputs,
          source,
        }),
      ]),
    ],
  };
}

/** Erlang B and C, and the rule of thumb, for a load in erlangs. */
export function erlangReport(load: number, servers: number): Report {
  const inputs: [string, number, "ratio" | "count"][] = [
    ["load", load, "ratio"],
    ["servers", servers, "count"],
  ];
  const [blocked, waits] = [erlangB(servers, load), erlangC(servers, load)];
  return {
    title: `${formatNumber(load, "ratio")} erlangs on ${servers} servers`,
    answer: [
      `Without a queue ${formatNumber(blocked, "share", 4)} are turned away; with one ${formatNumber(waits, "share", 4)} wait${load >= servers ? ", and ever longer: there is no steady state" : ""}.`,
    ],
    sections: [
      valueTable("Erlang's formulas", [
        figure({
          key: "erlangB",
          label: "Erlang B: turned away",
          value: blocked,
          unit: "share",
          formula: "B(k) = load B(k-1) / (k + load B(k-1)), B(0) = 1",
          inputs,
          source: "Erlang 1917",
        }),
        figure({
          key: "erlangC",
          label: "Erlang C: wait",
          value: waits,
          unit: "share",
          formula: "B / (1 - load/servers x (1 - B))",
          inputs,
          source: "Erlang 1917",
        }),
        ...[1, 2, 3].map((k) =>
          figure({
            key: `squareRoot${k}`,
            label: `load + ${k} square root of it`,
            value: squareRootStaffing(load, k),
            unit: "count",
            formula: `ceil(load + ${k} x sqrt(load))`,
            inputs,
            source: "Halfin & Whitt 1981",
          }),
        ),
      ]),
    ],
  };
}
