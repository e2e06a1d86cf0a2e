/** Which part the downtime comes from, and what one more copy of it would buy. */
import {
  type Component,
  componentsOf,
  INDEPENDENT,
  mapComponents,
  type System,
  unavailabilityOf,
  YEAR_MS,
} from "./tree.ts";

/** Copies of one part in the system, by its name. */
export interface Part {
  readonly name: string;
  readonly copies: number;
  readonly unavailability: number;
  /** Share of the system's downtime that would go if this part never failed. */
  readonly downtimeShare: number;
  /** Downtime a year that one more copy of it would take away, ms. */
  readonly savedMsPerYear: number;
  /** Price of that copy for each minute a year that it takes away; absent without a price. */
  readonly pricePerMinute?: number;
}

const MINUTE_MS = 60_000;
const MONTHS = 12;

/** All parts, the one with the greatest share of the downtime first. */
export function partsOf(system: System): Part[] {
  const whole = unavailabilityOf(system);
  const names = [...new Set(componentsOf(system).map(({ name }) => name))];
  return names
    .map((name) => partOf(system, name, whole))
    .toSorted((a, b) => b.downtimeShare - a.downtimeShare);
}

function partOf(system: System, name: string, whole: number): Part {
  const copies = componentsOf(system).filter((component) => component.name === name);
  const [first] = copies;
  const without = unavailabilityOf(
    replaced(system, name, (component) => ({ ...component, unavailability: 0 })),
  );
  const savedMsPerYear = (whole - unavailabilityOf(withOneMore(system, name))) * YEAR_MS;
  const price = first?.pricePerMonth;
  return {
    name,
    copies: copies.length,
    unavailability: first?.unavailability ?? 0,
    downtimeShare: whole === 0 ? 0 : (whole - without) / whole,
    savedMsPerYear,
    ...(price === undefined || savedMsPerYear <= 0
      ? {}
      : { pricePerMinute: (price * MONTHS) / (savedMsPerYear / MINUTE_MS) }),
  };
}

function replaced(system: System, name: string, change: (component: Component) => System): System {
  return mapComponents(system, (component) => (component.name === name ? change(component) : component));
}

/** One more copy: in its group where it has one, else a group of two. */
export function withOneMore(system: System, name: string): System {
  if (system.kind === "component")
    return system.name === name
      ? { kind: "some", needed: 1, parts: [system, system], options: INDEPENDENT }
      : system;
  const copy = system.parts.find((part) => part.kind === "component" && part.name === name);
  if (system.kind === "some" && copy !== undefined) return { ...system, parts: [...system.parts, copy] };
  return { ...system, parts: system.parts.map((part) => withOneMore(part, name)) };
}

/** The part whose next copy is worth most: the cheapest minute where all have prices, else the most minutes. */
export function nextPurchase(parts: readonly Part[]): Part | undefined {
  const useful = parts.filter(({ savedMsPerYear }) => savedMsPerYear > 0);
  const priced = useful.every(({ pricePerMinute }) => pricePerMinute !== undefined);
  const worth = (part: Part): number => (priced ? -(part.pricePerMinute ?? Infinity) : part.savedMsPerYear);
  return useful.toSorted((a, b) => worth(b) - worth(a))[0];
}

/** Copies that a search for a target may add in all. */
const ADDED_MAX = 20;

/** Copies to add, best first, until the target is met; undefined when `ADDED_MAX` do not suffice. */
export function copiesFor(system: System, targetUnavailability: number): string[] | undefined {
  const added: string[] = [];
  let current = system;
  while (unavailabilityOf(current) > targetUnavailability) {
    const next = nextPurchase(partsOf(current));
    if (next === undefined || added.length === ADDED_MAX) return undefined;
    added.push(next.name);
    current = withOneMore(current, next.name);
  }
  return added;
}
