/** Runs as reports: one run, several beside each other, the greatest load, a sweep. */
import { type Figure, figure } from "../report/figure.ts";
import type { Plot, Report, Section, Table } from "../report/report.ts";
import { formatNumber, type Unit } from "../report/unit.ts";
import type { LargestLoad } from "./load.ts";
import type { Bottleneck, LatencySummary, SimulationResult, TrafficResult } from "./result.ts";

/** One run: what was served, where the time went, what limits it. */
export function simulationReport(result: SimulationResult): Report {
  return {
    title: `${result.name}: ${formatNumber(result.measuredMs, "ms")} of simulated time, seed ${result.seed}`,
    answer: answerOf(result),
    sections: [
      trafficTable(result),
      nodeTable(result),
      ...errorTable(result),
      latencyPlot(result),
      utilisationPlot(result),
      ...scalingTable(result),
    ],
  };
}

function answerOf(result: SimulationResult): string[] {
  const { total, objective } = result;
  const errors =
    total.errorShare === 0 ? "no errors" : `${formatNumber(total.errorShare, "share", 3)} errors`;
  const kept = total.latency.p99Ms <= objective.p99Ms && total.errorShare <= objective.errorShare;
  return [
    `${formatNumber(total.throughputRps, "perSecond", 4)} answered, p99 ${formatNumber(total.latency.p99Ms, "ms", 3)}, ${errors}: the objective (p99 ${formatNumber(objective.p99Ms, "ms", 3)}, ${formatNumber(objective.errorShare, "share", 3)} errors) is ${kept ? "kept" : "broken"}${result.violationMs > 0 ? `, in ${formatNumber(result.violationMs, "ms", 3)} of the time` : ""}.`,
    bottleneckSentence(result),
    ...(result.endedEarly === undefined
      ? []
      : [`The run ended early: its ${result.endedEarly.replace("-", " ")}.`]),
  ];
}

/** The fullest node, and the one that would stop us next. */
export function bottleneckSentence({ bottlenecks: [first, second] }: SimulationResult): string {
  if (first === undefined) return "Nothing is more than a tenth busy: nothing limits this design yet.";
  const busy = `${limitOf(first)} is the bottleneck: ${formatNumber(first.utilisation, "share", 3)} busy, full at ${formatNumber(first.fullAtLoad, "ratio", 3)} times this load`;
  return second === undefined
    ? `${busy}; nothing else is near.`
    : `${busy}; behind it ${limitOf(second)}, full at ${formatNumber(second.fullAtLoad, "ratio", 3)} times.`;
}

function limitOf({ node, part }: Bottleneck): string {
  return part === undefined ? node : `${node} (${part})`;
}

type Measured = readonly [key: string, label: string, value: number, unit: Unit, formula: string];

/** Counts are exact; what was measured by chance is not worth more digits than this. */
const DIGITS = 4;

function measured(...[key, label, value, unit, formula]: Measured): Figure {
  return figure({ key, label, value, unit, formula, digits: DIGITS, source: "simulated" });
}

const QUANTILES = [
  ["p50Ms", "p50"],
  ["p90Ms", "p90"],
  ["p99Ms", "p99"],
  ["p999Ms", "p99.9"],
] as const satisfies readonly (readonly [keyof LatencySummary, string])[];

function trafficTable({ total, clients, routes }: SimulationResult): Table {
  const named = [...(clients.length > 1 ? clients : []), ...(routes.length > 1 ? routes : [])];
  return {
    kind: "table",
    title: "Requests",
    columns: [
      { title: "of" },
      ...["requests", "answered", "errors", "mean", "p50", "p90", "p99", "p99.9"].map((title) => ({
        title,
        align: "right" as const,
      })),
    ],
    rows: [total, ...named].map(trafficRow),
  };
}

