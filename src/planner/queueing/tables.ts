/** Tables and curves about one queue without a bound. */
import { figure } from "../report/figure.ts";
import type { Section, Series, Table } from "../report/report.ts";
import { formatNumber } from "../report/unit.ts";
import { valueTable } from "../report/value-table.ts";
import { ggc, waitQuantileNear } from "./ggc.ts";
import { type Mmc, mmc, responseQuantile } from "./mmc.ts";
import { inputsOf, type QueueQuestion } from "./question.ts";

const M_M_C = "Erlang 1917; Kleinrock, Queueing Systems I";

/** Loads at which the curve is drawn, as shares of what the servers can do. */
const CURVE = Array.from({ length: 39 }, (_, i) => (i + 1) * 0.025);

/** M/M/c: means, quantiles, numbers. */
export function markovTable(queue: Mmc): Table {
  const { rateRps, serviceMs, servers } = queue.input;
  const inputs = inputsOf(queue.input);
  const spare: [string, number, "perSecond"][] = [
    ["spare", (servers * 1000) / serviceMs - rateRps, "perSecond"],
  ];
  return valueTable("Steady state", [
    figure({
      key: "load",
      label: "load, erlangs",
      value: (rateRps * serviceMs) / 1000,
      unit: "ratio",
      formula: "rate x time",
      inputs,
    }),
    figure({
      key: "utilisation",
      label: "utilisation",
      value: queue.utilisation,
      unit: "share",
      formula: "rate x time / servers",
      inputs,
    }),
    figure({
      key: "emptyShare",
      label: "nobody there",
      value: queue.emptyShare,
      unit: "share",
      formula: "1 / (sum of load^k/k! for k < servers + load^servers/servers! / (1 - utilisation))",
      inputs,
      source: M_M_C,
    }),
    figure({
      key: "waitShare",
      label: "share that waits",
      value: queue.waitShare,
      unit: "share",
      formula: "C = B / (1 - utilisation x (1 - B)), B by Erlang's recursion",
      inputs,
      source: M_M_C,
    }),
    figure({
      key: "waitMs",
      label: "mean wait",
      value: queue.waitMs,
      unit: "ms",
      formula: "C / spare, spare = servers / time - rate",
      inputs: [...inputs, ...spare],
      source: M_M_C,
    }),
    figure({
      key: "responseMs",
      label: "mean answer",
      value: queue.responseMs,
      unit: "ms",
      formula: "wait + time",
      inputs: [["wait", queue.waitMs, "ms"], ...inputs],
    }),
    ...([0.5, 0.9, 0.99, 0.999] as const).map((q) =>
      figure({
        key: `p${String(q).slice(2)}Ms`,
        label: `p${q * 100} answer`,
        value: responseQuantile(queue, q),
        unit: "ms",
        formula:
          "the t at which (1-C)e^(-t/time) + C(spare e^(-t/time) - e^(-spare t)/time) / (spare - 1/time) has fallen to what is left",
        inputs: [...inputs, ...spare],
        source: M_M_C,
      }),
    ),
    figure({
      key: "queued",
      label: "mean number that waits",
      value: queue.queued,
      unit: "ratio",
      formula: "rate x wait",
      inputs: [["wait", queue.waitMs, "ms"], ...inputs],
      source: "Little 1961",
    }),
    figure({
      key: "inSystem",
      label: "mean number in the system",
      value: queue.inSystem,
      unit: "ratio",
      formula: "rate x answer",
      inputs: [["answer", queue.responseMs, "ms"], ...inputs],
      source: "Little 1961",
    }),
  ]);
}

