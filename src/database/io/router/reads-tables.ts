/** Answers to statements about the router's own settings, and what `SHOW tenfold.reads` and `SHOW tenfold.replicas` tell. */
import { formatLsn } from "../../../pgwire/index.ts";
import {
  formatConsistency,
  ROUTING_PREFIX,
  ROUTING_SETTINGS,
  type RoutingStatement,
} from "../../../sql/index.ts";
import type { ReadSession } from "../../reads/read-session.ts";
import { READ_REASONS } from "../../reads/reasons.ts";
import { routerError } from "../../router/refusals.ts";
import type { ClientConnection } from "./client-connection.ts";
import { answer, type OwnAnswer, refuse } from "./own-answers.ts";
import type { Reads } from "./reads.ts";

type Table = Omit<OwnAnswer, "tag">;

/** Answers a statement about one of the router's own settings. False: a server shall. */
export function answerRouting(
  client: ClientConnection,
  reads: Reads,
  session: ReadSession,
  statement: RoutingStatement,
): boolean {
  if (statement.kind === "set") {
    const mistake = session.set(statement.name, statement.value);
    const tag = statement.value === undefined ? "RESET" : "SET";
    if (mistake === undefined) answer(client, { columns: [], rows: [], tag });
    else refuse(client, routerError("bad-routing", mistake));
    return true;
  }
  const table = shown(statement.name, reads, session);
  if (table !== undefined) answer(client, { ...table, tag: "SHOW" });
  return table !== undefined;
}

function shown(name: string, reads: Reads, session: ReadSession): Table | undefined {
  const columns = [name.slice(ROUTING_PREFIX.length)];
  if (name === ROUTING_SETTINGS.consistency)
    return { columns, rows: [[formatConsistency(session.consistency)]] };
  if (name === ROUTING_SETTINGS.target) return { columns, rows: [[session.target ?? ""]] };
  if (name === ROUTING_SETTINGS.after) return { columns, rows: [[formatLsn(session.after)]] };
  if (columns[0] === "reads") return readsTable(reads);
  return columns[0] === "replicas" ? replicasTable(reads) : undefined;
}

/** Batches by reason, the most frequent first. */
function readsTable({ counts }: Reads): Table {
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
function replicasTable({ replicas, cluster, context }: Reads): Table {
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
