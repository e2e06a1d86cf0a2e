/** What a cache costs and saves by the month, as a report. */
import { type FigureParts, figure } from "../report/figure.ts";
import type { Notes, Report, Table } from "../report/report.ts";
import { formatNumber } from "../report/unit.ts";
import { valueTable } from "../report/value-table.ts";
import {
  type CacheCosts,
  type CacheWindow,
  cacheCostsOf,
  hitsOfWindow,
  MONTH_MS,
  requestsOf,
} from "./costs.ts";
import { costsTable } from "./costs-table.ts";
import type { CachePrices } from "./prices.ts";
import { type UsageQuestion, usageSections } from "./usage-report.ts";

/** What is reported. */
export interface CostQuestion extends Omit<UsageQuestion, "isCrowded"> {
  readonly window: CacheWindow;
}

/** Traffic of less than this says little about a month. */
const SHORT_MS = 3_600_000;

/** The whole report. The window must have a request and a span. */
export function cacheCostReport(question: CostQuestion): Report {
  const { window, prices, upstream } = question;
  const costs = cacheCostsOf(window, prices, upstream);
  return {
    title: "What the cache costs and saves",
    answer: [savingSentence(costs, prices), hitSentence(window, costs)],
    sections: [
      costsTable(question, costs),
      trafficTable(window),
      ...usageSections({ ...question, isCrowded: window.crowdedOut > 0 }),
      assumptions(window),
    ],
  };
}

function money(value: number): string {
  return formatNumber(Number(value.toPrecision(3)), "money");
}

function savingSentence({ total, without, saving }: CacheCosts, { currency }: CachePrices): string {
  const now = `At this traffic a month costs ${money(total)} ${currency} with the cache and ${money(without.total)} without it`;
  return saving >= 0
    ? `${now}: it saves ${money(saving)}.`
    : `${now}: it costs ${money(-saving)} more than it saves.`;
}

function hitSentence(window: CacheWindow, { fetchedShare, paysUpTo }: CacheCosts): string {
  const share = formatNumber(hitsOfWindow(window) / requestsOf(window), "share", 3);
  const bytes = formatNumber(fetchedShare, "share", 3);
  const pays =
    paysUpTo === undefined ? "" : `; at these prices it pays up to ${formatNumber(paysUpTo, "share", 3)}`;
  return `${share} of the requests came from the store; targets sent ${bytes} of the bytes that clients got${pays}.`;
}

function trafficTable(window: CacheWindow): Table {
  const { results, spanMs, answeredBytes, servedBytes, fetches, fetchedBytes, purges } = window;
  const requests = requestsOf(window);
  const hits = hitsOfWindow(window);
  const count = (key: string, label: string, value: number, formula = "counted"): FigureParts => ({
    key,
    label,
    value,
    unit: "count",
    formula,
  });
  const bytes = (key: string, label: string, value: number): FigureParts => ({
    ...count(key, label, value),
    unit: "bytes",
  });
  const kept = window.stored;
  const rows: FigureParts[] = [
    { ...count("span", "counted for", spanMs, "last reading - first reading"), unit: "ms" },
    count("requests", "requests", requests, "sum of all below"),
    count("fromStore", "from the store", hits, "hit + stale + revalidated"),
    count("misses", "by a target, and kept where that is allowed", results["miss"] ?? 0),
    count("collapsed", "with the fetch of another request", results["collapsed"] ?? 0),
    count("bypassed", "around the cache", results["bypass"] ?? 0),
    {
      ...count("hitShare", "share from the store", hits / requests, "from the store / requests"),
      unit: "share",
      inputs: [
        ["from the store", hits, "count"],
        ["requests", requests, "count"],
      ],
    },
    bytes("answeredBytes", "bytes to clients", answeredBytes),
    bytes("servedBytes", "of those, from the store", servedBytes),
    count("fetches", "answers of targets", fetches),
    bytes("fetchedBytes", "their bytes", fetchedBytes),
    count("purges", "purges", purges),
    count("stored", "responses kept", kept),
    count("crowdedOut", "responses that left for want of room", window.crowdedOut),
    count("notUsedAgain", "of those, never asked for again", window.notUsedAgain),
    {
      ...count("oneHitShare", "one-hit wonders", kept === 0 ? 0 : window.notUsedAgain / kept),
      unit: "share",
      formula: "left without having been asked for again / kept",
      inputs: [
        ["left", window.notUsedAgain, "count"],
        ["kept", kept, "count"],
      ],
    },
  ];
  return valueTable("What was counted", rows.map(figure));
}

function assumptions({ spanMs }: CacheWindow): Notes {
  const factor = formatNumber(MONTH_MS / spanMs, "ratio", 3);
  return {
    kind: "notes",
    title: "Assumed",
    lines: [
      `the month is like the ${formatNumber(spanMs, "ms")} that were counted, ${factor} times over${spanMs < SHORT_MS ? ": too short to plan by" : ""}`,
      "without the cache the origin answers every request with the same bytes",
      "a fetch of a shield costs the origin a request at most",
      "only rules with a cache are counted; bytes are those of heads and bodies, without TLS and TCP",
    ],
  };
}
