/**
 * Which files of a running server's data directory a copy takes. What is left out is made anew at its start, or would be
 * wrong: locks, logs of the log, temporary tables.
 *
 * Source: excludeDirContents, excludeFiles and sendDir of src/backend/backup/basebackup.c of PostgreSQL.
 */

/** Folders that a copy has, empty. */
export const EMPTIED_FOLDERS: readonly string[] = [
  "pg_wal",
  "pg_replslot",
  "pg_dynshmem",
  "pg_notify",
  "pg_serial",
  "pg_snapshots",
  "pg_stat_tmp",
  "pg_subtrans",
];

const LEFT_OUT: readonly RegExp[] = [
  /(^|\/)pgsql_tmp/,
  /(^|\/)pg_internal\.init/,
  /^(backup_label|tablespace_map)(\.old)?$/,
  /^(backup_manifest|current_logfiles|logfile)/,
  /^postmaster\.(pid|opts)$/,
  /^(standby|recovery)\.signal$/,
  /^tenfold\.role\.conf$/,
  /\.tmp$/,
  // Tables of one session: gone with it.
  /(^|\/)t\d+_\d+(_(fsm|vm|init))?(\.\d+)?$/,
];

/** Copied after all others: what it says must not be older than what they hold. */
export const LAST_FILE = "global/pg_control";

/** Whether a copy takes the file at `path`, relative to the data directory. */
export function isCopied(path: string): boolean {
  const [top = ""] = path.split("/", 1);
  return !EMPTIED_FOLDERS.includes(top) && !LEFT_OUT.some((pattern) => pattern.test(path));
}
