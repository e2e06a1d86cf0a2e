/**
 * Availability and redundancy: which of a few designs keeps the target at the least cost, downtime included.
 *
 * Gateway, servers and database in a row; each design doubles more of it. Copies fail together now and then (a bad
 * deploy, the power, the network): where they stand decides how often.
 */
import { type Component, type GroupOptions, unavailabilityOf } from "../availability/index.ts";
import { figure } from "../report/figure.ts";
import type { Table } from "../report/report.ts";
import { formatNumber } from "../report/unit.ts";
import type { Facts } from "./facts.ts";
import { reckoned, serversFor, spareFor } from "./prices.ts";
import { question, type Trigger, type Verdict } from "./question.ts";

const YEAR_MS = 365 * 86_400_000;
const HOURS_A_MONTH = 730;

/** A lease of 30 s, and four failures or upgrades of a primary a year. */
const FAILOVER_MS = 30_000;
const FAILOVERS_PER_YEAR = 4;

/** Turning everybody to another region takes minutes, and is done by a person. */
const REGION_OPTIONS: GroupOptions = { commonShare: 0, failoverMs: 300_000, failoversPerYear: 1 };

/** A gateway is a small machine, a database a large one, in cores. */
const GATEWAY_CORES = 2;
const DATABASE_CORES = 16;

type Asked = Pick<
  Facts,
  | "availability"
  | "serverAvailability"
  | "downtimeCost"
  | "corePrice"
  | "serverCores"
  | "readRps"
  | "writeRps"
  | "cpuMs"
>;

/** How much of everything there is. */
interface Design {
  readonly choice: string;
  readonly answer: string;
  readonly tradeOff: string;
  readonly gateways: number;
  readonly servers: (needed: number) => number;
  readonly databases: number;
  /** Share of failures that take all copies of a part. */
  readonly commonShare: number;
  /** Everything again, elsewhere. */
  readonly regions: number;
}

/** From the cheapest to the dearest. */
const DESIGNS: readonly Design[] = [
  {
    choice: "one of each",
    answer: "one of each: nothing is doubled",
    tradeOff: "whatever fails takes all of it down until it is repaired",
    gateways: 1,
    servers: (needed) => needed,
    databases: 1,
    commonShare: 0,
    regions: 1,
  },
  {
    choice: "servers to spare",
    answer: "servers to spare; gateway and database as they are",
    tradeOff: "gateway and database are what is down now",
    gateways: 1,
    servers: (needed) => needed + spareFor(needed),
    databases: 1,
    commonShare: 0.05,
    regions: 1,
  },
  {
    choice: "two of each",
    answer: "two of each: gateways, servers to spare, a primary and its replica",
    tradeOff: "failover has to be rehearsed, and the app keeps no state",
    gateways: 2,
    servers: (needed) => needed + spareFor(needed),
    databases: 2,
    commonShare: 0.05,
    regions: 1,
  },
  {
    choice: "three zones",
    answer: "three zones: any one may be lost with all that stands in it",
    tradeOff: "half as many servers again, and traffic between zones that is paid for",
    gateways: 3,
    servers: (needed) => Math.ceil(needed / 2) * 3,
    databases: 3,
    commonShare: 0.01,
    regions: 1,
  },
  {
    choice: "two regions",
    answer: "two regions: three zones, twice",
    tradeOff: "twice the price, and writes that cross a continent or may be lost",
    gateways: 3,
    servers: (needed) => Math.ceil(needed / 2) * 3,
    databases: 3,
    commonShare: 0.01,
    regions: 2,
  },
];

/** A design with its numbers. */
interface Priced {
  readonly design: Design;
  readonly unavailability: number;
  readonly price: number;
  readonly total: number;
}

/** Which target, and what keeps it. */
export const redundancy: ReturnType<typeof question> = question({
  asks: "availability and redundancy",
  reads: [
    "availability",
    "serverAvailability",
    "downtimeCost",
    "corePrice",
    "serverCores",
    "readRps",
    "writeRps",
    "cpuMs",
  ],
  decide: (facts): Verdict => {
    const offers = DESIGNS.map((design) => priced(design, facts));
    const keeping = offers.filter(({ unavailability }) => 1 - unavailability >= facts.availability);
    const best = keeping.toSorted((a, b) => a.total - b.total)[0];
    const target = formatNumber(facts.availability, "availability");
    const allowed = formatNumber((1 - facts.availability) * YEAR_MS, "ms", 3);
    if (best === undefined) return beyond(offers, facts, `${target} (${allowed} a year)`);
    return {
      choice: best.design.choice,
      answer: `${target} (${allowed} a year): ${best.design.answer}`,
      tradeOff: best.design.tradeOff,
      triggers: offers.map((offer) => triggerOf(offer, facts)),
      more: nextSentence(offers, best),
    };
  },
  sections: (facts) => [designTable(DESIGNS.map((design) => priced(design, facts)))],
});

