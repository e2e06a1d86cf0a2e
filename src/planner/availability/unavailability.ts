/**
 * How often a system is down.
 *
 * Everything is reckoned in unavailability u = 1 - A, and only positive numbers are added, so that nine nines do not
 * drown in rounding: a series fails with 1 - prod(1 - u), summed by log1p and expm1; k of n by the distribution of how
 * many are down. A shared component is conditioned on (factoring theorem of network reliability, Barlow and Proschan
 * 1975): U = u U(it is down) + (1 - u) U(it is up). Exact; 2^shared steps.
 */
import { type GroupOptions, given, mentionsOf, type System, YEAR_MS } from "./system.ts";

/** Share of time that the system is down, 0..1. */
export function unavailabilityOf(system: System): number {
  const shared = mentionsOf(system).find(({ component }) => component.shared)?.component;
  if (shared === undefined) return independent(system);
  const down = independent(shared);
  const whenDown = unavailabilityOf(given(system, shared.name, "down"));
  const whenUp = unavailabilityOf(given(system, shared.name, "up"));
  return down * whenDown + (1 - down) * whenUp;
}

/** Share of time that a part is down, of the mean time between its failures (of being up, above 0) and to repair. */
export function unavailabilityFromRepair(mtbfMs: number, mttrMs: number): number {
  return mttrMs / (mtbfMs + mttrMs);
}

/** Of a tree in which nothing is shared. */
function independent(system: System): number {
  switch (system.kind) {
    case "component":
      return someOf(system.needed, repeated(system.unavailability, system.copies), system.options);
    case "series":
      return seriesOf(system.parts.map(independent));
    case "some":
      return someOf(
        system.needed,
        system.members.flatMap((member) => repeated(independent(member.system), member.copies)),
        system.options,
      );
  }
}

function repeated(value: number, times: number): number[] {
  return Array.from({ length: times }, () => value);
}

/** Down when any is. */
function seriesOf(parts: readonly number[]): number {
  return Math.abs(Math.expm1(parts.reduce((sum, part) => sum + Math.log1p(-part), 0)));
}

function someOf(needed: number, parts: readonly number[], options: GroupOptions): number {
  const [only] = parts;
  // One copy shares its failures with nobody, and has nobody to fail over to.
  if (only !== undefined && parts.length === 1) return only;
  const { commonShare, failoverMs, failoversPerYear } = options;
  // What takes all copies at once is the failure of the typical copy, once.
  const common = (commonShare * parts.reduce((sum, part) => sum + part, 0)) / parts.length;
  const apart = parts.map((part) => part * (1 - commonShare));
  const failingOver = parts.length > needed ? Math.min(1, (failoverMs * failoversPerYear) / YEAR_MS) : 0;
  return seriesOf([tooFewUp(needed, apart), common, failingOver]);
}

/**
 * Chance that fewer than `needed` are up. One part after the other is added to the distribution of how many are down;
 * its last place holds all that is too many. O(parts x spare).
 */
function tooFewUp(needed: number, parts: readonly number[]): number {
  const tooMany = parts.length - needed + 1;
  const down = new Float64Array(tooMany + 1);
  down[0] = 1;
  for (const part of parts) {
    down[tooMany] = at(down, tooMany) + at(down, tooMany - 1) * part;
    for (let count = tooMany - 1; count > 0; count--)
      down[count] = at(down, count) * (1 - part) + at(down, count - 1) * part;
    down[0] = at(down, 0) * (1 - part);
  }
  // Rounding may leave a hair more than certainty.
  return Math.min(1, at(down, tooMany));
}

function at(chances: Float64Array, index: number): number {
  return chances[index] ?? 0;
}
