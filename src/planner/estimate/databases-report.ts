/** Machines of the database as a table: what reaches it, primaries, replicas. */
import { MACHINE_BYTES, PRIMARY_WRITES_RPS, SERVER_READS_RPS } from "../database-server.ts";
import { type FigureRow, figures } from "../report/figure.ts";
import type { Table } from "../report/report.ts";
import { formatNumber } from "../report/unit.ts";
import { valueTable } from "../report/value-table.ts";
import { CACHE_HITS } from "./databases.ts";
import type { Estimate } from "./estimate.ts";
import type { Inputs } from "./mental-table.ts";
import { yearsText } from "./text.ts";
import type { Workload } from "./workload.ts";

/** The database of a workload. */
export function databasesTable({ copies, years, growth }: Workload, result: Estimate): Table {
  const { rates, storage, databases } = result;
  const { cached, readRps, writeRps, primaries, replicas } = databases;
  const grown: Inputs = growth === 0 ? [] : [["growth in all", rates.grown, "ratio"]];
  const factor = growth === 0 ? "" : " x growth in all";
  const hits: Inputs = cached ? [["cache hits", CACHE_HITS, "share"]] : [];
  const rows: FigureRow[] = [
    [
      "databaseReadRps",
      `reads at the peak, past CDN${cached ? " and cache" : ""}`,
      readRps,
      "perSecond",
      `reads past the CDN${cached ? " x (1 - cache hits)" : ""}${factor}`,
      { inputs: [["reads past the CDN", rates.originReadRps, "perSecond"], ...hits, ...grown], digits: 3 },
    ],
    [
      "databaseWriteRps",
      "writes at the peak",
      writeRps,
      "perSecond",
      `writes at the peak${factor}`,
      { inputs: [["writes at the peak", rates.peakWriteRps, "perSecond"], ...grown], digits: 3 },
    ],
    [
      "primaries",
      "primaries: writes and rows over what one carries",
      primaries,
      "count",
      "the larger of writes / writes of one and rows / rows of one, rounded up",
      {
        inputs: [
          ["writes", writeRps, "perSecond"],
          ["writes of one", PRIMARY_WRITES_RPS, "perSecond"],
          ["rows", storage.rowsKept, "bytes"],
          ["rows of one", MACHINE_BYTES, "bytes"],
        ],
      },
    ],
    [
      "replicas",
      "replicas of each: copies, and reads over what one answers",
      replicas,
      "count",
      "the larger of copies and reads / primaries / reads of one, rounded up, - 1",
      {
        inputs: [
          ["copies", copies, "count"],
          ["reads", readRps, "perSecond"],
          ["primaries", primaries, "count"],
          ["reads of one", SERVER_READS_RPS, "perSecond"],
        ],
      },
    ],
  ];
  const title = `Database after ${yearsText(years)}`;
  return valueTable(
    `${title} (one machine: ${formatNumber(PRIMARY_WRITES_RPS, "perSecond")} writes, ${formatNumber(SERVER_READS_RPS, "perSecond")} reads, ${formatNumber(MACHINE_BYTES, "bytes")})`,
    figures(rows),
  );
}
