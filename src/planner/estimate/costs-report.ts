/** What it costs by the month, as a table. */
import { type FigureRow, figures } from "../report/figure.ts";
import type { Table } from "../report/report.ts";
import { valueTable } from "../report/value-table.ts";
import type { Costs } from "./costs.ts";
import type { Estimate } from "./estimate.ts";
import type { Inputs } from "./mental-table.ts";
import type { Prices } from "./prices.ts";
import type { Workload } from "./workload.ts";

/** Each part with the price that it was reckoned by. */
export function costsTable(
  { coresPerServer, copies }: Workload,
  { costs, servers, storage, bandwidth, cacheBytes, databases }: Estimate,
  prices: Prices,
): Table {
  const row = (key: keyof Costs, label: string, formula: string, inputs: Inputs): FigureRow => [
    `${key}Cost`,
    label,
    costs[key],
    "moneyPerMonth",
    formula,
    { inputs, digits: 3 },
  ];
  const price = (value: number): Inputs[number] => ["price", value, "money"];
  const rows = [
    row("servers", "servers", "servers x cores x price of a core", [
      ["servers", servers.withSpare, "count"],
      ["cores", coresPerServer, "count"],
      price(prices.corePerMonth),
    ]),
    row("databases", "database machines", "primaries x (1 + replicas of each) x price", [
      ["primaries", databases.primaries, "count"],
      ["replicas of each", databases.replicas, "count"],
      price(prices.databasePerMonth),
    ]),
    row("balancer", "load balancer", "price", [price(prices.balancerPerMonth)]),
    row("memory", "cache memory", "GB x price", [
      ["cache", cacheBytes, "bytes"],
      price(prices.memoryGbPerMonth),
    ]),
    row("disk", "disk", "rows of a year x copies x price of a GB", [
      ["rows", storage.rowsPerYear, "bytes"],
      ["copies", copies, "count"],
      price(prices.diskGbPerMonth),
    ]),
    row("objects", "object store", "files of a year x price of a GB, its copies included", [
      ["files", storage.filesPerYear, "bytes"],
      price(prices.objectGbPerMonth),
    ]),
    row("cdn", "traffic by CDN", "what it sends in 30 days x price of a GB", [
      ["a day", bandwidth.cdnPerDay, "bytesPerDay"],
      price(prices.cdnPerGb),
    ]),
    row("egress", "other traffic", "what is sent in 30 days x price of a GB", [
      ["a day", bandwidth.originPerDay, "bytesPerDay"],
      price(prices.egressPerGb),
    ]),
  ];
  const total = row("total", "all", "sum", []);
  return valueTable(
    `Cost at the end of the first year, ${prices.currency} at prices of ${prices.asOf}: put in your own with --prices FILE`,
    figures([...rows.filter(([, , value]) => value > 0), total]),
  );
}
