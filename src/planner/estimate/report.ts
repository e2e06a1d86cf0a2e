/** Estimates as reports: the mental figure beside the exact one, with what was rounded. */
import { type Figure, type FigureParts, figure, figures } from "../report/figure.ts";
import type { Report, Section, Table } from "../report/report.ts";
import { formatNumber } from "../report/unit.ts";
import { valueTable } from "../report/value-table.ts";
import { DAY_S_IN_HEAD, type Estimate, estimate, inHead } from "./estimate.ts";
import type { Prices } from "./prices.ts";
import { serverTable } from "./servers-report.ts";
import type { Workload } from "./workload.ts";

const DAY_S = 86_400;
const BITS = 8;

/** Bits of a byte, and days of a year, as one reckons in one's head. */
const BITS_IN_HEAD = 10;
const YEAR_DAYS_IN_HEAD = 400;

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
function both(title: string, exact: readonly Figure[], heads: readonly InHead[]): Table {
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
    rows: exact.map((one, index) => {
      const [value, words] = heads[index] ?? [one.value, ""];
      const off = one.value === 0 ? "" : formatNumber(value / one.value - 1, "share", 2);
      return [one.label, one, formatNumber(value, one.unit, 2), off, words];
    }),
  };
}

function rateTable({ peak }: Workload, result: Estimate): Section {
  const { readsPerDay, writesPerDay } = result;
  const reads: FigureParts["inputs"] = [
    ["a day's number", readsPerDay, "perDay"],
    ["peak", peak, "ratio"],
  ];
  const writes: FigureParts["inputs"] = [
    ["a day's number", writesPerDay, "perDay"],
    ["peak", peak, "ratio"],
  ];
  const mean = "a day's number / 86,400 s";
  const exact = figures([
    ["readRps", "reads", result.readRps, "perSecond", mean, { inputs: reads }],
    [
      "peakReadRps",
      "reads at the peak",
      result.peakReadRps,
      "perSecond",
      `${mean} x peak`,
      { inputs: reads },
    ],
    ["writeRps", "writes", result.writeRps, "perSecond", mean, { inputs: writes }],
    [
      "peakWriteRps",
      "writes at the peak",
      result.peakWriteRps,
      "perSecond",
      `${mean} x peak`,
      { inputs: writes },
    ],
  ]);
  const head = (perDay: number): number => inHead(perDay) / DAY_S_IN_HEAD;
  const words = (perDay: number): string => `${formatNumber(inHead(perDay), "count", 1)} / 10^5 s`;
  return both("Requests", exact, [
    [head(readsPerDay), words(readsPerDay)],
    [head(readsPerDay) * peak, `x ${peak}`],
    [head(writesPerDay), words(writesPerDay)],
    [head(writesPerDay) * peak, `x ${peak}`],
  ]);
}

function storageTable({ years, growth, copies, hotShare }: Workload, result: Estimate): Section {
  const { textPerDay, filesPerDay, textPerYear, filesPerYear, textKept, kept, cacheBytes } = result;
  const exact = figures(
    [
      ["textPerDay", "rows", textPerDay, "bytesPerDay", "sum of number x bytes"],
      ["filesPerDay", "files", filesPerDay, "bytesPerDay", "sum of number x share with a file x bytes"],
      ["textPerYear", "rows", textPerYear, "bytesPerYear", "a day x 365"],
      ["filesPerYear", "files", filesPerYear, "bytesPerYear", "a day x 365"],
      ["textKept", `rows after ${years} years`, textKept, "bytes", "a year x years, grown"],
      ["filesCopied", `files a year in ${copies} copies`, filesPerYear * copies, "bytes", "a year x copies"],
      ["kept", "all, all copies", kept, "bytes", "(rows + files) x copies"],
      [
        "cacheBytes",
        "cache: the hot part of a day's rows",
        cacheBytes,
        "bytes",
        "rows of a day x hot share",
        { source: "the 80/20 rule" },
      ],
    ],
    {
      inputs: [
        ["years", years, "ratio"],
        ["growth a year", growth, "share"],
        ["copies", copies, "count"],
        ["hot share", hotShare, "share"],
      ],
    },
  );
  const [text, files] = [inHead(textPerDay), inHead(filesPerDay)];
  return both("Storage", exact, [
    [text, "one digit"],
    [files, "one digit"],
    [text * YEAR_DAYS_IN_HEAD, "365 -> 400 days"],
    [files * YEAR_DAYS_IN_HEAD, "365 -> 400 days"],
    [text * YEAR_DAYS_IN_HEAD * years, "no growth"],
    [files * YEAR_DAYS_IN_HEAD * copies, ""],
    [(text + files) * YEAR_DAYS_IN_HEAD * years * copies, ""],
    [text * hotShare, ""],
  ]);
}

function bandwidthTable({ textEgressBps, fileEgressBps, egressPerDay }: Estimate): Section {
  const head = (bps: number): number => (inHead((bps * DAY_S) / BITS) / DAY_S_IN_HEAD) * BITS_IN_HEAD;
  const exact = figures([
    ["textEgressBps", "answers", textEgressBps, "bitsPerSecond", "bytes a day x 8 / 86,400 s"],
    [
      "fileEgressBps",
      "files",
      fileEgressBps,
      "bitsPerSecond",
      "reads x share with a file x bytes x 8 / 86,400 s",
    ],
    ["egressPerDay", "both", egressPerDay, "bytesPerDay", "bytes a day"],
  ]);
  return both("Bandwidth", exact, [
    [head(textEgressBps), "8 -> 10 bits, 10^5 s"],
    [head(fileEgressBps), "8 -> 10 bits, 10^5 s"],
    [inHead(egressPerDay), "one digit"],
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
