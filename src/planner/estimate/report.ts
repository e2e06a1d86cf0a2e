/** Estimates as reports: the mental figure beside the exact one, with what was rounded. */
import { type Figure, type FigureParts, figure } from "../report/figure.ts";
import type { Report, Section, Table } from "../report/report.ts";
import { formatNumber } from "../report/unit.ts";
import { valueTable } from "../report/value-table.ts";
import { DAY_S_IN_HEAD, type Estimate, estimate, inHead } from "./estimate.ts";
import type { Prices } from "./prices.ts";
import { serverTable } from "./servers-report.ts";
import type { Workload } from "./workload.ts";

const DAY_S = 86_400;

/** Writes a second that one well-kept primary takes, batched; a database of more data than this outgrows one machine. */
const ONE_PRIMARY = { writeRps: 5000, bytes: 10e12 } as const;

/** The whole estimate of one workload. */
export function estimateReport(workload: Workload, prices: Prices): Report {
  const result = estimate(workload, prices);
  return {
    title: `${workload.name}: ${formatNumber(workload.users, "count")} users a day`,
    answer: answerOf(workload, result, prices),
    sections: [
      rateTable(workload, result),
      storageTable(workload, result),
      bandwidthTable(result),
      serverTable(workload, result.originPeakRps),
      costTable(result, prices),
      assumptions(workload),
    ],
  };
}

function answerOf(workload: Workload, result: Estimate, prices: Prices): string[] {
  const { servers } = result;
  return [
    `${formatNumber(result.peakReadRps, "perSecond")} reads and ${formatNumber(result.peakWriteRps, "perSecond")} writes at the peak; ${formatNumber(result.kept, "bytes")} kept after ${workload.years} years in ${workload.copies} ${workload.copies === 1 ? "copy" : "copies"}.`,
    `${servers.withSpare} servers of ${workload.coresPerServer} cores, one of them to spare; about ${formatNumber(result.costs.total, "money", 2)} ${prices.currency} a month in the first year.`,
    databaseSentence(result),
    ...(result.fileEgressBps > 1e10
      ? [`${formatNumber(result.fileEgressBps, "bitsPerSecond", 3)} of files: a CDN is not optional.`]
      : []),
  ];
}

/** Dares to say when one machine is enough, with the numbers that carry it. */
function databaseSentence({ peakWriteRps, textKept }: Estimate): string {
  const facts = `${formatNumber(peakWriteRps, "perSecond", 3)} writes, ${formatNumber(textKept, "bytes", 3)} of rows`;
  const limits = `${formatNumber(ONE_PRIMARY.writeRps, "perSecond")} and ${formatNumber(ONE_PRIMARY.bytes, "bytes")}`;
  return peakWriteRps <= ONE_PRIMARY.writeRps && textKept <= ONE_PRIMARY.bytes
    ? `One primary carries that (${facts}, below ${limits}): do not shard.`
    : `One primary does not carry that (${facts}, above ${limits}): plan for shards, after index, cache, a bigger machine and replicas.`;
}

type InHead = readonly [value: number, words: string];

/** Exact and mental side by side; the error of the mental one is part of it. */
function both(title: string, rows: readonly (readonly [Figure, InHead])[]): Table {
  return {
    kind: "table",
    title,
    columns: [
      { title: "what" },
      { title: "exact", align: "right" },
      { title: "in one's head", align: "right" },
      { title: "off by", align: "right" },
      { title: "rounded" },
    ],
    rows: rows.map(([exact, [value, words]]) => [
      exact.label,
      exact,
      formatNumber(value, exact.unit, 2),
      exact.value === 0 ? "" : formatNumber(value / exact.value - 1, "share", 2),
      words,
    ]),
  };
}

function rateTable(workload: Workload, result: Estimate): Section {
  const { peak } = workload;
  const rate = (key: string, label: string, value: number, perDay: number): readonly [Figure, InHead] => [
    figure({
      key,
      label,
      value,
      unit: "perSecond",
      formula: "a day's number / 86,400 s",
      inputs: [["a day's number", perDay, "perDay"]],
    }),
    [inHead(perDay) / DAY_S_IN_HEAD, `${formatNumber(inHead(perDay), "count", 1)} / 10^5 s`],
  ];
  const top = (key: string, label: string, value: number, perDay: number): readonly [Figure, InHead] => [
    figure({
      key,
      label,
      value,
      unit: "perSecond",
      formula: "mean x peak",
      inputs: [
        ["mean", perDay / DAY_S, "perSecond"],
        ["peak", peak, "ratio"],
      ],
    }),
    [(inHead(perDay) / DAY_S_IN_HEAD) * peak, `x ${peak}`],
  ];
  return both("Requests", [
    rate("readRps", "reads", result.readRps, result.readsPerDay),
    top("peakReadRps", "reads at the peak", result.peakReadRps, result.readsPerDay),
    rate("writeRps", "writes", result.writeRps, result.writesPerDay),
    top("peakWriteRps", "writes at the peak", result.peakWriteRps, result.writesPerDay),
  ]);
}

