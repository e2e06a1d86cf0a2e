/** What a month costs with the cache and without it, part by part, as a table. */
import { type Figure, type FigureParts, figure } from "../report/figure.ts";
import type { Cell, Table } from "../report/report.ts";
import { type CacheCosts, type CacheWindow, requestsOf, type Upstream, upstreamGb } from "./costs.ts";
import type { CachePrices } from "./prices.ts";

/** What is paid for, and by what. */
interface Paid {
  readonly window: CacheWindow;
  readonly prices: CachePrices;
  readonly upstream: Upstream;
}

type Input = NonNullable<FigureParts["inputs"]>[number];
type Row = readonly Cell[];

/** Each part, their sums, and what is saved. */
export function costsTable(paid: Paid, costs: CacheCosts): Table {
  const { currency, asOf } = paid.prices;
  return {
    kind: "table",
    title: `Cost by the month of 30 days, ${currency} at prices of ${asOf}: put in your own with --prices FILE`,
    columns: [
      { title: "what" },
      { title: "with the cache", align: "right" },
      { title: "without it", align: "right" },
    ],
    rows: [...bytesRows(paid, costs), ...requestRows(paid, costs), ...otherRows(paid, costs), ...sums(costs)],
  };
}

function bytesRows({ window, prices, upstream }: Paid, { edge, fetched, without }: CacheCosts): Row[] {
  const { spanMs, answeredBytes, fetchedBytes } = window;
  const one = (key: string, label: string, value: number, bytes: number, price: number): Figure =>
    cost(key, label, value, "GB x month / span x price of a GB", [
      ["bytes", bytes, "bytes"],
      ["span", spanMs, "ms"],
      ["price", price, "money"],
    ]);
  const from = `bytes from the ${upstream}`;
  return [
    [
      "bytes to clients",
      one("edgeCost", "bytes to clients, by the edge", edge, answeredBytes, prices.edgeGb),
      one("withoutEgressCost", "by the origin", without.egress, answeredBytes, prices.originGb),
    ],
    [from, one("fetchedCost", from, fetched, fetchedBytes, upstreamGb(prices, upstream)), ""],
  ];
}

function requestRows({ window, prices, upstream }: Paid, costs: CacheCosts): Row[] {
  const requests = requestsOf(window);
  const { originMillionRequests, edgeMillionRequests } = prices;
  const one = (key: string, label: string, value: number, count: number, price: number): Figure =>
    cost(key, label, value, "millions x month / span x price of a million", [
      ["requests", count, "count"],
      ["span", window.spanMs, "ms"],
      ["price", price, "money"],
    ]);
  const behind = `requests at the ${upstream}`;
  const { without } = costs;
  return [
    [
      "requests at the edge",
      one("requestsCost", "requests at the edge", costs.requests, requests, edgeMillionRequests),
      "",
    ],
    [
      behind,
      one("fetchesCost", behind, costs.fetches, window.fetches, originMillionRequests),
      one("withoutRequestsCost", "all at the origin", without.requests, requests, originMillionRequests),
    ],
  ];
}

function otherRows({ window, prices }: Paid, costs: CacheCosts): Row[] {
  const { purges, spanMs, capacityBytes } = window;
  return [
    [
      "purges",
      cost("purgesCost", "purges", costs.purges, "purges x month / span x price of one", [
        ["purges", purges, "count"],
        ["span", spanMs, "ms"],
        ["price", prices.purgePath, "money"],
      ]),
      "",
    ],
    [
      "memory of the cache",
      cost("memoryCost", "memory of the cache", costs.memory, "GB x price", [
        ["memory", capacityBytes, "bytes"],
        ["price", prices.memoryGbPerMonth, "money"],
      ]),
      "",
    ],
  ];
}

function sums({ total, without, saving }: CacheCosts): Row[] {
  const both: Input[] = [
    ["without it", without.total, "moneyPerMonth"],
    ["with it", total, "moneyPerMonth"],
  ];
  return [
    [
      "all",
      cost("totalCost", "all, with the cache", total, "sum", []),
      cost("withoutTotalCost", "all, without it", without.total, "sum", []),
    ],
    ["saving", cost("saving", "saving", saving, "without it - with it", both), ""],
  ];
}

function cost(key: string, label: string, value: number, formula: string, inputs: readonly Input[]): Figure {
  return figure({ key, label, value, unit: "moneyPerMonth", formula, inputs, digits: 3 });
}
