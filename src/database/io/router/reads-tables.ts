/** What `SHOW tenfold.reads` and `SHOW tenfold.replicas` tell. */
import { formatLsn } from "../../../pgwire/index.ts";
import { READ_REASONS } from "../../reads/reasons.ts";
import type { Reads } from "./reads.ts";

interface Table {
  readonly columns: readonly string[];
  readonly rows: readonly (readonly (string | null)[])[];
}

/** Batches by reason, the most frequent first. */
export function readsTable({ counts }: Reads): Table {
  const rows = [...counts]
    .toSorted(([, one], [, other]) => other - one)
    .map(([reason, count]) => [
      reason,
      String(count),
      reason === "reads-shed" ? "refused: the primary has enough reads of its kind" : READ_REASONS[reason],
    ]);
  return { columns: ["reason", "batches", "meaning"], rows };
}

/** Each replica, and why it is not read. */
export function replicasTable({ replicas, cluster, context }: Reads): Table {
  const nowMs = context.clock.nowMs();
  const rows = replicas.map((replica) => [
    replica.name,
    replica.unreadable(cluster.timeline, nowMs) ?? "read",
    replica.timeline === undefined ? null : String(replica.timeline),
    formatLsn(replica.replayed),
    String(Math.round(replica.lagMs)),
    String(replica.lagBytes),
    String(replica.inFlight),
    replica.latencyMs.toFixed(2),
  ]);
  return {
    columns: ["name", "state", "timeline", "replayed", "lag_ms", "lag_bytes", "in_flight", "latency_ms"],
    rows,
  };
}