function storageTable({ years, growth, copies, hotShare }: Workload, result: Estimate): Section {
  const row = (
    parts: Omit<FigureParts, "unit"> & { readonly unit: FigureParts["unit"] },
    head: InHead,
  ): readonly [Figure, InHead] => [figure(parts), head];
  const perYear = (day: number): InHead => [inHead(day) * 400, "365 -> 400 days"];
  const kept: [string, number, "ratio" | "share" | "bytesPerDay"][] = [
    ["years", years, "ratio"],
    ["growth a year", growth, "share"],
  ];
  return both("Storage", [
    row(
      {
        key: "textPerDay",
        label: "rows",
        value: result.textPerDay,
        unit: "bytesPerDay",
        formula: "sum of number x bytes",
      },
      [inHead(result.textPerDay), "one digit"],
    ),
    row(
      {
        key: "filesPerDay",
        label: "files",
        value: result.filesPerDay,
        unit: "bytesPerDay",
        formula: "sum of number x share with a file x bytes",
      },
      [inHead(result.filesPerDay), "one digit"],
    ),
    row(
      {
        key: "textPerYear",
        label: "rows",
        value: result.textPerYear,
        unit: "bytesPerYear",
        formula: "a day x 365",
      },
      perYear(result.textPerDay),
    ),
    row(
      {
        key: "filesPerYear",
        label: "files",
        value: result.filesPerYear,
        unit: "bytesPerYear",
        formula: "a day x 365",
      },
      perYear(result.filesPerDay),
    ),
    row(
      {
        key: "textKept",
        label: `rows after ${years} years`,
        value: result.textKept,
        unit: "bytes",
        formula: "a year x years, grown",
        inputs: kept,
      },
      [inHead(result.textPerDay) * 400 * years, "no growth"],
    ),
    row(
      {
        key: "filesCopied",
        label: `files a year in ${copies} copies`,
        value: result.filesPerYear * copies,
        unit: "bytes",
        formula: "a year x copies",
        inputs: [["copies", copies, "count"]],
      },
      [inHead(result.filesPerDay) * 400 * copies, ""],
    ),
    row(
      {
        key: "kept",
        label: "all, all copies",
        value: result.kept,
        unit: "bytes",
        formula: "(rows + files) x copies",
        inputs: [["copies", copies, "count"]],
      },
      [(inHead(result.textPerDay) + inHead(result.filesPerDay)) * 400 * years * copies, ""],
    ),
    row(
      {
        key: "cacheBytes",
        label: "cache: the hot part of a day's rows",
        value: result.cacheBytes,
        unit: "bytes",
        formula: "rows of a day x hot share",
        inputs: [["hot share", hotShare, "share"]],
        source: "the 80/20 rule",
      },
      [inHead(result.textPerDay) * hotShare, ""],
    ),
  ]);
}

function bandwidthTable(result: Estimate): Section {
  const head = (bps: number): InHead => [
    (inHead((bps * DAY_S) / 8) / DAY_S_IN_HEAD) * 10,
    "8 -> 10 bits, 10^5 s",
  ];
  return both("Bandwidth", [
    [
      figure({
        key: "textEgressBps",
        label: "answers",
        value: result.textEgressBps,
        unit: "bitsPerSecond",
        formula: "bytes a day x 8 / 86,400 s",
      }),
      head(result.textEgressBps),
    ],
    [
      figure({
        key: "fileEgressBps",
        label: "files",
        value: result.fileEgressBps,
        unit: "bitsPerSecond",
        formula: "reads x share with a file x bytes x 8 / 86,400 s",
      }),
      head(result.fileEgressBps),
    ],
    [
      figure({
        key: "egressPerDay",
        label: "both",
        value: result.egressPerDay,
        unit: "bytesPerDay",
        formula: "bytes a day",
      }),
      [inHead(result.egressPerDay), "one digit"],
    ],
  ]);
}

function costTable({ costs }: Estimate, { currency }: Prices): Table {
  const row = (key: keyof Estimate["costs"], label: string, formula: string): Figure =>
    figure({ key: `${key}Cost`, label, value: costs[key], unit: "moneyPerMonth", formula, digits: 3 });
  return valueTable(`Cost, ${currency} (replace the prices by your own: --prices FILE)`, [
    row("servers", "servers", "servers x cores x price of a core"),
    row("memory", "cache memory", "GB x price"),
    row("disk", "disk, after the first year", "rows of a year x copies x price of a GB"),
    row("objects", "files, after the first year", "files of a year x copies x price of a GB"),
    row("traffic", "traffic", "GB of 30 days x (CDN share x CDN price + rest x egress price)"),
    row("total", "all", "sum"),
  ]);
}

function assumptions({ actions, ...workload }: Workload): Section {
  return {
    kind: "notes",
    title: "Assumed",
    lines: [
      ...actions.map(({ name, perDay, kind, storedBytes, answerBytes, attachment }) =>
        [
          `${name}: ${formatNumber(perDay, "perDay")} (${kind}s)`,
          ...(storedBytes > 0 ? [`${formatNumber(storedBytes, "bytes")} kept`] : []),
          ...(answerBytes > 0 ? [`${formatNumber(answerBytes, "bytes")} sent`] : []),
          ...(attachment === undefined
            ? []
            : [
                `${formatNumber(attachment.share, "share")} with a file of ${formatNumber(attachment.bytes, "bytes")}`,
              ]),
        ].join(", "),
      ),
      `peak ${workload.peak} times the mean, ${formatNumber(workload.cpuMs, "ms")} of CPU a request, ${formatNumber(workload.cdnShare, "share")} of reads from the CDN`,
    ],
  };
}
