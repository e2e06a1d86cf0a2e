/** One bigger server, or several: where the curves of price and downtime cross, and whether one is up often enough. */

import { BUSY } from "../database-server.ts";
import { figures } from "../report/figure.ts";
import type { Plot, Section } from "../report/report.ts";
import { formatNumber } from "../report/unit.ts";
import type { Facts } from "./facts.ts";
import { crossingCores, downtimeCostOfCrossing, LARGEST_CORES, type Offer, one, several } from "./prices.ts";
import { met, type NumberTrigger, question, type Verdict } from "./question.ts";

const PLOT_POINTS = 80;
const YEAR_MS = 365 * 86_400_000;

/** A wish that one server fulfils exactly is fulfilled. */
const ROUNDING = 1e-12;

type Asked = Pick<
  Facts,
  | "readRps"
  | "writeRps"
  | "cpuMs"
  | "availability"
  | "serverCores"
  | "serverAvailability"
  | "downtimeCost"
  | "corePrice"
  | "bigCorePrice"
  | "state"
  | "statelessCost"
>;

/** One bigger server, or several. */
export const verticalOrHorizontal: ReturnType<typeof question> = question({
  asks: "one bigger server, or several",
  reads: [
    "readRps",
    "writeRps",
    "cpuMs",
    "availability",
    "serverCores",
    "serverAvailability",
    "downtimeCost",
    "corePrice",
    "bigCorePrice",
    "state",
    "statelessCost",
  ],
  decide: (facts): Verdict => {
    const cores = coresOf(facts);
    const crossing = crossingCores(facts);
    const triggers = triggersOf(facts, cores, crossing);
    const out = triggers.some(met);
    return {
      choice: out ? "several" : "one bigger server",
      answer: out ? severalText(several(cores, facts)) : oneText(one(cores, facts)),
      triggers,
      tradeOff: out
        ? "the app must keep no state of its own, and a balancer stands in front"
        : `when it fails, everything is down: ${formatNumber((1 - facts.serverAvailability) * YEAR_MS, "ms", 2)} a year`,
      more: [crossingSentence(crossing), downtimeSentence(cores, facts)],
    };
  },
  sections: (facts) => sectionsOf(facts),
});

/** Cores that are busy, by the utilisation law. */
function coresOf({ readRps, writeRps, cpuMs }: Asked): number {
  return ((readRps + writeRps) * cpuMs) / 1000;
}

function triggersOf(facts: Asked, cores: number, crossing: number): NumberTrigger[] {
  const inputs = [
    ["reads", facts.readRps, "perSecond"],
    ["writes", facts.writeRps, "perSecond"],
    ["CPU", facts.cpuMs, "ms"],
  ] as const;
  return [
    {
      kind: "number",
      key: "busyCores",
      what: "cores that are busy",
      value: cores,
      threshold: crossing,
      unit: "cores",
      formula: "(reads + writes) x CPU",
      inputs,
      because: "from there on several cost less, downtime included; at most the largest machine's",
      source: "utilisation law",
    },
    {
      kind: "number",
      key: "wantedAvailability",
      what: "availability wanted",
      value: facts.availability,
      threshold: facts.serverAvailability + ROUNDING,
      unit: "availability",
      formula: "given, or assumed",
      because: "more than one server is up by itself",
    },
  ];
}

function severalText({ machines, spare, coresEach }: Offer): string {
  const spared = spare === 1 ? "one" : formatNumber(spare, "count");
  return `several: ${formatNumber(machines, "count")} servers of ${coresEach} cores, ${spared} of them to spare`;
}

function oneText({ coresEach }: Offer): string {
  return `one bigger server: vertical first, ${formatNumber(Math.max(1, Math.ceil(coresEach)), "count")} ${Math.ceil(coresEach) <= 1 ? "core" : "cores"}`;
}

