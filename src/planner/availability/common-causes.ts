/** What takes all copies of a group together, and what share of the downtime it makes: no further copy takes it away. */
import { type GroupOptions, mapChildren, namesOf, type System } from "./system.ts";
import { unavailabilityOf } from "./unavailability.ts";

/** One cause in one group. */
export interface CommonContribution {
  readonly cause: "common cause" | "failover";
  /** Names in the group: "app", or "a, b". */
  readonly of: string;
  /** Share of the downtime that would not be without it. */
  readonly downtimeShare: number;
}

type Group = Exclude<System, { kind: "series" }>;

/** Cause -> the options of a group that is spared it. */
const CAUSES: readonly (readonly [CommonContribution["cause"], Partial<GroupOptions>])[] = [
  ["common cause", { commonShare: 0 }],
  ["failover", { failoverMs: 0 }],
];

/** All that contribute, the greatest first. */
export function commonContributionsOf(system: System): CommonContribution[] {
  const whole = unavailabilityOf(system);
  if (whole === 0) return [];
  return groupsOf(system)
    .flatMap((group) =>
      CAUSES.map(([cause, spared]) => {
        const without = unavailabilityOf(withOptions(system, group, spared));
        return { cause, of: namesOf(group).join(", "), downtimeShare: (whole - without) / whole };
      }),
    )
    .filter(({ downtimeShare }) => downtimeShare > 0)
    .toSorted((a, b) => b.downtimeShare - a.downtimeShare);
}

/** All groups with options, and a component once, however often it is mentioned. */
function groupsOf(system: System): Group[] {
  const groups = new Map<string | System, Group>();
  const visit = (one: System): void => {
    if (one.kind === "component") groups.set(one.name, one);
    else if (one.kind === "series") one.parts.forEach(visit);
    else {
      groups.set(one, one);
      for (const { system: member } of one.members) visit(member);
    }
  };
  visit(system);
  return [...groups.values()].filter(({ options }) => options.commonShare > 0 || options.failoverMs > 0);
}

function withOptions(system: System, group: Group, options: Partial<GroupOptions>): System {
  if (isSame(system, group)) return { ...group, options: { ...group.options, ...options } };
  return mapChildren(system, (child) => withOptions(child, group, options));
}

function isSame(system: System, group: Group): boolean {
  return system.kind === "component" && group.kind === "component"
    ? system.name === group.name
    : system === group;
}
