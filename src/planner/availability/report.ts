/** A system as a report: its availability, where the downtime comes from, what to buy next, how far a target is. */
import { type Figure, figure } from "../report/figure.ts";
import type { Report, Section } from "../report/report.ts";
import { formatNumber } from "../report/unit.ts";
import { type Addition, cheapestReach, meets, type Reach } from "./cheapest.ts";
import { type CommonContribution, commonContributionsOf } from "./common-causes.ts";
import { type Contribution, contributionsOf, idlePurchases, nextPurchases } from "./dominance.ts";
import { availabilityFigure, downtimeTable, formatAvailability, formatDowntime } from "./downtime.ts";
import { commonTable, partsTable } from "./parts-table.ts";
import { type System, YEAR_MS } from "./system.ts";
import { unavailabilityOf } from "./unavailability.ts";

/** A smaller share of the downtime is not worth a sentence. */
const LEADING_SHARE = 0.1;

/** The report about `system`, written `text`; with a target, whether it is met and the cheapest way there. */
export function systemReport(system: System, text: string, targetUnavailability?: number): Report {
  const whole = unavailabilityOf(system);
  const parts = contributionsOf(system);
  const common = commonContributionsOf(system);
  const target =
    targetUnavailability === undefined ? undefined : targetOf(system, whole, targetUnavailability);
  return {
    title: text,
    answer: [
      `${formatAvailability(whole)} available: down ${formatDowntime(whole * YEAR_MS)} a year.`,
      ...leadingSentences(parts, common),
      ...purchaseSentences(parts, whole),
      ...(target?.answer ?? []),
    ],
    sections: [
      downtimeTable(whole, text),
      partsTable(parts, whole),
      ...commonTable(common),
      ...(target?.sections ?? []),
    ],
  };
}

function leadingSentences(parts: readonly Contribution[], common: readonly CommonContribution[]): string[] {
  const share = (value: number): string => formatNumber(value, "share", 3);
  const leading = parts
    .filter(({ downtimeShare }) => downtimeShare > LEADING_SHARE)
    .map(({ name, downtimeShare }) => `${name} (${share(downtimeShare)})`);
  const together = common
    .filter(({ downtimeShare }) => downtimeShare > LEADING_SHARE)
    .map(({ cause, of, downtimeShare }) => `${PLURALS[cause]} of ${of} (${share(downtimeShare)})`);
  return [
    ...(leading.length === 0 ? [] : [`The downtime comes from ${leading.join(", ")}.`]),
    ...(together.length === 0 ? [] : [`No copy takes away the ${together.join(", ")}.`]),
  ];
}

const PLURALS: Readonly<Record<CommonContribution["cause"], string>> = {
  "common cause": "common causes",
  failover: "failovers",
};

function purchaseSentences(parts: readonly Contribution[], whole: number): string[] {
  const next = nextPurchases(parts);
  const idle = idlePurchases(parts, whole * YEAR_MS);
  return [
    ...next.slice(0, 1).map((one) => nextSentence(one, next)),
    ...(idle.length === 0 ? [] : [`More copies of ${namesIn(idle)} would change next to nothing.`]),
  ];
}

function nextSentence(
  { savedMsPerYear, pricePerMinute }: Contribution,
  next: readonly Contribution[],
): string {
  const price = pricePerMinute === undefined ? "" : `, ${formatNumber(pricePerMinute, "money", 3)} a minute`;
  const names = next.map(({ name }) => name).join(" or ");
  return `Next: one more ${names}; it takes away ${formatDowntime(savedMsPerYear)} a year${price}.`;
}

function namesIn(parts: readonly Contribution[]): string {
  return parts.map(({ name }) => name).join(", ");
}

type TargetPart = Pick<Report, "answer" | "sections">;

function targetOf(system: System, whole: number, target: number): TargetPart {
  const wish = `The target of ${formatAvailability(target)} is`;
  const spareMs = (target - whole) * YEAR_MS;
  if (meets(whole, target))
    return {
      answer: [`${wish} met, with ${formatDowntime(Math.max(0, spareMs))} a year to spare.`],
      sections: [],
    };
  const reach = cheapestReach(system, target);
  const missed = `${wish} missed by ${formatDowntime(-spareMs)} a year`;
  return { answer: [`${missed}; ${reachSentence(reach)}`], sections: [reachTable(reach, target, whole)] };
}

function reachSentence(reach: Reach): string {
  if (reach.kind === "unreachable")
    return `copies alone do not reach it: with many more of each it is ${formatAvailability(reach.floor)}.`;
  if (reach.kind === "too many") return "there are too many parts to look for the cheapest copies.";
  const { additions, pricePerMonth, cheapest } = reach;
  const price = pricePerMonth === undefined ? "" : `, for ${formatNumber(pricePerMonth, "moneyPerMonth")}`;
  const doubt = cheapest ? "" : ", perhaps not the cheapest way";
  return `it is met with ${additionText(additions)}${price}${doubt}.`;
}

function additionText(additions: readonly Addition[]): string {
  if (additions.every(({ count }) => count === 1))
    return `one more of: ${additions.map(({ name }) => name).join(", ")}`;
  return additions.map(({ name, count }) => `${count} more of ${name}`).join(", ");
}

function reachTable(reach: Reach, target: number, whole: number): Section {
  const after = reach.kind === "reached" ? reach.unavailability : reach.floor;
  return {
    kind: "table",
    title: "The target",
    columns: [{ title: "what" }, { title: "figure", align: "right" }],
    rows: [
      ["target", availabilityFigure(target, { key: "target", label: "target", formula: "given" })],
      ["missed by, a year", missedFigure(whole, target)],
      ...(reach.kind === "reached" ? reach.additions.map(additionRow) : []),
      [
        reach.kind === "reached" ? "availability with them" : "with many more of each",
        availabilityFigure(after, {
          key: "availabilityAfter",
          label: "availability with more copies",
          formula: "the system's, with the copies added",
        }),
      ],
    ],
  };
}

function missedFigure(whole: number, target: number): Figure {
  return figure({
    key: "missed",
    label: "downtime a year above the target",
    value: (whole - target) * YEAR_MS,
    unit: "ms",
    formula: "(unavailability - what the target allows) x year",
    inputs: [
      ["unavailability", whole, "ratio"],
      ["allowed", target, "ratio"],
      ["year", YEAR_MS, "ms"],
    ],
  });
}

function additionRow({ name, count }: Addition): [string, Figure] {
  const formula = "cheapest set of copies that reaches the target, by uniform-cost search";
  return [
    `more of ${name}`,
    figure({ key: `${name}.added`, label: `more of ${name}`, value: count, unit: "count", formula }),
  ];
}