function crossingSentence(cores: number): string {
  if (cores === 0) return "By price and downtime several win at any load.";
  return cores >= LARGEST_CORES * BUSY
    ? `By price and downtime one machine stays ahead up to the largest there is, ${LARGEST_CORES} cores.`
    : `By price and downtime several win from ${formatNumber(cores, "cores", 3)} busy cores on.`;
}

function downtimeSentence(cores: number, facts: Asked): string {
  if (one(cores, facts).price === Infinity) return `No machine has so many cores (${LARGEST_CORES}).`;
  const cost = downtimeCostOfCrossing(cores, facts);
  if (cost === 0) return "At this load several cost less even if downtime cost nothing.";
  return cost === Infinity
    ? "Several would be down as long as one: all of them are needed."
    : `At this load several pay for themselves once an hour of downtime costs ${formatNumber(cost, "money", 3)}.`;
}

function sectionsOf(facts: Asked): Section[] {
  const cores = coresOf(facts);
  const rows: readonly (readonly [name: string, key: string, offer: Offer])[] = [
    ["one", "one", one(cores, facts)],
    ["several", "several", several(cores, facts)],
  ];
  return [
    {
      kind: "table",
      title: `Both ways to ${formatNumber(cores, "cores")} busy cores, a month`,
      columns: [
        { title: "way" },
        ...["machines", "cores of each", "price", "down a year", "price and downtime"].map((title) => ({
          title,
          align: "right" as const,
        })),
      ],
      rows: rows.map(([name, key, offer]) => [name, ...offerFigures(key, name, offer, facts)]),
    },
    plotOf(cores, facts),
  ];
}

function offerFigures(key: string, name: string, offer: Offer, facts: Asked): ReturnType<typeof figures> {
  const price =
    key === "one"
      ? "price of a core x cores x max(1, cores / 32)^b; b so that the largest machine's core costs what is said"
      : "price of a core x (servers x cores + 4 for two gateways) + work of statelessness";
  return figures(
    [
      [
        `${key}Machines`,
        `machines, ${name}`,
        offer.machines,
        "count",
        "needed + one of ten to spare; needed = ceil(busy cores / (cores x 70 %))",
      ],
      [
        `${key}Cores`,
        `cores of each, ${name}`,
        offer.coresEach,
        "cores",
        "busy cores / 70 %, or a small server's",
      ],
      [`${key}Price`, `price, ${name}`, offer.price, "moneyPerMonth", price],
      [
        `${key}Down`,
        `down a year, ${name}`,
        offer.unavailability * YEAR_MS,
        "ms",
        "year x (1 - A), or k of n with 5 % common causes",
        { source: "NUREG/CR-4780" },
      ],
      [
        `${key}Total`,
        `price and downtime, ${name}`,
        offer.total,
        "moneyPerMonth",
        "price + 730 h x (1 - A) x cost of an hour",
      ],
    ],
    {
      digits: 3,
      inputs: [
        ["price of a core", facts.corePrice, "money"],
        ["price of the largest machine's core over it", facts.bigCorePrice, "ratio"],
        ["cost of an hour of downtime", facts.downtimeCost, "money"],
        ["work of statelessness", facts.state === "none" ? 0 : facts.statelessCost, "moneyPerMonth"],
        ["availability of a server", facts.serverAvailability, "availability"],
      ],
    },
  );
}

/** From one core to twice of what matters: the crossing and the load. */
function plotOf(cores: number, facts: Asked): Plot {
  const most = Math.min(LARGEST_CORES * BUSY, 2 * Math.max(crossingCores(facts), cores, 8));
  const places = Array.from({ length: PLOT_POINTS }, (_, i) => 1 + ((most - 1) * i) / (PLOT_POINTS - 1));
  return {
    kind: "plot",
    title: "Price and downtime, a month",
    x: { label: "busy cores" },
    y: { label: "money" },
    series: [
      { name: "one", points: places.map((x) => [x, one(x, facts).total] as const) },
      { name: "several", points: places.map((x) => [x, several(x, facts).total] as const) },
    ],
  };
}
