/** Reports on networks of queues. */
import { type Outcome, ok } from "../outcome.ts";
import { type Figure, figure } from "../report/figure.ts";
import type { Plot, Report, Section, Table } from "../report/report.ts";
import { formatNumber, type Unit } from "../report/unit.ts";
import { valueTable } from "../report/value-table.ts";
import { asymptoticBounds, type Bounds } from "./bounds.ts";
import { closedNetwork, closedNetworkWork, closedThroughputsRps } from "./closed-network.ts";
import { openNetwork } from "./open-network.ts";
import type { Inputs } from "./question.ts";
import type { NetworkResult, Station, StationResult } from "./station.ts";

/** Points of the curve of a closed network. */
const CURVE_POINTS = 40;

/** Multiplications that a closed network may take: some seconds. */
const WORK_MAX = 3e8;

const JACKSON = "Jackson 1957";
const MVA = "Reiser & Lavenberg 1980; Buzen 1973";
const BOUNDS = "Denning & Buzen 1978";

/** An open network at this rate. */
export function openReport(rateRps: number, stations: readonly Station[]): Report {
  const network = openNetwork(rateRps, stations);
  if (network.kind === "steady")
    return {
      title: `Open network at ${formatNumber(rateRps, "perSecond")}`,
      answer: [
        `A request takes ${formatNumber(network.responseMs, "ms")} on average. ${fullestSentence(network)}`,
      ],
      sections: [
        valueTable("The whole", [answerFigure(network, [["rate", rateRps, "perSecond"]], JACKSON)]),
        stationTable(stations, network, JACKSON),
      ],
    };
  const [first] = network.stations;
  const busy = network.stations.map(
    ({ name, utilisation }) => `${name} would be ${formatNumber(utilisation, "share", 4)} busy`,
  );
  const most = formatNumber(rateRps / (first?.utilisation ?? 1), "perSecond", 4);
  return {
    title: `The network cannot keep up with ${formatNumber(rateRps, "perSecond")}`,
    answer: [
      `There is no steady state: ${busy.join(", ")}.`,
      `Fewer than ${most} get through: give ${first?.name} more servers or less work.`,
    ],
    sections: [],
  };
}

/** A closed network of users who think and ask, with the bounds that no model can break. */
export function closedReport(users: number, thinkMs: number, stations: readonly Station[]): Outcome<Report> {
  const bounds = asymptoticBounds(users, thinkMs, stations);
  if (bounds.throughputRps === Infinity)
    return refused("stations", "take no time, and nobody thinks", "give a station a time above 0");
  if (closedNetworkWork(users, stations) > WORK_MAX)
    return refused(
      "users",
      `are ${formatNumber(users, "count")}, too many for the exact sums of these stations`,
      `write fewer, or trust the bounds: at most ${formatNumber(bounds.throughputRps, "perSecond", 4)}, no answer below ${formatNumber(bounds.responseMs, "ms", 4)}`,
    );
  const network = closedNetwork(users, thinkMs, stations);
  const inputs: Inputs = [
    ["users", users, "count"],
    ["think time", thinkMs, "ms"],
  ];
  return ok({
    title: `${formatNumber(users, "count")} users who think ${formatNumber(thinkMs, "ms")}`,
    answer: [
      `${formatNumber(network.throughputRps, "perSecond")} at ${formatNumber(network.responseMs, "ms")} each.`,
      bottleneckSentence(bounds),
    ],
    sections: [
      valueTable("The whole", [
        throughputFigure(network, inputs),
        answerFigure(network, inputs, MVA),
        ...boundFigures(bounds, stations, inputs),
      ]),
      stationTable(stations, network, MVA),
      ...curve(users, thinkMs, stations, bounds),
    ],
  });
}

function refused(path: string, what: string, mend: string): Outcome<never> {
  return { kind: "problems", problems: [{ path, what, mend }] };
}

function bottleneckSentence({ bottleneck, throughputMaxRps, kneeUsers }: Bounds): string {
  if (bottleneck === undefined) return "Nothing limits it: its stations are delays.";
  return `${bottleneck} limits it: never more than ${formatNumber(throughputMaxRps, "perSecond")}. Queues must begin at ${formatNumber(kneeUsers, "count", 4)} users.`;
}

function throughputFigure({ throughputRps, responseMs }: NetworkResult, inputs: Inputs): Figure {
  return figure({
    key: "throughputRps",
    label: "throughput",
    value: throughputRps,
    unit: "perSecond",
    formula: "users / (think time + answer)",
    inputs: [...inputs, ["answer", responseMs, "ms"]],
    source: MVA,
  });
}

