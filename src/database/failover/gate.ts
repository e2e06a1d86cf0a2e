/**
 * The gate of a router: whether a write may go to the primary, and whether its answer may go to the client.
 *
 * An agent can be stopped in its tracks while its Postgres goes on. A router that asks this before it passes an answer on is a
 * second fence: what a deposed primary acknowledges reaches nobody.
 */

import type { ClusterView } from "../view.ts";
import type { Member } from "./member.ts";
import { standingOf } from "./record.ts";
import type { FailoverSettings } from "./settings.ts";
import { isOver, trustedUntilMs, type Watch } from "./watch.ts";

/** "steady": writes go on; in all other states they are held. */
export type ClusterState = ClusterView["state"];

/** Why writes wait. */
export type HoldReason = Exclude<ClusterState, "steady"> | "view-stale";

/** What a router does with a write now. */
export type Gate =
  /** Until `untilMs`, by the clock of the watch; an answer that comes later is not to be trusted. */
  | { readonly kind: "open"; readonly server: string; readonly term: number; readonly untilMs: number }
  | { readonly kind: "hold"; readonly reason: HoldReason };

/** The state of a cluster by what was seen of its record. */
export function stateOf(watch: Watch | undefined, settings: FailoverSettings): ClusterState {
  if (watch === undefined) return "no-primary";
  const { phase, successor } = watch.record;
  if (phase === "switching-over") return "switching-over";
  if (phase === "released") return successor === null ? "failing-over" : "switching-over";
  if (isOver(watch, settings)) return "no-primary";
  return phase === "running" ? "steady" : "failing-over";
}

/** The gate at `nowMs`. */
export function gateOf(watch: Watch | undefined, settings: FailoverSettings, nowMs: number): Gate {
  const state = stateOf(watch, settings);
  if (watch === undefined) return { kind: "hold", reason: "no-primary" };
  if (state !== "steady") return { kind: "hold", reason: state };
  const untilMs = trustedUntilMs(watch, settings);
  if (nowMs >= untilMs) return { kind: "hold", reason: "view-stale" };
  return { kind: "open", server: watch.record.server, term: watch.record.term, untilMs };
}

/**
 * Whether a connection to the primary that was made at `connectedMs`, after an earlier one broke, may be used. A server that
 * crashed may show what was never acknowledged; its record says "recovering" before it is started, so a look that was sent
 * after it answered says whether that is over.
 */
export function isConfirmed(watch: Watch | undefined, connectedMs: number): boolean {
  return watch !== undefined && watch.sentMs >= connectedMs;
}

/** The view for routers after `previous`; the same object when nothing changed. `timelines`: of each server, where known. */
export function viewOf(
  previous: ClusterView | undefined,
  watch: Watch | undefined,
  cluster: {
    readonly name: string;
    readonly members: readonly Member[];
    readonly timelines: ReadonlyMap<string, number>;
    readonly settings: FailoverSettings;
  },
): ClusterView {
  const { name, members, timelines, settings } = cluster;
  const state = stateOf(watch, settings);
  const primary = state === "steady" ? watch?.record.server : undefined;
  const servers = members
    .filter((member) => member.kind === "data")
    .map((member) => {
      const timeline = timelines.get(member.name) ?? 0;
      const role = member.name === primary ? ("primary" as const) : ("replica" as const);
      const { host, port } = member;
      return { name: member.name, host, port, role, timeline, ...eligibility(watch, member.name, timeline) };
    });
  const next = {
    name,
    term: watch?.record.term ?? 0,
    state,
    primary,
    servers,
    mode: settings.durability.kind,
  };
  if (previous !== undefined) {
    const { revision, ...same } = previous;
    if (JSON.stringify(same) === JSON.stringify(next)) return previous;
    return { revision: revision + 1, ...next };
  }
  return { revision: 1, ...next };
}

/** A replica of another history answers with rows that the cluster does not have. */
function eligibility(
  watch: Watch | undefined,
  name: string,
  timeline: number,
): { readonly eligible: boolean; readonly reason?: string } {
  if (watch === undefined || timeline === 0) return { eligible: false, reason: "unknown" };
  const lsn = watch.record.terms.at(-1)?.fork ?? 0n; // how far it is, the router asks itself
  const { kind } = standingOf(watch.record, name, { timeline, lsn });
  return kind === "current" ? { eligible: true } : { eligible: false, reason: "stale-timeline" };
}
