/** Requests as a table: each action a day, then reads and writes a second, on average, at the peak and past the CDN. */
import { type Figure, figure } from "../report/figure.ts";
import type { Table } from "../report/report.ts";
import { DAY_IN_HEAD, inHead, over, times } from "./mental.ts";
import { type Inputs, type MentalRow, mentalTable } from "./mental-table.ts";
import type { Rates } from "./rates.ts";
import { DAY_S } from "./spans.ts";
import { yearsText } from "./text.ts";
import { type Load, loadsOf, type Per, type Workload } from "./workload.ts";

/** Rates are printed to this many digits: more would pretend that the users were counted. */
const RATE_DIGITS = 3;

/** The requests of a workload. */
export function ratesTable(workload: Workload, rates: Rates): Table {
  const loads = loadsOf(workload);
  return mentalTable("Requests", [
    ...loads.map((load) => actionRow(load, workload, rates)),
    ...rateRows("read", rates.readsPerDay, workload.peak),
    ...rateRows("write", rates.writesPerDay, workload.peak),
    ...originRows(rates, workload.peak),
    ...grownRows(rates, workload),
  ]);
}

function actionRow(load: Load, { users }: Workload, { writesPerDay }: Rates): MentalRow {
  const counted: Record<Per, readonly [string, number] | undefined> = {
    user: ["users", users],
    write: ["writes a day", writesPerDay],
    day: undefined,
  };
  const by = counted[load.per];
  const exact = figure({
    key: `perDay:${load.name}`,
    label: load.name,
    value: load.perDay,
    unit: "perDay",
    formula: by === undefined ? "as given" : `${by[0]} x times a ${load.per}`,
    inputs:
      by === undefined
        ? []
        : [
            [by[0], by[1], "count"],
            [`times a ${load.per}`, load.times, "ratio"],
          ],
  });
  const often = inHead(load.times, "ratio");
  return [exact, by === undefined ? often : times(inHead(by[1], "count"), often)];
}

/** On average and at the peak. */
function rateRows(kind: "read" | "write", perDay: number, peak: number): MentalRow[] {
  const mental = over(inHead(perDay, "count"), DAY_IN_HEAD);
  const inputs: Inputs = [[`${kind}s a day`, perDay, "perDay"]];
  const mean = `${kind}s a day / 86,400 s`;
  return [
    [rate([`${kind}Rps`, `${kind}s`, perDay / DAY_S, mean], inputs), mental],
    [
      rate(
        [`${kind}RpsPeak`, `${kind}s at the peak`, (perDay / DAY_S) * peak, `${mean} x peak`],
        [...inputs, ["peak", peak, "ratio"]],
      ),
      times(mental, inHead(peak, "ratio")),
    ],
  ];
}

/** What a CDN lets through; nothing to say where there is none. */
function originRows({ readsPerDay, peakReadRps, originReadRps }: Rates, peak: number): MentalRow[] {
  if (originReadRps === peakReadRps) return [];
  const through = originReadRps / peakReadRps;
  const exact = rate(
    [
      "originReadRps",
      "reads at the peak, past the CDN",
      originReadRps,
      "reads at the peak x (1 - CDN share)",
    ],
    [
      ["reads at the peak", peakReadRps, "perSecond"],
      ["CDN share", 1 - through, "share"],
    ],
  );
  const reads = over(inHead(readsPerDay, "count"), DAY_IN_HEAD);
  return [[exact, times(reads, inHead(peak, "ratio"), inHead(through, "share"))]];
}

function grownRows(
  { readsPerDay, writesPerDay, grown }: Rates,
  { peak, years, growth }: Workload,
): MentalRow[] {
  if (grown === 1) return [];
  const perDay = readsPerDay + writesPerDay;
  const exact = rate(
    [
      "grownRpsPeak",
      `both at the peak, after ${yearsText(years)}`,
      (perDay / DAY_S) * peak * grown,
      "(reads + writes a day) / 86,400 s x peak x (1 + growth)^years",
    ],
    [
      ["reads a day", readsPerDay, "perDay"],
      ["writes a day", writesPerDay, "perDay"],
      ["peak", peak, "ratio"],
      ["growth", growth, "share"],
      ["years", years, "ratio"],
    ],
  );
  const now = over(inHead(perDay, "count"), DAY_IN_HEAD);
  return [[exact, times(now, inHead(peak, "ratio"), inHead(grown, "ratio"))]];
}

function rate(
  [key, label, value, formula]: readonly [key: string, label: string, value: number, formula: string],
  inputs: Inputs = [],
): Figure {
  return figure({ key, label, value, unit: "perSecond", formula, inputs, digits: RATE_DIGITS });
}
