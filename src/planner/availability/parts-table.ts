/** The parts of a system as tables: what each contributes, what one more of it buys, what copies have in common. */
import { type Figure, figure } from "../report/figure.ts";
import type { Cell, Section } from "../report/report.ts";
import type { CommonContribution } from "./common-causes.ts";
import type { Contribution } from "./dominance.ts";
import { availabilityFigure } from "./downtime.ts";
import { YEAR_MS } from "./system.ts";

/** A column: its title, and what stands in it for a part of a system that is down `whole` of the time. */
interface PartColumn {
  readonly title: string;
  readonly cell: (part: Contribution, whole: number) => Cell;
}

const BIRNBAUM = "Birnbaum 1969, On the importance of different components in a multicomponent system";

const COLUMNS: readonly PartColumn[] = [
  { title: "copies", cell: ({ copies }) => `${copies}` },
  {
    title: "one copy",
    cell: ({ name, unavailability }) =>
      availabilityFigure(unavailability, {
        key: `${name}.availability`,
        label: `availability of one ${name}`,
        formula: "given, or MTBF / (MTBF + MTTR)",
      }),
  },
  { title: "importance", cell: importance },
  { title: "share of the downtime", cell: downtimeShare },
  { title: "one more saves a year", cell: saved },
];

const PRICE_COLUMNS: readonly PartColumn[] = [
  { title: "its price", cell: price },
  { title: "for each minute", cell: pricePerMinute },
];

/** One row for each part, the one with the greatest share of the downtime first. */
export function partsTable(parts: readonly Contribution[], whole: number): Section {
  const priced = parts.some(({ pricePerMonth }) => pricePerMonth !== undefined);
  const columns = priced ? [...COLUMNS, ...PRICE_COLUMNS] : COLUMNS;
  return {
    kind: "table",
    title: "Parts",
    columns: [{ title: "part" }, ...columns.map(({ title }) => ({ title, align: "right" as const }))],
    rows: parts.map((part) => [part.name, ...columns.map(({ cell }) => cell(part, whole))]),
  };
}

/** One row for each thing that takes copies together; no section where nothing does. */
export function commonTable(common: readonly CommonContribution[]): Section[] {
  if (common.length === 0) return [];
  const rows = common.map((one, index) => [one.cause, one.of, commonShare(one, index)]);
  return [
    {
      kind: "table",
      title: "What copies share",
      columns: [{ title: "cause" }, { title: "of" }, { title: "share of the downtime", align: "right" }],
      rows,
    },
  ];
}

function importance({ name, importance: value }: Contribution): Figure {
  return figure({
    key: `${name}.importance`,
    label: `Birnbaum importance of ${name} (share of time in which all hangs on it)`,
    value,
    unit: "share",
    formula: "U with it down - U with it up",
    source: BIRNBAUM,
  });
}

function downtimeShare(
  { name, downtimeShare: value, importance: birnbaum }: Contribution,
  whole: number,
): Figure {
  return figure({
    key: `${name}.share`,
    label: `share of the downtime that ${name} makes (criticality)`,
    value,
    unit: "share",
    digits: 3,
    formula: "(U - U with it up) / U = importance x its own unavailability / U",
    inputs: [
      ["U", whole, "ratio"],
      ["importance", birnbaum, "ratio"],
    ],
  });
}

function saved({ name, savedMsPerYear }: Contribution, whole: number): Figure {
  return figure({
    key: `${name}.saved`,
    label: `downtime that one more ${name} takes away a year`,
    value: savedMsPerYear,
    unit: "ms",
    formula: "(U - U with one more copy) x year",
    inputs: [
      ["U", whole, "ratio"],
      ["U with one more copy", whole - savedMsPerYear / YEAR_MS, "ratio"],
      ["year", YEAR_MS, "ms"],
    ],
  });
}

function price({ name, pricePerMonth }: Contribution): Cell {
  if (pricePerMonth === undefined) return "not known";
  return figure({
    key: `${name}.price`,
    label: `price of one more ${name}`,
    value: pricePerMonth,
    unit: "moneyPerMonth",
    formula: "price of a copy x copies, where one more goes into each of several groups",
  });
}

function pricePerMinute({
  name,
  pricePerMonth = 0,
  savedMsPerYear,
  pricePerMinute: value,
}: Contribution): Cell {
  if (value === undefined) return "-";
  return figure({
    key: `${name}.pricePerMinute`,
    label: `price of each minute that one more ${name} takes away`,
    value,
    unit: "money",
    digits: 4,
    formula: "price x 12 months / minutes saved a year",
    inputs: [
      ["price", pricePerMonth, "moneyPerMonth"],
      ["saved a year", savedMsPerYear, "ms"],
    ],
  });
}

const SOURCES: Readonly<Record<CommonContribution["cause"], string>> = {
  "common cause": "beta factor: k of n at (1 - b) u, in series with b u (NUREG/CR-4780)",
  failover: "failovers a year x time of each / year, in series with the group",
};

/** Keys count through, since a group has no name of its own. */
function commonShare({ cause, of, downtimeShare: value }: CommonContribution, index: number): Figure {
  return figure({
    key: `common.${index}`,
    label: `share of the downtime by ${cause} of ${of}`,
    value,
    unit: "share",
    digits: 3,
    formula: "(U - U without it) / U",
    source: SOURCES[cause],
  });
}
