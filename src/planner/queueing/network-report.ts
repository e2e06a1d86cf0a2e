/** Reports on networks of queues and on measured scalability. */
import { figure } from "../report/figure.ts";
import type { Report, Table } from "../report/report.ts";
import { formatNumber } from "../report/unit.ts";
import { valueTable } from "../report/value-table.ts";
import { asymptoticBounds, closedNetwork, openNetwork, type Station, type StationResult } from "./network.ts";
import { fitUsl, type UslCoefficient, type UslPoint, uslAt } from "./usl.ts";

/** Users at which the curve of a closed network is drawn. */
const CURVE_POINTS = 40;

/** An open network at this rate. */
export function openReport(rateRps: number, stations: readonly Station[]): Report {
  const network = openNetwork(rateRps, stations);
  if (network.kind === "unstable") {
    const [first] = network.stations;
    return {
      title: `The network cannot keep up with ${formatNumber(rateRps, "perSecond")}`,
      answer: [
        `${network.stations.map(({ name, utilisation }) => `${name} would be ${formatNumber(utilisation, "share", 4)} busy`).join(", ")}.`,
        `At most ${formatNumber(rateRps / (first?.utilisation ?? 1), "perSecond", 4)} get through: give ${first?.name} more servers or less work.`,
      ],
      sections: [],
    };
  }
  return {
    title: `Open network at ${formatNumber(rateRps, "perSecond")}`,
    answer: [
      `A request takes ${formatNumber(network.responseMs, "ms")} on average; ${fullest(network.stations)} is the fullest station.`,
    ],
    sections: [stationTable(network.stations, "Jackson 1957")],
  };
}

/** A closed network of users who think and ask, with the bounds that no model can break. */
export function closedReport(users: number, thinkMs: number, stations: readonly Station[]): Report {
  const network = closedNetwork(users, thinkMs, stations);
  const bounds = asymptoticBounds(users, thinkMs, stations);
  const inputs: [string, number, "count" | "ms"][] = [
    ["users", users, "count"],
    ["think time", thinkMs, "ms"],
  ];
  const source = "Reiser & Lavenberg 1980";
  const most = Math.max(users, Math.ceil(bounds.kneeUsers * 2));
  const step = Math.max(1, Math.floor(Math.min(most, 100_000) / CURVE_POINTS));
  const counts = Array.from({ length: CURVE_POINTS }, (_, i) => (i + 1) * step);
  return {
    title: `${users} users who think ${formatNumber(thinkMs, "ms")}`,
    answer: [
      `${formatNumber(network.throughputRps, "perSecond")} at ${formatNumber(network.responseMs, "ms")} each. ${bounds.bottleneck} limits it: never more than ${formatNumber(bounds.throughputMaxRps, "perSecond")}.`,
      `Queues must begin at ${formatNumber(bounds.kneeUsers, "count", 4)} users.`,
    ],
    sections: [
      valueTable("The whole", [
        figure({
          key: "throughputRps",
          label: "throughput",
          value: network.throughputRps,
          unit: "perSecond",
          formula: "users / (think time + answer)",
          inputs,
          source,
        }),
        figure({
          key: "responseMs",
          label: "mean answer",
          value: network.responseMs,
          unit: "ms",
          formula: "sum of visits x time of a visit",
          inputs,
          source,
        }),
        figure({
          key: "throughputMaxRps",
          label: "bound on throughput",
          value: bounds.throughputMaxRps,
          unit: "perSecond",
          formula: "1 / greatest demand per server",
          source: "Denning & Buzen 1978",
        }),
        figure({
          key: "responseMinMs",
          label: "bound on the answer",
          value: bounds.responseMs,
          unit: "ms",
          formula: "max(sum of demands, users x greatest demand - think time)",
          inputs,
          source: "Denning & Buzen 1978",
        }),
        figure({
          key: "kneeUsers",
          label: "users at which queues begin",
          value: bounds.kneeUsers,
          unit: "count",
          formula: "(sum of demands + think time) / greatest demand",
          inputs,
          source: "Denning & Buzen 1978",
        }),
      ]),
      stationTable(network.stations, source),
      {
        kind: "plot",
        title: "Throughput over users",
        x: { label: "users" },
        y: { label: "requests/s" },
        series: [
          {
            name: "throughput",
            points: counts.map((n) => [n, closedNetwork(n, thinkMs, stations).throughputRps]),
          },
        ],
        ...(bounds.throughputMaxRps === Infinity
          ? {}
          : { mark: { y: bounds.throughputMaxRps, label: bounds.bottleneck } }),
      },
    ],
  };
}

