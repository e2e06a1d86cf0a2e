/** Reports on queues that turn requests away: M/M/c/K and Erlang's formulas. */
import { type Figure, figure } from "../report/figure.ts";
import type { Report } from "../report/report.ts";
import { formatNumber, type Unit } from "../report/unit.ts";
import { valueTable } from "../report/value-table.ts";
import { erlangB, erlangC } from "./erlang.ts";
import { type Mmck, mmck } from "./mmck.ts";
import { boundedQuantile } from "./mmck-tails.ts";
import { type Inputs, inputsOf, type QueueQuestion } from "./question.ts";
import { squareRootStaffing } from "./staffing.ts";
import { fullAfterMs, unstable } from "./steady.ts";

/** Figures of M/M/c/K: key, what, unit, how. */
const BOUNDED: readonly (readonly [keyof Mmck, string, Unit, string])[] = [
  ["refusedShare", "turned away", "share", "p(capacity), p(n) = p(n-1) x load / min(n, servers)"],
  ["throughputRps", "let in", "perSecond", "rate x (1 - turned away)"],
  ["utilisation", "utilisation", "share", "let in x time / servers"],
  ["emptyShare", "nobody there", "share", "p(0)"],
  ["waitMs", "mean wait", "ms", "mean number that waits / let in"],
  ["responseMs", "mean answer", "ms", "wait + time"],
  ["queued", "mean number that waits", "ratio", "sum of (n - servers) x p(n) for n > servers"],
  ["inSystem", "mean number in the system", "ratio", "sum of n x p(n)"],
];

/** A queue with room for so many. */
export function boundedReport(question: QueueQuestion, capacity: number): Report {
  const queue = mmck({ ...question, capacity });
  const inputs: Inputs = [...inputsOf(question), ["capacity", capacity, "count"]];
  const figures = BOUNDED.map(([key, label, unit, formula]) =>
    figure({
      key,
      label,
      value: Number(queue[key]),
      unit,
      formula,
      inputs,
      source: "Kleinrock, Queueing Systems I, 3.6",
    }),
  );
  const p99Ms = boundedQuantile({ ...question, capacity }, 0.99);
  const filling = fillingFigure(question, capacity);
  return {
    title: `M/M/${question.servers}/${capacity}: at most ${capacity} at once, the rest is turned away`,
    answer: [
      `${formatNumber(queue.refusedShare, "share", 4)} of the requests are turned away; the others are answered in ${formatNumber(queue.responseMs, "ms", 4)} on average, 99 % of them within ${formatNumber(p99Ms, "ms", 3)}.`,
      ...(filling === undefined
        ? []
        : [
            `More comes than can be served: from empty it is full after about ${formatNumber(filling.value, "ms", 3)}.`,
          ]),
    ],
    sections: [
      valueTable("Steady state", [
        ...figures,
        ...quantileFigures(question, capacity),
        ...(filling === undefined ? [] : [filling]),
      ]),
    ],
  };
}

function quantileFigures(question: QueueQuestion, capacity: number): Figure[] {
  return [50, 90, 99].map((percent) =>
    figure({
      key: `p${percent}Ms`,
      label: `p${percent} answer`,
      value: boundedQuantile({ ...question, capacity }, percent / 100),
      unit: "ms",
      formula:
        "the t at which what is left of those let in is still there: a wait for k departures, each after time / servers on average, then a service",
      inputs: [...inputsOf(question), ["capacity", capacity, "count"]],
      source: "Kleinrock, Queueing Systems I, 3.6; uniformisation by Jensen 1953",
    }),
  );
}

/** How long an overload takes to fill the servers and then the room behind them, as a fluid; undefined without one. */
function fillingFigure(question: QueueQuestion, capacity: number): Figure | undefined {
  const { rateRps, serviceMs, servers } = question;
  const overload = unstable(rateRps, serviceMs, servers);
  if (overload === undefined || overload.growthRps === 0) return undefined;
  return figure({
    key: "fullAfterMs",
    label: "from empty to full, about",
    value: serviceMs * Math.log(rateRps / overload.growthRps) + fullAfterMs(overload, capacity - servers),
    unit: "ms",
    formula: "time x ln(rate / growth) + (capacity - servers) / growth, growth = rate - servers / time",
    inputs: [
      ...inputsOf(question),
      ["capacity", capacity, "count"],
      ["growth", overload.growthRps, "perSecond"],
    ],
    digits: 3,
  });
}

/** Erlang B and C, and the rule of thumb, for a load in erlangs. */
export function erlangReport(load: number, servers: number): Report {
  const inputs: Inputs = [
    ["load", load, "ratio"],
    ["servers", servers, "count"],
  ];
  const source = "Erlang 1917";
  const [blocked, waits] = [erlangB(servers, load), erlangC(servers, load)];
  return {
    title: `${formatNumber(load, "ratio")} erlangs on ${servers} servers`,
    answer: [
      `Without a queue ${formatNumber(blocked, "share", 4)} are turned away; with one ${load >= servers ? "all wait, and ever longer: there is no steady state" : `${formatNumber(waits, "share", 4)} wait`}.`,
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
          source,
        }),
        figure({
          key: "erlangC",
          label: "Erlang C: wait",
          value: waits,
          unit: "share",
          formula: "B / (1 - load/servers x (1 - B))",
          inputs: [...inputs, ["B", blocked, "share"]],
          source,
        }),
        ...[1, 2, 3].map((k) => ruleOfThumb(load, k)),
      ]),
    ],
  };
}

function ruleOfThumb(load: number, k: number): Figure {
  return figure({
    key: `squareRoot${k}`,
    label: `servers by the rule of thumb, ${["", "lean", "usual", "generous"][k]}`,
    value: squareRootStaffing(load, k),
    unit: "count",
    formula: `ceil(load + ${k} x sqrt(load))`,
    inputs: [["load", load, "ratio"]],
    source: "Halfin & Whitt 1981",
  });
}
