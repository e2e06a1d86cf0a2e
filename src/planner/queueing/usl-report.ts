/** A report on measured scalability. */
import { type Figure, figure } from "../report/figure.ts";
import type { Cell, Notes, Plot, Report, Table } from "../report/report.ts";
import { formatNumber } from "../report/unit.ts";
import { fitUsl, type UslCoefficient, type UslFit, type UslPoint, uslAt } from "./usl.ts";

const FITTED = "Gunther 1993; Levenberg 1944, Marquardt 1963";
const LAW = "Gunther 1993";

/** Points at which the fitted curve is drawn. */
const CURVE_POINTS = 60;

/** The scalability law of measured points; undefined when they are too few to fit it. */
export function uslReport(points: readonly UslPoint[]): Report | undefined {
  const fit = fitUsl(points);
  if (fit === undefined) return undefined;
  return {
    title: `Scalability of ${points.length} measured points`,
    answer: [
      peakSentence(fit),
      `Believe the curve up to ${formatNumber(fit.trustedN, "count")}: twice what was measured.`,
    ],
    sections: [coefficientTable(points.length, fit), ...doubts(points, fit), plot(points, fit)],
  };
}

function peakSentence({ peakN, peakThroughput, coherence, trustedN, ceiling }: UslFit): string {
  if (peakN === Infinity) {
    const most = ceiling === Infinity ? "" : `, but it never exceeds ${formatNumber(ceiling, "ratio")}`;
    return `Nothing measured says that throughput ever falls${most}.`;
  }
  const place = `N = ${formatNumber(peakN, "count", 4)}, at ${formatNumber(peakThroughput, "ratio")}`;
  if (peakN > 1 && coherence.low <= 0)
    return `It may be greatest at ${place}, but coherence may also be 0, and then it never falls: measure at larger N before believing it.`;
  if (peakN > trustedN)
    return `It would be greatest at ${place}, far beyond what was measured: measure there before believing it.`;
  return `Throughput is greatest at ${place}; beyond it more makes it slower.`;
}

/** What a careful reader would object. */
function doubts(points: readonly UslPoint[], { rSquared, contention, coherence, single }: UslFit): Notes[] {
  const lines: string[] = [];
  if ([contention, coherence, single].some(({ high }) => high === Infinity))
    lines.push(
      "As many coefficients as points: the curve meets them all and proves nothing. Measure at more N.",
    );
  if (rSquared < 0.9)
    lines.push(
      `The law explains only ${formatNumber(rSquared, "share", 3)} of the variance: something else is going on.`,
    );
  if (!points.some(({ n }) => n === 1))
    lines.push("N = 1 was not measured: the throughput of one is an extrapolation, and so is contention.");
  return lines.length === 0 ? [] : [{ kind: "notes", title: "Doubts", lines }];
}

function coefficientTable(count: number, fit: UslFit): Table {
  const fitted = (key: string, label: string, letter: string, { value }: UslCoefficient): Figure =>
    figure({
      key,
      label,
      value,
      unit: "ratio",
      formula: `${letter} by least squares of X = s N / (1 + c(N-1) + k N(N-1))`,
      inputs: [["points", count, "count"]],
      source: FITTED,
      digits: 6,
    });
  const rows: Cell[][] = [
    ["contention", fitted("contention", "contention", "c", fit.contention), intervalText(fit.contention)],
    ["coherence", fitted("coherence", "coherence", "k", fit.coherence), intervalText(fit.coherence)],
    ["throughput of one", fitted("single", "throughput of one", "s", fit.single), intervalText(fit.single)],
    ...derived(fit).map((one) => [one.label, one, ""]),
  ];
  return {
    kind: "table",
    title: "Coefficients",
    columns: [
      { title: "what" },
      { title: "value", align: "right" },
      { title: "95 % interval", align: "right" },
    ],
    rows,
  };
}

function derived({
  peakN,
  peakThroughput,
  ceiling,
  rSquared,
  contention,
  coherence,
  single,
}: UslFit): Figure[] {
  const inputs = [
    ["c", contention.value, "ratio"],
    ["k", coherence.value, "ratio"],
    ["s", single.value, "ratio"],
  ] as const;
  const of = (key: string, label: string, value: number, formula: string): Figure =>
    figure({
      key,
      label,
      value,
      unit: key === "peakN" ? "count" : "ratio",
      formula,
      digits: 4,
      inputs,
      source: LAW,
    });
  return [
    of("peakN", "greatest at N", peakN, "sqrt((1 - c) / k), at least 1"),
    of("peakThroughput", "throughput there", peakThroughput, "X(greatest N)"),
    of("ceiling", "ceiling of contention alone", ceiling, "s / c"),
    figure({
      key: "rSquared",
      label: "variance explained",
      value: rSquared,
      unit: "share",
      formula: "1 - squares that are left / squares about the mean",
    }),
  ];
}

function intervalText({ low, high }: UslCoefficient): string {
  if (low === high) return "at its bound";
  return Number.isFinite(high)
    ? `${formatNumber(low, "ratio")} to ${formatNumber(high, "ratio")}`
    : "too few points";
}

function plot(points: readonly UslPoint[], fit: UslFit): Plot {
  const parameters = [fit.contention.value, fit.coherence.value, fit.single.value] as const;
  const step = (fit.trustedN - 1) / (CURVE_POINTS - 1);
  const curve = Array.from({ length: CURVE_POINTS }, (_, i) => 1 + step * i);
  return {
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
  };
}
