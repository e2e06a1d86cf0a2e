/**
 * A system of parts, as a tree: what is needed of what, and what makes copies fail together.
 *
 *   component   k of n alike copies of one named part; the leaf
 *   series      all are needed
 *   some        k of the members are enough; a member may itself come in several copies
 *
 * A shared component is mentioned in several places and is one thing: up in all of them, or down in all.
 */

/** What a group of copies suffers beyond their independent failures. */
export interface GroupOptions {
  /** Beta factor: share of a copy's failures that take all copies at once, 0..1 (NUREG/CR-4780, 1988). */
  readonly commonShare: number;
  /** Time without service at each failover, and how many there are a year. None happens where no copy is spare. */
  readonly failoverMs: number;
  readonly failoversPerYear: number;
}

/** Alike copies of one part. */
export interface Component {
  readonly kind: "component";
  readonly name: string;
  /** Share of time that one copy is down, 0..1. */
  readonly unavailability: number;
  /** Copies that must be up, of how many there are. */
  readonly needed: number;
  readonly copies: number;
  readonly options: GroupOptions;
  /** The name stands in several places and is the same thing in each. */
  readonly shared: boolean;
  /** Of one copy, a month; absent = not known. */
  readonly pricePerMonth?: number;
}

/** One of those that a group has some of, in so many independent copies. */
export interface Member {
  readonly system: System;
  readonly copies: number;
}

/** Down when any part is. */
export interface SeriesGroup {
  readonly kind: "series";
  readonly parts: readonly System[];
}

/** Down when fewer than `needed` members are up. */
export interface SomeGroup {
  readonly kind: "some";
  readonly needed: number;
  readonly members: readonly Member[];
  readonly options: GroupOptions;
}

/** A part, all of several, or some of several. */
export type System = Component | SeriesGroup | SomeGroup;

/** No common cause, no failover. */
export const INDEPENDENT: GroupOptions = { commonShare: 0, failoverMs: 0, failoversPerYear: 0 };

/** A year of 365 days. */
export const YEAR_MS: number = 365 * 86_400_000;

/** A place where a component stands, and how many copies of that place the groups around it make. */
export interface Mention {
  readonly component: Component;
  readonly times: number;
}

/** Every component in reading order; a shared one as often as it is mentioned. */
export function mentionsOf(system: System, times = 1): Mention[] {
  switch (system.kind) {
    case "component":
      return [{ component: system, times }];
    case "series":
      return system.parts.flatMap((part) => mentionsOf(part, times));
    case "some":
      return system.members.flatMap((member) => mentionsOf(member.system, times * member.copies));
  }
}

/** The names of its parts in reading order, each once. */
export function namesOf(system: System): string[] {
  return [...new Set(mentionsOf(system).map(({ component }) => component.name))];
}

/** The same tree with each system right below it replaced by what `change` makes of it. */
export function mapChildren(system: System, change: (child: System) => System): System {
  switch (system.kind) {
    case "component":
      return system;
    case "series":
      return { ...system, parts: system.parts.map(change) };
    case "some":
      return {
        ...system,
        members: system.members.map((member) => ({ ...member, system: change(member.system) })),
      };
  }
}

/** The system in which every component of that name is up all the time, or never. */
export function given(system: System, name: string, state: "up" | "down"): System {
  if (system.kind !== "component") return mapChildren(system, (child) => given(child, name, state));
  return system.name === name ? certain(system, state) : system;
}

function certain(component: Component, state: "up" | "down"): Component {
  return {
    ...component,
    unavailability: state === "up" ? 0 : 1,
    needed: 1,
    copies: 1,
    options: INDEPENDENT,
    shared: false,
  };
}