function answerFigure({ responseMs }: NetworkResult, inputs: Inputs, source: string): Figure {
  const formula = "sum over stations of visits x time of a visit";
  return figure({
    key: "responseMs",
    label: "mean answer",
    value: responseMs,
    unit: "ms",
    formula,
    inputs,
    source,
  });
}

function boundFigures(bounds: Bounds, stations: readonly Station[], given: Inputs): Figure[] {
  const inputs: Inputs = [
    ...given,
    ["sum of demands", stations.reduce((sum, { visits, serviceMs }) => sum + visits * serviceMs, 0), "ms"],
    ["greatest demand", bounds.throughputMaxRps === Infinity ? 0 : 1000 / bounds.throughputMaxRps, "ms"],
  ];
  const rows: readonly (readonly [string, string, Unit, number, string])[] = [
    [
      "throughputMaxRps",
      "bound on throughput",
      "perSecond",
      bounds.throughputMaxRps,
      "1 / greatest demand per server",
    ],
    [
      "responseMinMs",
      "bound on the answer",
      "ms",
      bounds.responseMs,
      "max(sum of demands, users x greatest demand - think time)",
    ],
    [
      "kneeUsers",
      "users at which queues begin",
      "count",
      bounds.kneeUsers,
      "(sum of demands + think time) / greatest demand",
    ],
  ];
  return rows.map(([key, label, unit, value, formula]) =>
    figure({ key, label, value, unit, formula, inputs, source: BOUNDS }),
  );
}

function stationTable(stations: readonly Station[], network: NetworkResult, source: string): Table {
  const titles = ["utilisation", "visits", "time of a visit", "there"];
  return {
    kind: "table",
    title: "Stations",
    columns: [{ title: "station" }, ...titles.map((title) => ({ title, align: "right" as const }))],
    rows: network.stations.map((result, k) => [
      result.name,
      ...stationFigures(result, stations[k], network.throughputRps, source),
    ]),
  };
}

/** Key, what, unit, how, of a station's figures. */
const STATION: readonly (readonly [keyof StationResult, string, Unit, string])[] = [
  ["utilisation", "utilisation of", "share", "throughput x visits x time / servers"],
  ["throughputRps", "visits to", "perSecond", "throughput x visits"],
  ["responseMs", "time of a visit to", "ms", "time + wait"],
  ["inSystem", "mean number at", "ratio", "throughput x visits x time of a visit"],
];

function stationFigures(
  result: StationResult,
  station: Station | undefined,
  rateRps: number,
  source: string,
): Figure[] {
  const inputs: Inputs =
    station === undefined
      ? []
      : [
          ["throughput", rateRps, "perSecond"],
          ["visits", station.visits, "ratio"],
          ["time", station.serviceMs, "ms"],
          ["servers", station.servers, "count"],
          ["time of a visit", result.responseMs, "ms"],
        ];
  return STATION.map(([key, what, unit, formula]) =>
    figure({
      key: `${result.name}.${key}`,
      label: `${what} ${result.name}`,
      value: Number(result[key]),
      unit,
      formula,
      inputs,
      source,
    }),
  );
}

function fullestSentence({ stations: [first, ...others] }: NetworkResult): string {
  if (first === undefined) return "";
  const { name, utilisation } = others.reduce((a, b) => (b.utilisation > a.utilisation ? b : a), first);
  if (utilisation === 0) return "No station has a queue.";
  return `${name} is the fullest station, ${formatNumber(utilisation, "share", 3)} busy.`;
}

/** Throughput from one user to twice the knee, where that can be computed in time. */
function curve(users: number, thinkMs: number, stations: readonly Station[], bounds: Bounds): Section[] {
  const wished = Math.max(users, Number.isFinite(bounds.kneeUsers) ? Math.ceil(bounds.kneeUsers * 2) : 0);
  const most = closedNetworkWork(wished, stations) > WORK_MAX / 4 ? users : wished;
  const step = Math.max(1, Math.floor(most / CURVE_POINTS));
  const throughputs = closedThroughputsRps(most, thinkMs, stations);
  const points = [...throughputs.entries()].filter(([n]) => n > 0 && n % step === 0);
  const mark: Pick<Plot, "mark"> =
    bounds.bottleneck === undefined ? {} : { mark: { y: bounds.throughputMaxRps, label: bounds.bottleneck } };
  return [
    {
      kind: "plot",
      title: "Throughput over users",
      x: { label: "users" },
      y: { label: "requests/s" },
      series: [{ name: "throughput", points }],
      ...mark,
    },
  ];
}
