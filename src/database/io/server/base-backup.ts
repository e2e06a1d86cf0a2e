/**
 * A consistent copy of a running server's data directory: the low-level backup interface of Postgres, on one session.
 *
 * From `pg_backup_start` on the log holds whole pages, so that pages torn by the copy are mended when the log is replayed.
 * The label that `pg_backup_stop` gives says where that replay begins; without it the copy would be silently corrupt.
 */
import { join } from "node:path";
import { type Lsn, parseLsn } from "../../../pgwire/index.ts";
import type { ControlClient, Row } from "./control-client.ts";
import { type CopiedFile, type CopyOptions, copyTree } from "./copy-tree.ts";
import { writeOwned } from "./owner.ts";
import { ServerError } from "./problem.ts";

/** What was copied, and the log that belongs to it. */
export interface CopiedData {
  readonly files: readonly CopiedFile[];
  /** Replay begins here, and must reach `stop` before the copy is consistent. */
  readonly start: Lsn;
  readonly stop: Lsn;
}

/** A checkpoint writes all of a large cache. */
const CHECKPOINT_MS = 600_000;

/**
 * Copies what `client`'s server has. The session must be the caller's alone until this is done: when it ends early, the
 * backup is over for the server. With `archiveWaitMs` the log up to its end is in the archive when this
 * resolves; it rejects when that takes longer.
 */
export async function copyRunning(
  client: ControlClient,
  label: string,
  options: CopyOptions,
  archiveWaitMs: number | undefined,
): Promise<CopiedData> {
  const [started] = await client.query(
    "select pg_backup_start($1, fast => true)::text as lsn",
    [label],
    CHECKPOINT_MS,
  );
  let files: CopiedFile[];
  try {
    files = await copyTree(options);
  } catch (problem) {
    await client.query("select pg_backup_stop(wait_for_archive => false)").catch(() => {});
    throw problem;
  }
  const waits = archiveWaitMs !== undefined;
  const stop = `select lsn::text, labelfile, spcmapfile from pg_backup_stop(wait_for_archive => ${waits})`;
  const [stopped] = await client.query(stop, [], archiveWaitMs ?? CHECKPOINT_MS);
  await writeOwned(join(options.to, "backup_label"), textOf(stopped, "labelfile"), options.owner);
  const map = stopped?.["spcmapfile"] ?? "";
  if (map.trim() !== "") await writeOwned(join(options.to, "tablespace_map"), map, options.owner);
  return { files, start: lsnOf(started), stop: lsnOf(stopped) };
}

function textOf(row: Row | undefined, column: string): string {
  const text = row?.[column];
  if (text === null || text === undefined || text === "")
    throw new ServerError("query-failed", `the server gave no ${column} for the backup`);
  return text;
}

function lsnOf(row: Row | undefined): Lsn {
  return parseLsn(textOf(row, "lsn")) ?? 0n;
}
