/** What monitors ask servers, and what the answers say. */
import { type Lsn, parseLsn } from "../../../pgwire/index.ts";
import { endOfLog } from "../../reads/positions.ts";
import type { ControlRows } from "./control-connection.ts";

/**
 * How far the log is on disk, which is behind every commit that was waited for; where the primary will write next, which is behind all
 * others too; the size of the log's pages; and whether commits are waited for.
 */
export const PRIMARY_SQL = `SELECT pg_catalog.pg_current_wal_flush_lsn(), pg_catalog.pg_current_wal_insert_lsn(),
  pg_catalog.current_setting('wal_block_size'), pg_catalog.current_setting('synchronous_commit')`;
/** …and whether some role or database has it otherwise. */
export const PRIMARY_SQL_FULL: string = `${PRIMARY_SQL}, EXISTS (SELECT FROM pg_catalog.pg_db_role_setting
  WHERE setconfig::text LIKE '%synchronous_commit=%')`;
/** How far a replica has replayed, and whether it is one. */
export const REPLICA_SQL = "SELECT pg_catalog.pg_last_wal_replay_lsn(), pg_catalog.pg_is_in_recovery()";
/** The server keeps the pace while reads wait: its answer is all that wakes us. The sleep comes before the position is read. */
export const PACED_SQL = `SELECT CASE WHEN pg_catalog.pg_sleep(0.001) IS NULL THEN NULL ELSE pg_catalog.pg_last_wal_replay_lsn() END,
  pg_catalog.pg_is_in_recovery()`;

/** The primary's position: what is on disk, or what is behind commits that nobody waited for too. */
export interface PrimaryPosition {
  readonly flushed: Lsn;
  readonly inserted: Lsn;
  /** Commits are not waited for by default; for some role or database it is set by itself, if that was asked. */
  readonly isCommitOff: boolean;
  readonly isSetElsewhere: boolean | undefined;
}

/** Undefined: it is none. */
export function primaryPosition(rows: ControlRows | undefined): PrimaryPosition | undefined {
  const [[flush, insert, blockSize, commits, isSetElsewhere] = []] = rows ?? [];
  const flushed = parseLsn(flush ?? "");
  const next = parseLsn(insert ?? "");
  if (flushed === undefined || next === undefined) return undefined;
  return {
    flushed,
    inserted: endOfLog(next, Number(blockSize)),
    isCommitOff: commits === "off",
    isSetElsewhere: isSetElsewhere === undefined ? undefined : isSetElsewhere === "t",
  };
}
