/**
 * What a Postgres server says of itself, in one query: what agents report, and what decides who is promoted.
 *
 * Positions are text, as Postgres writes them ("0/16B3748"): the view goes through JSON as it is. `positionOf` gives the one
 * that counts.
 */
import { type Lsn, parseLsn } from "../pgwire/index.ts";
import { parseSegmentName, segmentStart } from "./wal-file.ts";

/** A replica as its primary sees it. */
export interface ReplicaView {
  /** Its application_name: the server's name. */
  readonly name: string;
  readonly state: string;
  /** "async", "quorum", "sync" or "potential". */
  readonly syncState: string;
  readonly sentLsn: string | null;
  readonly flushedLsn: string | null;
  readonly replayedLsn: string | null;
  /** What is written here and not replayed there. */
  readonly lagBytes: number;
}

/** A replication slot. */
export interface SlotView {
  readonly name: string;
  readonly kind: "physical" | "logical";
  readonly active: boolean;
  readonly restartLsn: string | null;
  /** Log that is kept because of it. */
  readonly retainedBytes: number;
  /** "lost" = the log it needs is gone: whoever reads from it must be made anew. null = it has never been used. */
  readonly status: "reserved" | "extended" | "unreserved" | "lost" | null;
}

/** What a replica's receiver says. */
export interface ReceiverView {
  readonly status: string;
  readonly host: string;
  readonly port: number;
  readonly slot: string | null;
  /** Where the sender is, as of its last message. */
  readonly upstreamLsn: string | null;
  /** Since that message. */
  readonly silentMs: number | null;
}

/** How the archive keeps up. */
export interface ArchiveView {
  readonly enabled: boolean;
  readonly lastArchived: string | null;
  readonly lastArchivedAtMs: number | null;
  readonly lastFailed: string | null;
  readonly lastFailedAtMs: number | null;
  readonly archivedCount: number;
  readonly failedCount: number;
  /** Finished files that wait. */
  readonly waitingFiles: number;
}

/** One server at one moment. */
export interface DatabaseServerView {
  /** The same in all servers of a cluster, and in no other. */
  readonly systemIdentifier: string;
  /** 180004 is 18.4. */
  readonly version: number;
  readonly role: "primary" | "replica";
  readonly timeline: number;
  /** default_transaction_read_only. */
  readonly readOnly: boolean;
  readonly startedAtMs: number;
  /** Primary: where the next byte is written. */
  readonly writtenLsn: string | null;
  /** Primary: what is on its disk. Replica: what it received and has on its disk. */
  readonly flushedLsn: string | null;
  /** Replica: what its queries see. */
  readonly replayedLsn: string | null;
  /** Replica: from the last word of its primary; null when it has none, or on a primary. */
  readonly lagBytes: number | null;
  /** Replica: age of the last commit it replayed, 0 when it has all that it knows of. */
  readonly lagMs: number | null;
  readonly replayPaused: boolean;
  readonly receiver: ReceiverView | null;
  /** synchronous_standby_names. */
  readonly synchronousNames: string;
  readonly replicas: readonly ReplicaView[];
  readonly slots: readonly SlotView[];
  readonly archive: ArchiveView;
}

