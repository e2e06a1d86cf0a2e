/**
 * Where the downtime comes from, and what one more copy of each part would take away.
 *
 * Of a part with unavailability u in a system with U: Birnbaum's importance B = U(part down) - U(part up), the share of
 * time in which all hangs on this part; its criticality B u / U = (U - U(part up)) / U, the share of the downtime that
 * would not be if it never failed. Parts that bring the system down only together count for each of them.
 */
import { given, mapChildren, mentionsOf, namesOf, type System, YEAR_MS } from "./system.ts";
import { unavailabilityOf } from "./unavailability.ts";

/** All copies of one part in the system, by its name. */
export interface Contribution {
  readonly name: string;
  readonly copies: number;
  /** Of one copy, 0..1. */
  readonly unavailability: number;
  /** Birnbaum's importance, 0..1. */
  readonly importance: number;
  /** Criticality, 0..1. */
  readonly downtimeShare: number;
  /** Downtime a year that one more copy would take away, ms; below 0 where its failovers cost more than it saves. */
  readonly savedMsPerYear: number;
  /** Of that purchase; absent when no price is known. */
  readonly pricePerMonth?: number;
  /** A year's price for each minute a year that it takes away; absent without a price, or when it takes nothing away. */
  readonly pricePerMinute?: number;
}

const MINUTE_MS = 60_000;
const MONTHS = 12;

/** Savings and prices that differ by less differ by rounding. */
const TIE = 1e-6;

/** A copy that takes away a smaller share of the downtime changes next to nothing. */
const IDLE_SHARE = 0.01;

/** Each part once, the one with the greatest share of the downtime first. */
export function contributionsOf(system: System): Contribution[] {
  const whole = unavailabilityOf(system);
  return namesOf(system)
    .map((name) => contributionOf(system, name, whole))
    .toSorted((a, b) => b.downtimeShare - a.downtimeShare);
}

function contributionOf(system: System, name: string, whole: number): Contribution {
  const whenUp = unavailabilityOf(given(system, name, "up"));
  const savedMsPerYear = (whole - unavailabilityOf(withOneMore(system, name))) * YEAR_MS;
  const pricePerMonth = priceOfOneMore(system, name);
  const isPriced = pricePerMonth !== undefined && savedMsPerYear > 0;
  return {
    name,
    ...copiesOf(system, name),
    importance: unavailabilityOf(given(system, name, "down")) - whenUp,
    downtimeShare: whole === 0 ? 0 : (whole - whenUp) / whole,
    savedMsPerYear,
    ...(pricePerMonth === undefined ? {} : { pricePerMonth }),
    ...(isPriced ? { pricePerMinute: (pricePerMonth * MONTHS) / (savedMsPerYear / MINUTE_MS) } : {}),
  };
}

function copiesOf(system: System, name: string): { copies: number; unavailability: number } {
  const mentions = mentionsOf(system).filter(({ component }) => component.name === name);
  const [{ component: first } = { component: undefined }] = mentions;
  // A shared one is mentioned several times and bought once.
  const copies =
    first?.shared === true
      ? first.copies
      : mentions.reduce((sum, { component, times }) => sum + component.copies * times, 0);
  return { copies, unavailability: first?.unavailability ?? 0 };
}

/**
 * One more copy of that part wherever it stands: a further member of the group that it is one of, else beside its own
 * copies. Where a whole bracket comes in copies, each of them gets one.
 */
export function withOneMore(system: System, name: string): System {
  switch (system.kind) {
    case "component":
      return system.name === name ? { ...system, copies: system.copies + 1 } : system;
    case "series":
      return mapChildren(system, (child) => withOneMore(child, name));
    case "some":
      return {
        ...system,
        members: system.members.map((member) =>
          isMember(member.system, name)
            ? { ...member, copies: member.copies + 1 }
            : { ...member, system: withOneMore(member.system, name) },
        ),
      };
  }
}

/** A single part stands in for any other of its group; one with copies of its own, or that is shared, does not. */
function isMember(system: System, name: string): boolean {
  return system.kind === "component" && system.name === name && system.copies === 1 && !system.shared;
}

/** The price a month of one more copy wherever the part stands; undefined when it is not known. */
export function priceOfOneMore(system: System, name: string): number | undefined {
  const price = mentionsOf(system).find(({ component }) => component.name === name)?.component.pricePerMonth;
  if (price === undefined) return undefined;
  return price * (copiesOf(withOneMore(system, name), name).copies - copiesOf(system, name).copies);
}

/** The purchases that are worth most: the cheapest minutes where all prices are known, else the most minutes. */
export function nextPurchases(contributions: readonly Contribution[]): Contribution[] {
  const useful = contributions.filter(({ savedMsPerYear }) => savedMsPerYear > 0);
  const isPriced = useful.every(({ pricePerMinute }) => pricePerMinute !== undefined);
  const worth = ({ pricePerMinute = 0, savedMsPerYear }: Contribution): number =>
    isPriced ? -pricePerMinute : savedMsPerYear;
  const best = Math.max(...useful.map(worth));
  return useful.filter((one) => Math.abs(worth(one) - best) <= TIE * Math.abs(best));
}

/** Parts that have copies already, and of which another one would change next to nothing. */
export function idlePurchases(
  contributions: readonly Contribution[],
  downtimeMsPerYear: number,
): Contribution[] {
  return contributions.filter(
    ({ copies, savedMsPerYear }) => copies > 1 && savedMsPerYear < IDLE_SHARE * downtimeMsPerYear,
  );
}

/** The system with prices a month for parts by name. */
export function withPrices(system: System, prices: ReadonlyMap<string, number>): System {
  if (system.kind !== "component") return mapChildren(system, (child) => withPrices(child, prices));
  const pricePerMonth = prices.get(system.name);
  return pricePerMonth === undefined ? system : { ...system, pricePerMonth };
}
