/** `tenfold db status`: a line for each server, then what needs somebody's attention. */
import { formatBytes } from "../../base/index.ts";
import {
  type AgentFacts,
  archiveLagBytes,
  type DatabaseServerView,
  type FailoverStatus,
  type WitnessFacts,
} from "../../database/index.ts";
import type { Style } from "../style.ts";
import { type Cell, table } from "./table.ts";

/** One server; without facts its agent does not answer. */
export interface ServerRow {
  readonly name: string;
  readonly facts: AgentFacts | undefined;
}

/** The lines, each at most `width` wide. */
export function databaseStatus(rows: readonly ServerRow[], style: Style, width: number): string[] {
  const columns = [
    { title: "SERVER" },
    { title: "ROLE" },
    { title: "STATE" },
    { title: "TERM", align: "right" },
    { title: "TIMELINE", align: "right" },
    { title: "POSITION" },
    { title: "LAG", align: "right" },
    { title: "PORT", align: "right" },
  ] as const;
  const lines = table(
    columns,
    rows.map((row) => cells(row, style)),
    width,
    style.dim,
  );
  return [...lines, ...clusterNotes(rows), ...rows.flatMap(notes)];
}

/** Who holds the lease, and what the last failover lost: from whoever looked at the record last. */
function clusterNotes(rows: readonly ServerRow[]): string[] {
  const records = rows.flatMap(({ facts }) => facts?.failover?.record ?? []);
  const [latest] = records.toSorted((a, b) => b.term - a.term || a.ageMs - b.ageMs);
  if (latest === undefined) return [];
  const { term, server, phase, loss, quorum, ageMs } = latest;
  const lost =
    loss === null
      ? ""
      : `; the last failover lost ${loss.exact ? "" : "at least "}${formatBytes(loss.bytes)}`;
  const votes = quorum === null ? "" : `; ${quorum.votes} of ${quorum.names.join(", ")} must be asked`;
  return [`lease: term ${term}, ${server}, ${phase}, renewed ${ageMs} ms ago${votes}${lost}`];
}

function failoverNotes(name: string, failover: FailoverStatus | null): string[] {
  if (failover === null) return [];
  const { storeProblem, last, foundLoss } = failover;
  return [
    ...(storeProblem === null ? [] : [`${name}: the lease store does not answer (${storeProblem})`]),
    ...(last === null
      ? []
      : [`${name}: ${last.event} ${Math.round(last.agoMs / 1000)} s ago: ${last.reason}`]),
    ...(foundLoss === null
      ? []
      : [
          `${name}: came back as an old primary with ${foundLoss.commits ?? "some"} commits, ${formatBytes(foundLoss.bytes ?? 0)}, that the cluster does not have`,
        ]),
  ];
}

function cells({ name, facts }: ServerRow, { good, bad, warn }: Style): Cell[] {
  if (facts === undefined) return [name, "", { text: "no agent", paint: bad }, "", "", "", "", ""];
  const { state, term, view, stopped, port, witness } = facts;
  const paint = state === "running" ? good : state === "stopped" || state === "absent" ? warn : bad;
  const timeline = view?.timeline ?? stopped?.timeline ?? witness?.timeline;
  const position = view?.writtenLsn ?? view?.replayedLsn ?? witness?.flushedLsn ?? "";
  return [
    name,
    view?.role ?? (witness === undefined ? "" : "witness"),
    { text: state, paint },
    String(term),
    String(timeline ?? ""),
    position,
    lagOf(facts),
    String(port),
  ];
}

function lagOf({ view, witness }: AgentFacts): string {
  if (witness !== undefined)
    return witness.lagBytes === null || !witness.streaming ? "no primary" : formatBytes(witness.lagBytes);
  if (view?.role !== "replica") return "";
  return view.lagBytes === null ? "no primary" : `${formatBytes(view.lagBytes)}, ${view.lagMs ?? 0} ms`;
}

/** What a candidate can take from it, and whether its word counts. */
function witnessNotes(name: string, witness: WitnessFacts | undefined): string[] {
  if (witness === undefined) return [];
  const { timeline, beginLsn, flushedLsn, isWhole } = witness;
  const kept = `${name}: keeps the log of timeline ${timeline} from ${beginLsn} to ${flushedLsn}`;
  return [
    ...(timeline === 0 ? [] : [kept]),
    ...(isWhole ? [] : [`${name}: began anew, and gives no vote before it has caught up`]),
  ];
}

function notes({ name, facts }: ServerRow): string[] {
  if (facts === undefined) return [];
  const { view, problem, order, leaseLeftMs, settings } = facts;
  const lost = view?.slots.filter(({ status }) => status === "lost").map((slot) => slot.name) ?? [];
  const archive = view === null || view.role === "replica" ? null : archiveLagBytes(view);
  return [
    ...failoverNotes(name, facts.failover),
    ...witnessNotes(name, facts.witness),
    ...(problem === null ? [] : [`${name}: ${problem}`]),
    ...(settings.waiting.length === 0
      ? []
      : [`${name}: ${settings.waiting.join(", ")} wait for its next start: tenfold db restart ${name}`]),
    ...settings.refused.map((why) => `${name}: Postgres does not take ${why}`),
    ...(order === null ? [] : [`${name}: ${order.kind} is under way${progressOf(order.progress)}`]),
    ...(leaseLeftMs === null ? [] : [`${name}: its lease ends in ${Math.round(leaseLeftMs)} ms`]),
    ...(lost.length === 0
      ? []
      : [`${name}: the log for ${lost.join(", ")} is gone: reclone whoever used it`]),
    ...(archive === null ? [] : [`${name}: ${formatBytes(archive)} of the log are not in the archive yet`]),
    ...archiveNotes(name, view?.archive),
  ];
}

/** What the archive took after it had refused something is told no more. */
function archiveNotes(name: string, archive: DatabaseServerView["archive"] | undefined): string[] {
  const {
    failedCount = 0,
    lastFailed = null,
    lastFailedAtMs = null,
    lastArchivedAtMs = null,
  } = archive ?? {};
  if (lastFailedAtMs === null || lastFailedAtMs <= (lastArchivedAtMs ?? 0)) return [];
  return [`${name}: the archive refused ${failedCount} times, last ${lastFailed}`];
}

function progressOf(progress: { readonly copiedBytes: number; readonly totalBytes: number } | null): string {
  return progress === null
    ? ""
    : `: ${formatBytes(progress.copiedBytes)} of ${formatBytes(progress.totalBytes)}`;
}