function trafficRow(traffic: TrafficResult): (string | Figure)[] {
  const { name, requests, throughputRps, errorShare, latency } = traffic;
  const of = name === "all" ? "" : ` of ${name}`;
  const key = name === "all" ? "" : `${name}.`;
  return [
    name,
    measured(`${key}requests`, `requests${of}`, requests, "count", "ended after the warm-up"),
    measured(`${key}throughputRps`, `answered${of}`, throughputRps, "perSecond", "answered / time"),
    measured(`${key}errorShare`, `errors${of}`, errorShare, "share", "not answered / ended"),
    measured(`${key}meanMs`, `mean${of}`, latency.meanMs, "ms", "sum of times / answered"),
    ...QUANTILES.map(([at, title]) =>
      measured(
        `${key}${at}`,
        `${title}${of}`,
        latency[at],
        "ms",
        "histogram of 128 cells per octave: within 0.4 %",
      ),
    ),
  ];
}

function nodeTable({ nodes }: SimulationResult): Table {
  return {
    kind: "table",
    title: "Nodes",
    columns: [
      { title: "node" },
      { title: "kind" },
      ...["visits", "utilisation", "capacity", "waiting", "most", "mean"].map((title) => ({
        title,
        align: "right" as const,
      })),
      { title: "counters" },
    ],
    rows: nodes.map((node) => [
      node.name,
      node.kind,
      measured(`${node.name}.visits`, `visits to ${node.name}`, node.requests, "count", "visits that ended"),
      node.capacity === Infinity
        ? ""
        : measured(
            `${node.name}.utilisation`,
            `utilisation of ${node.name}`,
            node.utilisation,
            "share",
            "busy time / capacity over time",
          ),
      node.capacity === Infinity
        ? ""
        : measured(
            `${node.name}.capacity`,
            `capacity of ${node.name}`,
            node.capacity,
            "count",
            "mean number that can be worked on at once",
          ),
      measured(`${node.name}.queued`, `waiting at ${node.name}`, node.queued, "ratio", "mean over time"),
      measured(`${node.name}.queuedMax`, `most waiting at ${node.name}`, node.queuedMax, "count", "greatest"),
      measured(
        `${node.name}.meanMs`,
        `time at ${node.name}`,
        node.meanMs,
        "ms",
        "from entry to end, what it called included",
      ),
      countersText(node.counters),
    ]),
  };
}

function countersText(counters: Readonly<Record<string, number>>): string {
  return Object.entries(counters)
    .filter(([, value]) => value !== 0)
    .map(([name, value]) => `${name} ${Number(value.toPrecision(4))}`)
    .join(", ");
}

function errorTable({ total, nodes }: SimulationResult): Section[] {
  const reasons = Object.entries(total.errors);
  if (reasons.length === 0) return [];
  return [
    {
      kind: "table",
      title: "Errors",
      columns: [{ title: "reason" }, { title: "requests", align: "right" }, { title: "began at" }],
      rows: reasons.map(([reason, count]) => [
        reason,
        measured(`errors.${reason}`, `errors ${reason}`, count, "count", "requests that ended so"),
        nodes
          .filter((node) => (node.errors[reason] ?? 0) > 0)
          .map((node) => node.name)
          .join(", "),
      ]),
    },
  ];
}

function latencyPlot({ windows, objective }: SimulationResult): Plot {
  const line = (read: (window: SimulationResult["windows"][number]) => number) =>
    windows.map((window) => [window.atMs / 1000, read(window) || Number.NaN] as const);
  return {
    kind: "plot",
    title: "Latency over time",
    x: { label: "s" },
    y: { label: "ms", scale: "log" },
    series: [
      { name: "p50", points: line(({ p50Ms }) => p50Ms) },
      { name: "p99", points: line(({ p99Ms }) => p99Ms) },
    ],
    mark: { y: objective.p99Ms, label: "objective" },
  };
}

/** Nodes that were busy at some time, the busiest few. */
const NODES_PLOTTED = 4;

function utilisationPlot({ windows, nodes }: SimulationResult): Plot {
  const shown = nodes
    .filter(({ capacity, utilisation }) => capacity !== Infinity && utilisation > 0)
    .toSorted((a, b) => b.utilisation - a.utilisation)
    .slice(0, NODES_PLOTTED);
  return {
    kind: "plot",
    title: "Utilisation over time",
    x: { label: "s" },
    y: { label: "%" },
    series: shown.map(({ name }) => ({
      name,
      points: windows.map(
        (window) => [window.atMs / 1000, (window.nodes[name]?.utilisation ?? 0) * 100] as const,
      ),
    })),
  };
}

