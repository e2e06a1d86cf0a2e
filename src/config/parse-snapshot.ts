/**
 * Reading a snapshot back. A damaged or half-understood file is refused with a reason, never served.
 */
import { formatAddress } from "./address.ts";
import { deepFreeze } from "./freeze.ts";
import { formatProblem, type Problem } from "./problem.ts";
import type { Snapshot } from "./snapshot.ts";
import { snapshotSchema } from "./snapshot-schema.ts";

/** A snapshot, or why the file is none. */
export type SnapshotReading =
  | { readonly kind: "ok"; readonly snapshot: Snapshot }
  | { readonly kind: "damaged"; readonly reason: string };

/** Parses and checks the text of a snapshot file. Never throws. */
export function parseSnapshot(json: string): SnapshotReading {
  let input: unknown;
  try {
    input = JSON.parse(json);
  } catch (error) {
    return { kind: "damaged", reason: `not JSON: ${(error as Error).message}` };
  }
  const problems: Problem[] = [];
  const snapshot = snapshotSchema.read(input, { path: "", problems });
  const [first] = problems;
  if (first || !snapshot) return { kind: "damaged", reason: first ? formatProblem(first) : "no snapshot" };
  const reason = contradiction(snapshot);
  return reason === undefined ? { kind: "ok", snapshot: deepFreeze(snapshot) } : { kind: "damaged", reason };
}

/** The first thing in which the parts of a snapshot disagree. */
function contradiction({ listeners, targetGroups }: Snapshot): string | undefined {
  const targets = targetGroups.flatMap((group) => group.targets);
  const names = targetGroups.map((group) => group.name);
  // A name holds no colon, so what does is an address.
  const wrongId = targets.find(({ id, address }) => id.includes(":") && id !== formatAddress(address));
  if (wrongId) return `the target ${wrongId.id} has the address ${formatAddress(wrongId.address)}`;
  const lost = forwardsOf(listeners).find((group) => !names.includes(group));
  if (lost !== undefined) return `a rule forwards to the unknown group ${lost}`;
  const alone = targetGroups.find(
    ({ fallback }) => fallback !== undefined && !names.includes(fallback.group),
  );
  if (alone !== undefined) return `the fallback of ${alone.name} is an unknown group`;
  return (
    repeated("group", names) ??
    repeated(
      "listener",
      listeners.map((listener) => listener.name),
    ) ??
    repeated(
      "target slot",
      targets.map((target) => target.slot),
    ) ??
    repeated(
      "group slot",
      targetGroups.map((group) => group.slot),
    )
  );
}

function forwardsOf(listeners: Snapshot["listeners"]): readonly string[] {
  const actions = listeners.flatMap(({ rules }) => rules.map((rule) => rule.action));
  return actions.flatMap((action) =>
    action.kind === "forward" ? action.groups.map(({ group }) => group) : [],
  );
}

function repeated(noun: string, values: readonly (string | number)[]): string | undefined {
  const seen = new Set<string | number>();
  const twice = values.find((value) => seen.size === seen.add(value).size);
  return twice === undefined ? undefined : `the ${noun} ${twice} is there twice`;
}