/** One row, one column: the view as JSON. For PostgreSQL 15 to 18, on primaries and replicas, as a superuser. */
export const SERVER_VIEW_QUERY: string = `
with own as (
  select r.in_recovery,
    case when r.in_recovery then null else pg_current_wal_lsn() end as written,
    case when r.in_recovery then coalesce(greatest(pg_last_wal_receive_lsn(), pg_last_wal_replay_lsn()), '0/0')
      else pg_current_wal_flush_lsn() end as flushed,
    case when r.in_recovery then pg_last_wal_replay_lsn() end as replayed,
    case when r.in_recovery then pg_is_wal_replay_paused() else false end as paused
  from (select pg_is_in_recovery() as in_recovery) r
), receiver as (
  select status, sender_host, sender_port, slot_name, received_tli, latest_end_lsn,
    extract(epoch from clock_timestamp() - last_msg_receipt_time) * 1000 as silent_ms
  from pg_stat_wal_receiver where status = 'streaming'
)
select json_build_object(
  'systemIdentifier', (select system_identifier::text from pg_control_system()),
  'version', current_setting('server_version_num')::int,
  'role', case when own.in_recovery then 'replica' else 'primary' end,
  'timeline', case when own.in_recovery then greatest(
      (select received_tli from receiver),
      (select timeline_id from pg_control_checkpoint()),
      (select min_recovery_end_timeline from pg_control_recovery()))
    else ('x' || left(pg_walfile_name(own.written), 8))::bit(32)::int end,
  'readOnly', current_setting('default_transaction_read_only') = 'on',
  'startedAtMs', floor(extract(epoch from pg_postmaster_start_time()) * 1000),
  'writtenLsn', own.written, 'flushedLsn', own.flushed, 'replayedLsn', own.replayed,
  'lagBytes', (select greatest(pg_wal_lsn_diff(latest_end_lsn, own.replayed), 0) from receiver),
  'lagMs', (select case when own.replayed >= latest_end_lsn then 0
      else floor(extract(epoch from clock_timestamp() - pg_last_xact_replay_timestamp()) * 1000) end from receiver),
  'replayPaused', own.paused,
  'receiver', (select json_build_object('status', status, 'host', sender_host, 'port', sender_port, 'slot', slot_name,
      'upstreamLsn', latest_end_lsn, 'silentMs', floor(silent_ms)) from receiver),
  'synchronousNames', current_setting('synchronous_standby_names'),
  'replicas', (select coalesce(json_agg(json_build_object('name', application_name, 'state', state,
      'syncState', sync_state, 'sentLsn', sent_lsn, 'flushedLsn', flush_lsn, 'replayedLsn', replay_lsn,
      'lagBytes', greatest(pg_wal_lsn_diff(coalesce(own.written, own.flushed), replay_lsn), 0))
      order by application_name), '[]') from pg_stat_replication),
  'slots', (select coalesce(json_agg(json_build_object('name', slot_name, 'kind', slot_type, 'active', active,
      'restartLsn', restart_lsn, 'status', wal_status,
      'retainedBytes', coalesce(greatest(pg_wal_lsn_diff(coalesce(own.written, own.flushed), restart_lsn), 0), 0))
      order by slot_name), '[]') from pg_replication_slots),
  'archive', (select json_build_object('enabled', current_setting('archive_mode') <> 'off',
      'lastArchived', last_archived_wal, 'lastArchivedAtMs', floor(extract(epoch from last_archived_time) * 1000),
      'lastFailed', last_failed_wal, 'lastFailedAtMs', floor(extract(epoch from last_failed_time) * 1000),
      'archivedCount', archived_count, 'failedCount', failed_count,
      'waitingFiles', (select count(*) from pg_ls_archive_statusdir() where name like '%.ready'))
    from pg_stat_archiver)
)::text as view from own`;

/** Reads the query's answer. */
export function parseServerView(json: string): DatabaseServerView {
  return JSON.parse(json) as DatabaseServerView;
}

/** How far the server's log reaches: a candidate that is promoted has all that lies before. */
export function positionOf(view: DatabaseServerView): Lsn {
  const positions = [view.flushedLsn, view.replayedLsn].map((text) => parseLsn(text ?? "") ?? 0n);
  return positions.reduce((furthest, lsn) => (lsn > furthest ? lsn : furthest), 0n);
}

/** Log that is lost if disk and replicas are: what is written after the last file in the archive. null = no archive. */
export function archiveLagBytes(view: DatabaseServerView): number | null {
  if (!view.archive.enabled) return null;
  const last = parseSegmentName(view.archive.lastArchived?.slice(0, 24) ?? "");
  const written = parseLsn(view.writtenLsn ?? view.flushedLsn ?? "") ?? 0n;
  const archived = last === undefined ? 0n : segmentStart(last.number + 1n);
  return written > archived ? Number(written - archived) : 0;
}