/** Changes shown; a service that changes more often than this is seen to flap by their number. */
const CHANGES_SHOWN = 20;

function scalingTable({ scaling }: SimulationResult): Section[] {
  if (scaling.length === 0) return [];
  return [
    {
      kind: "table",
      title:
        scaling.length > CHANGES_SHOWN
          ? `Scaling (the first ${CHANGES_SHOWN} of ${scaling.length})`
          : "Scaling",
      columns: [
        { title: "at", align: "right" },
        { title: "service" },
        { title: "from", align: "right" },
        { title: "to", align: "right" },
      ],
      rows: scaling
        .slice(0, CHANGES_SHOWN)
        .map(({ atMs, node, from, to }) => [formatNumber(atMs, "ms"), node, `${from}`, `${to}`]),
    },
  ];
}

/** Designs beside each other. */
export function compareReport(results: readonly SimulationResult[]): Report {
  return {
    title: results.map(({ name }) => name).join(" beside "),
    answer: results.map((result) => `${result.name}: ${bottleneckSentence(result)}`),
    sections: [
      {
        kind: "table",
        title: "Beside each other",
        columns: [
          { title: "design" },
          ...["answered", "errors", "mean", "p50", "p90", "p99", "p99.9", "cost a month"].map((title) => ({
            title,
            align: "right" as const,
          })),
          { title: "bottleneck" },
        ],
        rows: results.map(compareRow),
      },
    ],
  };
}

function compareRow(result: SimulationResult, index: number): (string | Figure)[] {
  const [name = "", , ...numbers] = trafficRow({ ...result.total, name: result.name });
  const cost = figure({
    key: `cost${index}`,
    label: `cost of ${result.name}`,
    value: result.costPerMonth,
    unit: "money",
    formula: "sum of price x mean units",
    digits: 6,
  });
  const [first] = result.bottlenecks;
  const limit =
    first === undefined ? "none" : `${limitOf(first)} ${formatNumber(first.utilisation, "share", 3)}`;
  return [name, ...numbers, cost, limit];
}

/** The greatest load that keeps the objective, and what stops it. */
export function largestLoadReport({ factor, tried }: LargestLoad): Report {
  const ordered = tried.toSorted((a, b) => a.factor - b.factor);
  const best = ordered.findLast(({ keeps }) => keeps)?.result;
  const beyond = ordered.find(({ keeps }) => !keeps)?.result;
  const rate = best === undefined ? "" : ` (${formatNumber(best.total.throughputRps, "perSecond", 4)})`;
  const limit = beyond === undefined ? "" : ` ${bottleneckSentence(beyond)}`;
  return {
    title: "The greatest load that keeps the objective",
    answer: [
      factor === 0
        ? `None: even a thousandth of the load breaks it.${limit}`
        : `${formatNumber(factor, "ratio", 3)} times the load${rate}. Just beyond:${limit}`,
    ],
    sections: [
      {
        kind: "table",
        title: "Loads that were tried",
        columns: [
          ...["load", "answered", "p99", "errors"].map((title) => ({ title, align: "right" as const })),
          { title: "objective" },
        ],
        rows: ordered.map(({ factor: of, result: { total }, keeps }) => [
          formatNumber(of, "ratio"),
          measured(
            `load${of}.throughputRps`,
            `answered at ${of} times`,
            total.throughputRps,
            "perSecond",
            "answered / time",
          ),
          measured(
            `load${of}.p99Ms`,
            `p99 at ${of} times`,
            total.latency.p99Ms,
            "ms",
            "histogram: within 0.4 %",
          ),
          measured(
            `load${of}.errorShare`,
            `errors at ${of} times`,
            total.errorShare,
            "share",
            "not answered / ended",
          ),
          keeps ? "kept" : "broken",
        ]),
      },
    ],
  };
}