function stationTable(stations: readonly StationResult[], source: string): Table {
  return {
    kind: "table",
    title: "Stations",
    columns: [
      { title: "station" },
      { title: "utilisation", align: "right" },
      { title: "visits", align: "right" },
      { title: "time of a visit", align: "right" },
      { title: "there", align: "right" },
    ],
    rows: stations.map(({ name, utilisation, throughputRps, responseMs, inSystem }) => [
      name,
      figure({
        key: `${name}Utilisation`,
        label: `utilisation of ${name}`,
        value: utilisation,
        unit: "share",
        formula: "visits x time / servers",
        source,
      }),
      figure({
        key: `${name}Rps`,
        label: `visits to ${name}`,
        value: throughputRps,
        unit: "perSecond",
        formula: "throughput x visits per request",
        source,
      }),
      figure({
        key: `${name}Ms`,
        label: `time of a visit to ${name}`,
        value: responseMs,
        unit: "ms",
        formula: "service + wait",
        source,
      }),
      figure({
        key: `${name}There`,
        label: `mean number at ${name}`,
        value: inSystem,
        unit: "ratio",
        formula: "visits x time of a visit",
        source: "Little 1961",
      }),
    ]),
  };
}

function fullest(stations: readonly StationResult[]): string {
  return stations.reduce((a, b) => (b.utilisation > a.utilisation ? b : a), stations[0] ?? NOWHERE).name;
}

const NOWHERE: StationResult = { name: "", utilisation: 0, throughputRps: 0, responseMs: 0, inSystem: 0 };

/** The scalability law of measured points; undefined when they are too few to fit it. */
export function uslReport(points: readonly UslPoint[]): Report | undefined {
  const fit = fitUsl(points);
  if (fit === undefined) return undefined;
  const source = "Gunther 1993; Levenberg 1944, Marquardt 1963";
  const parameters = [fit.contention.value, fit.coherence.value, fit.single.value] as const;
  const coefficient = (key: string, label: string, { value }: UslCoefficient, formula: string) =>
    figure({
      key,
      label,
      value,
      unit: "ratio",
      formula,
      inputs: [["points", points.length, "count"]],
      source,
      digits: 6,
    });
  const most = Math.max(
    fit.trustedN,
    Number.isFinite(fit.peakN) ? Math.min(fit.peakN, fit.trustedN) * 1.1 : 0,
  );
  const curve = Array.from({ length: 60 }, (_, i) => 1 + ((most - 1) * i) / 59);
  return {
    title: `Scalability of ${points.length} measured points`,
    answer: [
      peakSentence(fit.peakN, fit.peakThroughput, fit.coherence),
      `Believe the curve up to ${fit.trustedN}: twice what was measured.`,
    ],
    sections: [
      {
        ...valueTable("Coefficients", []),
        columns: [
          { title: "what" },
          { title: "value", align: "right" },
          { title: "95 % interval", align: "right" },
        ],
        rows: [
          [
            "contention",
            coefficient(
              "contention",
              "contention",
              fit.contention,
              "least squares of X = gN / (1 + a(N-1) + bN(N-1))",
            ),
            intervalText(fit.contention),
          ],
          [
            "coherence",
            coefficient("coherence", "coherence", fit.coherence, "least squares, the same"),
            intervalText(fit.coherence),
          ],
          [
            "throughput of one",
            coefficient("single", "throughput of one", fit.single, "least squares, the same"),
            intervalText(fit.single),
          ],
          [
            "greatest at N",
            figure({
              key: "peakN",
              label: "N of the greatest throughput",
              value: fit.peakN,
              unit: "count",
              formula: "sqrt((1 - a) / b)",
              source,
              digits: 4,
            }),
            "",
          ],
          [
            "throughput there",
            figure({
              key: "peakThroughput",
              label: "greatest throughput",
              value: fit.peakThroughput,
              unit: "ratio",
              formula: "X(peak N)",
              source,
            }),
            "",
          ],
          [
            "ceiling of contention",
            figure({
              key: "ceiling",
              label: "ceiling of contention alone",
              value: fit.ceiling,
              unit: "ratio",
              formula: "g / a",
              source,
            }),
            "",
          ],
          [
            "variance explained",
            figure({
              key: "rSquared",
              label: "R squared",
              value: fit.rSquared,
              unit: "share",
              formula: "1 - squares left / squares about the mean",
            }),
            "",
          ],
        ],
      },
      {
        kind: "plot",
        title: "Measured and fitted",
        x: { label: "N" },
        y: { label: "throughput" },
        series: [
          { name: "fitted", points: curve.map((n) => [n, uslAt(parameters, n)]) },
          {
            name: "measured",
            points: points.toSorted((a, b) => a.n - b.n).map(({ n, throughput }) => [n, throughput]),
          },
        ],
      },
    ],
  };
}

function peakSentence(peakN: number, peak: number, { low }: UslCoefficient): string {
  if (!Number.isFinite(peakN)) return "Nothing measured says that throughput ever falls.";
  const place = `${formatNumber(peakN, "count", 4)}, at ${formatNumber(peak, "ratio")}`;
  return low > 0
    ? `Throughput is greatest at N = ${place}; beyond it more makes it slower.`
    : `It may be greatest at N = ${place}, but the interval of coherence holds 0: measure at larger N before believing it.`;
}

function intervalText({ low, high }: UslCoefficient): string {
  if (low === high) return "at its bound";
  return Number.isFinite(low)
    ? `${formatNumber(low, "ratio")} to ${formatNumber(high, "ratio")}`
    : "too few points";
}
