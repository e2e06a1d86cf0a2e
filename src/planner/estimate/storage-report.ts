/** What is kept, as a table: rows and files a day, a year, after all years, in all copies; and the cache. */
import type { Table } from "../report/report.ts";
import type { Estimate } from "./estimate.ts";
import { inBrackets, inHead, type Mental, plus, times, YEAR_IN_HEAD } from "./mental.ts";
import { type Inputs, type MentalRow, mentalRow, mentalTable } from "./mental-table.ts";
import type { Storage } from "./storage.ts";
import { copiesText, yearsText } from "./text.ts";
import { type Load, loadsOf, type Workload } from "./workload.ts";

/** The storage of a workload. */
export function storageTable(workload: Workload, result: Estimate): Table {
  const loads = loadsOf(workload);
  const hasFiles = result.storage.filesPerDay > 0;
  return mentalTable("Storage", [
    ...rowsKept(loads, workload, result.storage),
    ...(hasFiles ? filesKept(loads, workload, result.storage) : []),
    allKept(workload, result.storage),
    cache(workload, result),
  ]);
}

function rowsKept(loads: readonly Load[], workload: Workload, storage: Storage): MentalRow[] {
  const { rowsPerDay, rowsPerYear } = storage;
  const mental = inHead(rowsPerDay, "bytes");
  const ofDay: Inputs = weighed(loads, ({ storedBytes }) => storedBytes);
  const ofYear: Inputs = [["a day's", rowsPerDay, "bytesPerDay"]];
  const kept: Inputs = [["a year's", rowsPerYear, "bytesPerYear"], ...spanInputs(workload)];
  const label = `rows after ${yearsText(workload.years)}`;
  return [
    mentalRow(mental, [
      "rowsPerDay",
      "rows",
      rowsPerDay,
      "bytesPerDay",
      "sum of times a day x bytes kept",
      { inputs: ofDay },
    ]),
    mentalRow(times(mental, YEAR_IN_HEAD), [
      "rowsPerYear",
      "rows",
      rowsPerYear,
      "bytesPerYear",
      "a day's x 365",
      { inputs: ofYear },
    ]),
    mentalRow(times(mental, YEAR_IN_HEAD, spanInHead(workload)), [
      "rowsKept",
      label,
      storage.rowsKept,
      "bytes",
      `a year's x ${spanFormula(workload)}`,
      { inputs: kept },
    ]),
  ];
}

function filesKept(
  loads: readonly Load[],
  { copies }: Workload,
  { filesPerDay, filesPerYear, filesPerYearCopied }: Storage,
): MentalRow[] {
  const mental = inHead(filesPerDay, "bytes");
  const writes = loads.filter(({ kind }) => kind === "write");
  const ofDay: Inputs = weighed(writes, ({ fileBytes }) => fileBytes);
  const ofYear: Inputs = [["a day's", filesPerDay, "bytesPerDay"]];
  const copied: Inputs = [
    ["a year's", filesPerYear, "bytesPerYear"],
    ["copies", copies, "count"],
  ];
  return [
    mentalRow(mental, [
      "filesPerDay",
      "files",
      filesPerDay,
      "bytesPerDay",
      "sum of times a day x share with a file x its size",
      { inputs: ofDay },
    ]),
    mentalRow(times(mental, YEAR_IN_HEAD), [
      "filesPerYear",
      "files",
      filesPerYear,
      "bytesPerYear",
      "a day's x 365",
      { inputs: ofYear },
    ]),
    mentalRow(times(mental, YEAR_IN_HEAD, inHead(copies, "ratio")), [
      "filesPerYearCopied",
      `files, in ${copiesText(copies)}`,
      filesPerYearCopied,
      "bytesPerYear",
      "a year's x copies",
      { inputs: copied },
    ]),
  ];
}

function allKept(workload: Workload, storage: Storage): MentalRow {
  const { rowsPerDay, filesPerDay, rowsPerYear, filesPerYear, keptCopied } = storage;
  const rows = inHead(rowsPerDay, "bytes");
  const both = filesPerDay > 0 ? inBrackets(plus(rows, inHead(filesPerDay, "bytes"))) : rows;
  const inputs: Inputs = [
    ["rows of a year", rowsPerYear, "bytesPerYear"],
    ["files of a year", filesPerYear, "bytesPerYear"],
    ...spanInputs(workload),
    ["copies", workload.copies, "count"],
  ];
  return mentalRow(times(both, YEAR_IN_HEAD, spanInHead(workload), inHead(workload.copies, "ratio")), [
    "keptCopied",
    `all after ${yearsText(workload.years)}, in ${copiesText(workload.copies)}`,
    keptCopied,
    "bytes",
    `(rows + files of a year) x ${spanFormula(workload)} x copies`,
    { inputs },
  ]);
}

function cache({ hotShare }: Workload, { storage, cacheBytes }: Estimate): MentalRow {
  const { rowsPerDay } = storage;
  const mental = times(inHead(rowsPerDay, "bytes"), inHead(hotShare, "share"));
  const inputs: Inputs = [
    ["rows of a day", rowsPerDay, "bytesPerDay"],
    ["hot share", hotShare, "share"],
  ];
  return mentalRow(mental, [
    "cacheBytes",
    "cache: the hot part of a day's rows",
    cacheBytes,
    "bytes",
    "rows of a day x hot share",
    { inputs, source: "the 80/20 rule: a fifth of the data gets four fifths of the reads" },
  ]);
}

function weighed(loads: readonly Load[], bytes: (load: Load) => number): Inputs {
  return loads
    .filter((load) => bytes(load) > 0)
    .flatMap(
      (load): Inputs => [
        [`${load.name} a day`, load.perDay, "perDay"],
        [`bytes of ${load.name}`, bytes(load), "bytes"],
      ],
    );
}

function spanInputs({ years, growth }: Workload): Inputs {
  return growth === 0
    ? [["years", years, "ratio"]]
    : [
        ["years", years, "ratio"],
        ["growth", growth, "share"],
      ];
}

function spanFormula({ growth }: Workload): string {
  return growth === 0 ? "years" : "((1 + growth)^years - 1) / growth";
}

/** Growth is left out: whoever reckons in their head doubles at the end. */
function spanInHead({ years, growth }: Workload): Mental {
  const span = inHead(years, "ratio");
  return growth === 0 ? span : { ...span, rounded: [...span.rounded, "no growth"] };
}