/** M/G/1 and G/G/c: means, and one quantile that is an approximation. */
export function generalTable(question: QueueQuestion): Table {
  const queue = ggc(question);
  if (queue.kind === "unstable") return valueTable("Steady state", []);
  const inputs: [string, number, "perSecond" | "ms" | "count" | "ratio"][] = [
    ...inputsOf(question),
    ["arrival cv", question.arrivalCv, "ratio"],
    ["time cv", question.serviceCv, "ratio"],
  ];
  const exactness = queue.exact ? "exact" : "an approximation";
  const source =
    question.servers === 1 && question.arrivalCv === 1
      ? "Pollaczek 1930, Khinchine 1932"
      : "Allen & Cunneen 1978; Kingman 1961";
  return valueTable(`Steady state (${exactness})`, [
    figure({
      key: "utilisation",
      label: "utilisation",
      value: queue.utilisation,
      unit: "share",
      formula: "rate x time / servers",
      inputs,
    }),
    figure({
      key: "waitMs",
      label: "mean wait",
      value: queue.waitMs,
      unit: "ms",
      formula: "wait of M/M/c x (arrival cv^2 + time cv^2) / 2",
      inputs,
      source,
    }),
    figure({
      key: "responseMs",
      label: "mean answer",
      value: queue.responseMs,
      unit: "ms",
      formula: "wait + time",
      inputs: [["wait", queue.waitMs, "ms"], ...inputs],
    }),
    figure({
      key: "waitP99Ms",
      label: "p99 wait, about",
      value: waitQuantileNear(queue, 0.99),
      unit: "ms",
      formula: "an exponential tail with this mean and share that waits",
      inputs: [
        ["wait", queue.waitMs, "ms"],
        ["share that waits", queue.waitShare, "share"],
      ],
      source: "Kingman 1962 (heavy traffic)",
    }),
    figure({
      key: "queued",
      label: "mean number that waits",
      value: queue.queued,
      unit: "ratio",
      formula: "rate x wait",
      inputs,
      source: "Little 1961",
    }),
    figure({
      key: "inSystem",
      label: "mean number in the system",
      value: queue.inSystem,
      unit: "ratio",
      formula: "rate x answer",
      inputs,
      source: "Little 1961",
    }),
  ]);
}

/** Some servers fewer and more: what one more is worth. */
export function serversTable(question: QueueQuestion): Table {
  const { rateRps, serviceMs, servers } = question;
  const least = Math.floor((rateRps * serviceMs) / 1000) + 1;
  const counts = [...new Set([least, servers - 1, servers, servers + 1, servers + 2, servers * 2])]
    .filter((count) => count >= least)
    .toSorted((a, b) => a - b);
  const rows = counts.map((count) => {
    const queue = mmc({ rateRps, serviceMs, servers: count });
    const inputs = inputsOf({ rateRps, serviceMs, servers: count });
    if (queue.kind === "unstable") return [`${count}`, "full", "", ""];
    return [
      `${count}`,
      figure({
        key: `utilisationOf${count}`,
        label: `utilisation of ${count} servers`,
        value: queue.utilisation,
        unit: "share",
        formula: "rate x time / servers",
        inputs,
        digits: 3,
      }),
      figure({
        key: `responseMsOf${count}`,
        label: `mean answer of ${count} servers`,
        value: queue.responseMs,
        unit: "ms",
        formula: "C / spare + time",
        inputs,
        source: M_M_C,
      }),
      figure({
        key: `p99MsOf${count}`,
        label: `p99 answer of ${count} servers`,
        value: responseQuantile(queue, 0.99),
        unit: "ms",
        formula: "bisection on the exact tail",
        inputs,
        source: M_M_C,
      }),
    ];
  });
  return {
    kind: "table",
    title: "With other numbers of servers",
    columns: [
      { title: "servers", align: "right" },
      { title: "utilisation", align: "right" },
      { title: "mean", align: "right" },
      { title: "p99", align: "right" },
    ],
    rows,
  };
}

/** Mean and p99 over the load, up to where the servers are full. */
export function curve({ serviceMs, servers, rateRps }: QueueQuestion): Section {
  const most = (servers * 1000) / serviceMs;
  const at = (q: number | undefined): Series["points"] =>
    CURVE.flatMap((share) => {
      const queue = mmc({ rateRps: share * most, serviceMs, servers });
      if (queue.kind === "unstable") return [];
      return [[share * most, q === undefined ? queue.responseMs : responseQuantile(queue, q)] as const];
    });
  return {
    kind: "plot",
    title: `Answer over load (now ${formatNumber(rateRps, "perSecond")})`,
    x: { label: "requests/s" },
    y: { label: "ms", scale: "log" },
    series: [
      { name: "mean", points: at(undefined) },
      { name: "p99", points: at(0.99) },
    ],
  };
}
