/**
 * Availability of a system of independent parts: series, parallel, k of n, with common causes and failover.
 *
 * Everything is reckoned in unavailability u = 1 - A, so that nine nines do not drown in rounding: a series fails with
 * 1 - prod(1 - u), summed by log1p and expm1.
 */

/** One part with its own failures. */
export interface Component {
  readonly kind: "component";
  readonly name: string;
  /** Share of time that it is down, 0..1. */
  readonly unavailability: number;
  /** Of one copy, a month; absent = not known. */
  readonly pricePerMonth?: number;
}

/** What a group of copies suffers beyond their independent failures. */
export interface GroupOptions {
  /** Share of failures that take all copies at once (beta factor, NUREG/CR-4780); 0 = none. */
  readonly commonShare: number;
  /** Time without service at each failover, and how many there are a year. */
  readonly failoverMs: number;
  readonly failoversPerYear: number;
}

/** A system: a part, all of several, or some of several. */
export type System =
  | Component
  | { readonly kind: "series"; readonly parts: readonly System[] }
  | {
      readonly kind: "some";
      readonly needed: number;
      readonly parts: readonly System[];
      readonly options: GroupOptions;
    };

/** No common cause, no failover. */
export const INDEPENDENT: GroupOptions = { commonShare: 0, failoverMs: 0, failoversPerYear: 0 };

/** A year of 365 days. */
export const YEAR_MS: number = 365 * 86_400_000;

/** Share of time that the system is down. */
export function unavailabilityOf(system: System): number {
  switch (system.kind) {
    case "component":
      return system.unavailability;
    case "series":
      return seriesOf(system.parts.map(unavailabilityOf));
    case "some":
      return someOf(system.needed, system.parts.map(unavailabilityOf), system.options);
  }
}

/** Down when any is. */
function seriesOf(parts: readonly number[]): number {
  return -Math.expm1(parts.reduce((sum, part) => sum + Math.log1p(-part), 0));
}

function someOf(needed: number, parts: readonly number[], options: GroupOptions): number {
  const { commonShare, failoverMs, failoversPerYear } = options;
  // What takes all copies at once is the failure of the typical copy, once.
  const common = (commonShare * parts.reduce((sum, part) => sum + part, 0)) / parts.length;
  const apart = tooFew(
    needed,
    parts.map((part) => part * (1 - commonShare)),
  );
  return seriesOf([apart, common, Math.min(1, (failoverMs * failoversPerYear) / YEAR_MS)]);
}

/**
 * Chance that fewer than `needed` are up: by adding one part after the other to the distribution of how many are down.
 * Only positive numbers are added, so small chances keep their digits. O(parts^2).
 */
function tooFew(needed: number, parts: readonly number[]): number {
  const spare = parts.length - needed;
  let down = [1];
  for (const part of parts) {
    const next = Array.from({ length: down.length + 1 }, () => 0);
    for (const [count, chance] of down.entries()) {
      next[count] = (next[count] ?? 0) + chance * (1 - part);
      next[count + 1] = (next[count + 1] ?? 0) + chance * part;
    }
    down = next;
  }
  return down.slice(spare + 1).reduceRight((sum, chance) => sum + chance, 0);
}

/** Share of time up from mean time between failures and mean time to repair. */
export function unavailabilityFromRepair(mtbfMs: number, mttrMs: number): number {
  return mttrMs / (mtbfMs + mttrMs);
}

/** Every part of a system, in order, each with how the system would fare were it always up or always down. */
export function componentsOf(system: System): Component[] {
  if (system.kind === "component") return [system];
  return system.parts.flatMap(componentsOf);
}

/** The same system with each part replaced by what `change` makes of it. */
export function mapComponents(system: System, change: (component: Component) => System): System {
  if (system.kind === "component") return change(system);
  return { ...system, parts: system.parts.map((part) => mapComponents(part, change)) };
}
