/**
 * The snapshot of a config and the tasks that run: each service's tasks join its group, every group and target has
 * its row in the scoreboard.
 */
import { formatAddress } from "./address.ts";
import type { Address, Config, TargetConfig, TargetGroupConfig } from "./config.ts";
import { deepFreeze } from "./freeze.ts";
import { allocateSlots, type Slots } from "./slots.ts";
import { GROUP_SLOTS, SLOTS, type Snapshot, type Target, type TargetGroup } from "./snapshot.ts";

/** A live task as the data plane sees it. */
export interface TaskTarget {
  readonly service: string;
  readonly address: Address;
  readonly state: Target["state"];
}

/** What a snapshot is made of. */
export interface SnapshotParts {
  readonly config: Config;
  readonly tasks: readonly TaskTarget[];
  /** The last published one, whose rows are kept; none at the very first. */
  readonly previous?: Snapshot | undefined;
  readonly revision: number;
}

/** A snapshot, or why there can be none. */
export type SnapshotOutcome =
  | { readonly kind: "ok"; readonly snapshot: Snapshot }
  | { readonly kind: "refused"; readonly reason: SnapshotRefusal; readonly message: string };

/** Why a snapshot was refused. */
export type SnapshotRefusal =
  | "old-revision"
  | "unknown-service"
  | "duplicate-target"
  | "too-many-groups"
  | "too-many-targets";

type UnplacedTarget = Omit<Target, "slot">;

interface UnplacedGroup {
  readonly settings: TargetGroupConfig;
  readonly targets: readonly UnplacedTarget[];
}

/** Builds a frozen snapshot. The same group and address keep their row from `previous`. */
export function buildSnapshot({ config, tasks, previous, revision }: SnapshotParts): SnapshotOutcome {
  if (revision <= (previous?.revision ?? 0))
    return refused("old-revision", `revision ${revision} is not above ${previous?.revision ?? 0}`);
  const groups = config.targetGroups.map((settings) => ({ settings, targets: targetsOf(settings, tasks) }));
  const refusal = strangeTask(config, tasks) ?? duplicateTarget(groups);
  if (refusal) return refusal;
  const groupSlots = allocateSlots(groups.map(groupKey), groupSlotsOf(previous), GROUP_SLOTS);
  if (!groupSlots)
    return refused("too-many-groups", `${groups.length} target groups; keep to ${GROUP_SLOTS}`);
  const keys = groups.flatMap((group) => group.targets.map((target) => targetKey(groupKey(group), target)));
  const slots = allocateSlots(keys, targetSlotsOf(previous), SLOTS);
  if (!slots)
    return refused("too-many-targets", `${keys.length} targets; keep to ${SLOTS}, draining ones included`);
  const snapshot: Snapshot = {
    revision,
    gateway: config.gateway,
    listeners: config.listeners,
    targetGroups: groups.map((group) => placed(group, groupSlots, slots)),
    slotCursor: slots.cursor,
    groupSlotCursor: groupSlots.cursor,
  };
  return { kind: "ok", snapshot: deepFreeze(snapshot) };
}

function refused(reason: SnapshotRefusal, message: string): SnapshotOutcome {
  return { kind: "refused", reason, message };
}

function targetsOf(
  { targets, service }: TargetGroupConfig,
  tasks: readonly TaskTarget[],
): readonly UnplacedTarget[] {
  const fixed = targets.map(
    ({ address, weight, name }): UnplacedTarget => unplaced({ address, weight, name }, "active"),
  );
  const own = tasks.filter((task) => service !== undefined && task.service === service);
  return [
    ...fixed,
    ...own.map(({ address, state }) => unplaced({ address, weight: 1, name: undefined }, state)),
  ];
}

function unplaced(
  {
    address,
    weight,
    name = formatAddress(address),
  }: Pick<TargetConfig, "address" | "weight"> & { name: string | undefined },
  state: Target["state"],
): UnplacedTarget {
  return { id: name, address, weight, state };
}

function strangeTask(config: Config, tasks: readonly TaskTarget[]): SnapshotOutcome | undefined {
  const task = tasks.find(({ service }) => !config.targetGroups.some((group) => group.service === service));
  if (!task) return undefined;
  return refused(
    "unknown-service",
    `the task at ${formatAddress(task.address)} is of no known service: ${task.service}`,
  );
}

function duplicateTarget(groups: readonly UnplacedGroup[]): SnapshotOutcome | undefined {
  for (const { settings, targets } of groups) {
    const ids = targets.map((target) => target.id);
    const seen = new Set<string>();
    const twice = ids.find((id) => seen.size === seen.add(id).size);
    if (twice !== undefined)
      return refused("duplicate-target", `${twice} is in the group ${settings.name} twice`);
  }
  return undefined;
}

function groupKey(group: UnplacedGroup): string {
  return group.settings.name;
}

/** Names hold no space, so the two halves cannot run into each other. */
function targetKey(group: string, { id }: { readonly id: string }): string {
  return `${group} ${id}`;
}

function groupSlotsOf(previous: Snapshot | undefined): Slots {
  const entries = (previous?.targetGroups ?? []).map(({ name, slot }) => [name, slot] as const);
  return { byKey: new Map(entries), cursor: previous?.groupSlotCursor ?? 0 };
}

function targetSlotsOf(previous: Snapshot | undefined): Slots {
  const entries = (previous?.targetGroups ?? []).flatMap(({ name, targets }) =>
    targets.map((target) => [targetKey(name, target), target.slot] as const),
  );
  return { byKey: new Map(entries), cursor: previous?.slotCursor ?? 0 };
}

function placed({ settings, targets }: UnplacedGroup, groupSlots: Slots, slots: Slots): TargetGroup {
  const { targets: _, service: __, ...shared } = settings;
  return {
    ...shared,
    slot: slotOf(groupSlots, settings.name),
    targets: targets.map((target) => ({ ...target, slot: slotOf(slots, targetKey(settings.name, target)) })),
  };
}

function slotOf({ byKey }: Slots, key: string): number {
  const slot = byKey.get(key);
  if (slot === undefined) throw new Error(`no slot was allocated for ${key}`);
  return slot;
}