function beyond(offers: readonly Priced[], facts: Asked, target: string): Verdict {
  return {
    choice: "beyond",
    answer: `${target}: no design here keeps it`,
    tradeOff: "better servers, or a target that is worth its price",
    triggers: offers.map((offer) => triggerOf(offer, facts)),
  };
}

function priced(design: Design, facts: Asked): Priced {
  const { corePrice, serverCores, readRps, writeRps, cpuMs, downtimeCost } = facts;
  const needed = serversFor(((readRps + writeRps) * cpuMs) / 1000, serverCores);
  const { gateways, servers, databases, regions } = design;
  const cores = gateways * GATEWAY_CORES + servers(needed) * serverCores + databases * DATABASE_CORES;
  const price = corePrice * cores * regions;
  const unavailability = unavailabilityOfDesign(design, needed, 1 - facts.serverAvailability);
  return { design, unavailability, price, total: price + unavailability * HOURS_A_MONTH * downtimeCost };
}

/** Copies of one part, so many of them needed. */
function copiesOf(
  name: string,
  unavailability: number,
  [needed, copies]: readonly [needed: number, copies: number],
  options: GroupOptions,
): Component {
  return { kind: "component", name, unavailability, needed, copies, options, shared: false };
}

/** Down when its gateways, servers or databases are; a region is itself a part of which there may be two. */
function unavailabilityOfDesign(design: Design, needed: number, unavailability: number): number {
  const { gateways, servers, databases, commonShare, regions } = design;
  const most = reckoned(needed);
  const fixed = { commonShare, failoverMs: 0, failoversPerYear: 0 };
  const failing = { commonShare, failoverMs: FAILOVER_MS, failoversPerYear: FAILOVERS_PER_YEAR };
  const region = unavailabilityOf({
    kind: "series",
    parts: [
      copiesOf("gateway", unavailability, [1, gateways], fixed),
      copiesOf("server", unavailability, [most, servers(most)], fixed),
      copiesOf("database", unavailability, [1, databases], failing),
    ],
  });
  return unavailabilityOf(copiesOf("region", region, [1, regions], REGION_OPTIONS));
}

function triggerOf({ design, unavailability }: Priced, { availability, serverAvailability }: Asked): Trigger {
  return {
    kind: "number",
    key: camel(design.choice),
    what: `availability of ${design.choice}`,
    value: 1 - unavailability,
    threshold: availability,
    unit: "availability",
    formula: "series of gateways, servers (k of n) and databases, with common causes and failovers",
    inputs: [
      ["of one machine", serverAvailability, "availability"],
      ["common causes", design.commonShare, "share"],
    ],
    because: "the target",
    source: "NUREG/CR-4780",
  };
}

/** What the next nine would cost, or take away. */
function nextSentence(offers: readonly Priced[], best: Priced): string[] {
  const next = offers[offers.indexOf(best) + 1];
  if (next === undefined) return [];
  const savedHours = (best.unavailability - next.unavailability) * HOURS_A_MONTH;
  if (savedHours <= 0) return [];
  const perHour = formatNumber((next.price - best.price) / savedHours, "money", 2);
  return [
    `The next step, ${next.design.choice}, is worth its price once an hour of downtime costs ${perHour}.`,
  ];
}

function designTable(offers: readonly Priced[]): Table {
  return {
    kind: "table",
    title: "Designs",
    columns: [
      { title: "design" },
      ...["down a year", "price", "price and downtime"].map((title) => ({ title, align: "right" as const })),
    ],
    rows: offers.map(({ design, unavailability, price, total }) => {
      const of = (key: string, label: string, value: number, unit: "ms" | "moneyPerMonth", formula: string) =>
        figure({
          key: `${camel(design.choice)}${key}`,
          label: `${label}, ${design.choice}`,
          value,
          unit,
          formula,
          digits: 3,
        });
      return [
        design.choice,
        of("Down", "down a year", unavailability * YEAR_MS, "ms", "(1 - availability) x year"),
        of(
          "Price",
          "price",
          price,
          "moneyPerMonth",
          "price of a core x (gateways x 2 + servers x cores + databases x 16) x regions",
        ),
        of(
          "Total",
          "price and downtime",
          total,
          "moneyPerMonth",
          "price + 730 h x (1 - availability) x cost of an hour",
        ),
      ];
    }),
  };
}

function camel(words: string): string {
  return words.replaceAll(/ (\w)/g, (_, letter: string) => letter.toUpperCase());
}
