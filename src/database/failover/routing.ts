/** What a router makes of the record: the view of its cluster, and which connections it still stands for. */
import type { ClusterView } from "../view.ts";
import { stateOf } from "./gate.ts";
import type { FailoverSettings } from "./settings.ts";
import { isOver, trustedUntilMs, type Watch } from "./watch.ts";

/**
 * The view by the record, over the one that has the addresses. A replica's timeline is for the router to ask, the one that counts
 * stands in the record.
 */
export function viewByRecord(
  known: ClusterView,
  watch: Watch | undefined,
  settings: FailoverSettings,
): ClusterView {
  const state = stateOf(watch, settings);
  const { server, term, terms } = watch?.record ?? { server: undefined, term: 0, terms: [] };
  const timeline = terms.at(-1)?.timeline ?? 0;
  const primary =
    state === "steady" && known.servers.some(({ name }) => name === server) ? server : undefined;
  const servers = known.servers.map((one) => {
    const isPrimary = one.name === primary;
    return {
      ...one,
      role: isPrimary ? ("primary" as const) : ("replica" as const),
      timeline: isPrimary ? timeline : one.timeline,
    };
  });
  return { ...known, term, state, primary, servers };
}

/**
 * Whether the answers of a connection that was made in `term` may be passed on at `nowMs`. In a switchover they may: the successor must
 * have the log's end, in which they are.
 */
export function passesOn(
  watch: Watch | undefined,
  settings: FailoverSettings,
  term: number,
  nowMs: number,
): boolean {
  return watch !== undefined && isOfTerm(watch, term) && nowMs < trustedUntilMs(watch, settings);
}

/** Whether a connection made in `term` may be kept: its primary has not been replaced, and may be trusted again. */
export function standsFor(watch: Watch | undefined, settings: FailoverSettings, term: number): boolean {
  return watch !== undefined && isOfTerm(watch, term) && !isOver(watch, settings);
}

function isOfTerm({ record }: Watch, term: number): boolean {
  return record.term === term && (record.phase === "running" || record.phase === "switching-over");
}
