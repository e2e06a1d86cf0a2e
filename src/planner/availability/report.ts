/** Availability as reports: of a system, and of a number of nines. */
import { type Figure, figure } from "../report/figure.ts";
import type { Report, Section, Table } from "../report/report.ts";
import { formatNumber } from "../report/unit.ts";
import { copiesFor, nextPurchase, type Part, partsOf } from "./dominance.ts";
import { type System, unavailabilityOf, YEAR_MS } from "./tree.ts";

const DAY_MS = 86_400_000;

/** Spans over which downtime is told; a month has 30 days here, as in most service agreements. */
const SPANS = [
  ["year", YEAR_MS],
  ["month of 30 days", 30 * DAY_MS],
  ["week", 7 * DAY_MS],
  ["day", DAY_MS],
] as const;

/** The classes that people speak of. */
const NINES = [0.1, 0.01, 0.001, 0.0005, 0.0001, 0.00001, 0.000001];

const DOMINATES = 0.5;

/** A system: its availability, where the downtime comes from, what to double next. */
export function systemReport(system: System, text: string, targetUnavailability?: number): Report {
  const unavailability = unavailabilityOf(system);
  const parts = partsOf(system);
  return {
    title: text,
    answer: [
      `${formatNumber(1 - unavailability, "availability")} available: down ${formatNumber(unavailability * YEAR_MS, "ms", 4)} a year.`,
      ...dominanceSentences(parts),
      ...targetSentences(system, unavailability, targetUnavailability),
    ],
    sections: [downtimeTable(unavailability, text), partTable(parts)],
  };
}

function dominanceSentences(parts: readonly Part[]): string[] {
  const next = nextPurchase(parts);
  const leading = parts.filter(({ downtimeShare }) => downtimeShare > 0.1);
  const lines: string[] = [];
  if (leading.length > 0)
    lines.push(
      `The downtime comes from ${leading.map(({ name, downtimeShare }) => `${name} (${formatNumber(downtimeShare, "share", 3)})`).join(", ")}.`,
    );
  if (next !== undefined) {
    const ties = parts.filter(
      (part) =>
        Math.abs(part.savedMsPerYear / next.savedMsPerYear - 1) < 1e-6 &&
        part.pricePerMinute === next.pricePerMinute,
    );
    const price =
      next.pricePerMinute === undefined ? "" : `, ${formatNumber(next.pricePerMinute, "money", 3)} a minute`;
    lines.push(
      `Next: one more ${ties.map(({ name }) => name).join(" or ")}; it takes away ${formatNumber(next.savedMsPerYear, "ms", 4)} a year${price}.`,
    );
  }
  const idle = parts.filter(
    ({ copies, downtimeShare }) => copies > 1 && downtimeShare < 1 - DOMINATES && downtimeShare < 0.01,
  );
  if (idle.length > 0)
    lines.push(`More copies of ${idle.map(({ name }) => name).join(", ")} would change next to nothing.`);
  return lines;
}

function targetSentences(system: System, unavailability: number, target: number | undefined): string[] {
  if (target === undefined) return [];
  const wish = formatNumber(1 - target, "availability");
  if (unavailability <= target)
    return [
      `The target of ${wish} is met, with ${formatNumber((target - unavailability) * YEAR_MS, "ms", 4)} a year to spare.`,
    ];
  const missed = `The target of ${wish} is missed by ${formatNumber((unavailability - target) * YEAR_MS, "ms", 4)} a year`;
  const copies = copiesFor(system, target);
  if (copies === undefined)
    return [`${missed}; more copies alone do not reach it: common causes and failovers remain.`];
  return [`${missed}; it is met with one more of: ${copies.join(", ")}.`];
}

function downtimeTable(unavailability: number, text: string): Table {
  return {
    kind: "table",
    title: "Downtime",
    columns: [{ title: "in a" }, { title: "time", align: "right" }],
    rows: [
      [
        "availability",
        figure({
          key: "availability",
          label: "availability",
          value: 1 - unavailability,
          unit: "availability",
          formula: text,
          source: "series: product of A; k of n: sum of C(n,i) A^i (1-A)^(n-i)",
        }),
      ],
      ...SPANS.map(([span, ms]) => [span, downtime(span, ms, unavailability)]),
    ],
  };
}

function downtime(span: string, ms: number, unavailability: number): Figure {
  return figure({
    key: `downtimePer${span.charAt(0).toUpperCase()}${span.slice(1).replace(/ .*/, "")}`,
    label: `downtime in a ${span}`,
    value: unavailability * ms,
    unit: "ms",
    formula: `(1 - availability) x ${span}`,
    inputs: [
      ["availability", 1 - unavailability, "availability"],
      [span, ms, "ms"],
    ],
  });
}

function partTable(parts: readonly Part[]): Section {
  const priced = parts.some(({ pricePerMinute }) => pricePerMinute !== undefined);
  return {
    kind: "table",
    title: "Parts",
    columns: [
      { title: "part" },
      { title: "copies", align: "right" },
      { title: "of one", align: "right" },
      { title: "share of the downtime", align: "right" },
      { title: "one more saves a year", align: "right" },
      ...(priced ? [{ title: "price of a minute", align: "right" as const }] : []),
    ],
    rows: parts.map((part) => [
      part.name,
      `${part.copies}`,
      figure({
        key: `${part.name}.availability`,
        label: `availability of one ${part.name}`,
        value: 1 - part.unavailability,
        unit: "availability",
        formula: "given, or MTBF / (MTBF + MTTR)",
      }),
      figure({
        key: `${part.name}.share`,
        label: `share of the downtime of ${part.name}`,
        value: part.downtimeShare,
        unit: "share",
        formula: "(U - U with it always up) / U",
        digits: 3,
      }),
      figure({
        key: `${part.name}.saved`,
        label: `downtime that one more ${part.name} saves a year`,
        value: part.savedMsPerYear,
        unit: "ms",
        formula: "(U - U with one more copy) x year",
      }),
      ...(priced
        ? [
            part.pricePerMinute === undefined
              ? ""
              : figure({
                  key: `${part.name}.pricePerMinute`,
                  label: `price of a minute by one more ${part.name}`,
                  value: part.pricePerMinute,
                  unit: "money",
                  formula: "price x 12 / minutes saved a year",
                  digits: 4,
                }),
          ]
        : []),
    ]),
  };
}

/** What a target allows. */
export function allowedReport(unavailability: number): Report {
  const wish = formatNumber(1 - unavailability, "availability");
  return {
    title: `${wish} availability`,
    answer: [`It allows ${formatNumber(unavailability * YEAR_MS, "ms", 4)} of downtime a year.`],
    sections: [downtimeTable(unavailability, "given"), ninesTable()],
  };
}

function ninesTable(): Section {
  return {
    kind: "table",
    title: "Nines",
    columns: [
      { title: "available" },
      ...SPANS.map(([span]) => ({ title: `in a ${span}`, align: "right" as const })),
    ],
    rows: NINES.map((unavailability) => [
      formatNumber(1 - unavailability, "availability"),
      ...SPANS.map(([, ms]) => formatNumber(unavailability * ms, "ms", 4)),
    ]),
  };
}
