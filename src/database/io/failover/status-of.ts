/** A member's state as others are told of it. */
import { formatLsn } from "../../../pgwire/index.ts";
import type { MemberState } from "../../failover/state.ts";
import type { FailoverStatus } from "../../failover/status.ts";

/** What the driver knows beside the state. */
export interface Noticed extends Pick<FailoverStatus, "storeProblem" | "foundLoss"> {
  readonly last: { readonly event: string; readonly reason: string; readonly atMs: number } | undefined;
}

/** The status at `nowMs`. */
export function statusOf(
  { role, watch, busy }: MemberState,
  noticed: Noticed,
  nowMs: number,
): FailoverStatus {
  const { last, storeProblem, foundLoss } = noticed;
  return {
    role: role.kind,
    record: recordOf(watch, nowMs),
    order: busy?.kind ?? null,
    storeProblem,
    last:
      last === undefined
        ? null
        : { event: last.event, reason: last.reason, agoMs: Math.round(nowMs - last.atMs) },
    foundLoss,
  };
}

function recordOf(watch: MemberState["watch"], nowMs: number): FailoverStatus["record"] {
  if (watch === undefined) return null;
  const { term, server, phase, flushed, loss, quorum } = watch.record;
  const ageMs = Math.round(nowMs - watch.seenMs);
  return { term, server, phase, flushed: formatLsn(flushed), ageMs, loss, quorum };
}
