/**
 * A new server from a backup and the archive, as of some moment: every commit before it, none after. The server that the
 * backup is of is not touched, and neither are backup and archive: the new one archives nowhere.
 */
import { createHash } from "node:crypto";
import { createReadStream, existsSync } from "node:fs";
import { readFile, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { type ArchiveGap, archiveGap, newestArchived } from "../../archive-gap.ts";
import {
  type BackupManifest,
  backupFor,
  pointProblem,
  type RestorePoint,
  recoverySettings,
} from "../../backups.ts";
import { REPLICATION_ROLE, SUPERUSER } from "../../server-settings.ts";
import { parseHistory } from "../../timeline.ts";
import { historyName, SEGMENT_BYTES } from "../../wal-file.ts";
import type { BackupStore } from "./backup-store.ts";
import type { CloneOptions } from "./clone.ts";
import { type CopiedFile, copyTree, ensureRoom, syncName } from "./copy-tree.ts";
import { changeRole, verifierText } from "./data-directory.ts";
import { restoreStrictly } from "./drain.ts";
import { namesIn, writeOwned } from "./owner.ts";
import type { PostgresServer } from "./postgres-server.ts";
import { ServerError } from "./problem.ts";
import { pause } from "./server-process.ts";

/** What was restored. */
export interface Restored {
  readonly backup: string;
  /** Timeline of the new server: its own. */
  readonly timeline: number;
  /** Where it began: what was written behind is not in it. */
  readonly lsn: string;
  /** When the last commit that is in it beyond the backup was made; null = there is none. */
  readonly lastCommit: string | null;
}

/** How a restore is made. */
export interface RestoreSettings extends CloneOptions {
  /** An id; default: the newest that is old enough. */
  readonly backup?: string;
  /** The passwords of the data are not known: it gets those of the server's options. */
  readonly setsPasswords?: boolean;
}

/** An archive of a day is replayed in minutes. */
const RECOVERY_TIMEOUT_MS = 3_600_000;

const POLL_MS = 20;

/** Recovery keeps two or three files of the log beside the data. */
const LOG_BYTES = 3 * SEGMENT_BYTES;

/**
 * Restores into `server`, which must have no data (`data-exists`), and leaves it running as a primary. What an earlier restore left that did not
 * end is removed first, and nothing is left of one that fails. Throws `backup-missing`, `backup-damaged`, `archive-gap`,
 * `disk-full`, or `target-not-reached` when the archive ends before the point.
 */
export async function restore(
  store: BackupStore,
  server: PostgresServer,
  point: RestorePoint,
  options: RestoreSettings = {},
): Promise<Restored> {
  const problem = pointProblem(point);
  if (problem !== undefined) throw new ServerError("target-not-reached", problem);
  await removeUnfinished(server);
  const backup = await chosen(store, point, options.backup);
  if (Math.trunc(backup.version / 10_000) !== server.options.binaries.major)
    throw new ServerError(
      "backup-missing",
      `backup ${backup.id} is of Postgres ${backup.version}, this is ${server.options.binaries.version}`,
    );
  const gap = await gapOf(store, backup);
  if (gap !== undefined && (gap.breaksBackup || point.kind === "latest")) throw gapError(store, gap, backup);
  await server.prepareFolder();
  await writeOwned(marker(server), "", server.options.owner);
  try {
    await copyBack(store, backup, server, point, options);
    const restored = await recovered(server, point, options);
    await rm(marker(server));
    return { backup: backup.id, ...restored };
  } catch (failure) {
    await discard(server);
    throw withHints(failure, store, gap, backup, point);
  }
}

/** Stands beside the data from before the copy until all is done. */
function marker(server: PostgresServer): string {
  return join(server.options.folder, "restore.unfinished");
}

/** Whether a restore into `server` was begun and has not ended: what is there is no server to work with. */
export function isRestoring(server: PostgresServer): boolean {
  return existsSync(marker(server));
}

async function removeUnfinished(server: PostgresServer): Promise<void> {
  if (isRestoring(server)) return discard(server);
  if ((await namesIn(server.data)).length > 0)
    throw new ServerError("data-exists", `${server.data} is not empty: restore into a new folder`);
}

/** Ends what may run there, and removes it: its socket, too, whose lock names a process that nobody may have waited for yet. */
async function discard(server: PostgresServer): Promise<void> {
  const { folder } = server.options;
  await server.fence(0);
  for (const name of await namesIn(folder))
    if (name.startsWith(".s.PGSQL.")) await rm(join(folder, name), { force: true });
  await rm(server.data, { recursive: true, force: true });
  await rm(marker(server), { force: true });
}

/** Replays the archive; the server is a primary then. */
async function recovered(
  server: PostgresServer,
  point: RestorePoint,
  { signal, setsPasswords = false }: RestoreSettings,
): Promise<Omit<Restored, "backup">> {
  const { owner, passwords } = server.options;
  await server.start();
  await untilRecovered(server, signal);
  const done = { restore_command: undefined, recovery_target_action: undefined };
  await changeRole(server.data, { ...done, [`recovery_target_${point.kind}`]: undefined }, owner);
  server.reload();
  if (setsPasswords) {
    await server.query(`alter role ${SUPERUSER} password '${verifierText(passwords.superuser)}'`);
    await server.query(`alter role ${REPLICATION_ROLE} password '${verifierText(passwords.replication)}'`);
  }
  const [last] = await server.query(
    "select pg_last_wal_replay_lsn()::text as lsn, to_char(pg_last_xact_replay_timestamp() at time zone 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.US\"Z\"') as at",
  );
  const { timeline } = await server.view();
  return { timeline, lsn: last?.["lsn"] ?? "", lastCommit: last?.["at"] ?? null };
}

async function gapOf(store: BackupStore, backup: BackupManifest): Promise<ArchiveGap | undefined> {
  const names = await namesIn(store.wal);
  const timeline = newestArchived(names, backup.timeline);
  const history =
    timeline === 1 ? "" : await readFile(join(store.wal, historyName(timeline)), "utf8").catch(() => "");
  return archiveGap(names, backup, timeline, parseHistory(history));
}

function gapError(
  store: BackupStore,
  { name, breaksBackup }: ArchiveGap,
  backup: BackupManifest,
): ServerError {
  const what = breaksBackup
    ? `backup ${backup.id} needs it: copy it back, or name an older one (--backup)`
    : "later files are there: copy it back, or restore to a --time before it";
  return new ServerError("archive-gap", `${store.wal} lacks ${name}, and ${what}`);
}

/** A point that was not reached says little by itself. */
function withHints(
  failure: unknown,
  store: BackupStore,
  gap: ArchiveGap | undefined,
  backup: BackupManifest,
  point: RestorePoint,
): unknown {
  if (!(failure instanceof ServerError) || failure.code !== "target-not-reached") return failure;
  const hints = [
    ...(gap === undefined ? [] : [`${store.wal} lacks ${gap.name}, though later files are there`]),
    ...(point.kind === "name"
      ? [`a point before backup ${backup.id} needs an older backup: name it (--backup)`]
      : []),
    ...(point.kind === "time"
      ? ["a time is reached when a commit after it is in the archive; leave --time out for all there is"]
      : []),
  ];
  return new ServerError(failure.code, [failure.message, ...hints].join("; "), { cause: failure });
}

async function chosen(
  store: BackupStore,
  point: RestorePoint,
  id: string | undefined,
): Promise<BackupManifest> {
  const all = await store.list();
  const found = id === undefined ? backupFor(all, point) : all.find((backup) => backup.id === id);
  if (found !== undefined) return found;
  const what = id === undefined ? "that ended before the point" : id;
  throw new ServerError(
    "backup-missing",
    `there is no backup ${what} in ${store.folder}: it has ${all.map((backup) => backup.id).join(", ") || "none"}`,
  );
}

/** Copies a backup and puts into it what recovery is told, before it gets its name. */
async function copyBack(
  store: BackupStore,
  backup: BackupManifest,
  server: PostgresServer,
  point: RestorePoint,
  options: CloneOptions,
): Promise<void> {
  const draft = `${server.data}.restore`;
  await rm(draft, { recursive: true, force: true });
  const { owner, settings, folder } = server.options;
  const bytes = backup.files.reduce((sum, file) => sum + file.bytes, LOG_BYTES);
  await ensureRoom(folder, bytes);
  try {
    const copy = { ...options, from: store.dataOf(backup.id), to: draft, owner, takes: () => true };
    const copied = await copyTree({ ...copy, checksums: true, durable: settings.durable });
    const damage = damageOf(backup, copied);
    if (damage !== undefined) throw new ServerError("backup-damaged", `backup ${backup.id}: ${damage}`);
    await changeRole(draft, recoverySettings(point, restoreStrictly(store.wal)), owner);
    await writeOwned(join(draft, "recovery.signal"), "", owner);
    await rename(draft, server.data);
    await syncName(server.data);
  } catch (problem) {
    await rm(draft, { recursive: true, force: true });
    throw problem;
  }
}

/** The first file that is not as the manifest says. */
function damageOf(backup: BackupManifest, copied: readonly CopiedFile[]): string | undefined {
  const sums = new Map(copied.map(({ path, sha256 }) => [path, sha256]));
  const bad = backup.files.find(({ path, sha256 }) => sums.get(path) !== sha256);
  if (bad !== undefined) return `${bad.path} is ${sums.has(bad.path) ? "damaged" : "missing"}`;
  return sums.has("backup_label") ? undefined : "backup_label is missing";
}

async function untilRecovered(server: PostgresServer, signal: AbortSignal | undefined): Promise<void> {
  const { clock, scheduler } = server.options;
  const deadline = clock.nowMs() + RECOVERY_TIMEOUT_MS;
  const isOver = async (): Promise<boolean> => {
    try {
      return (
        (await server.query("select pg_is_in_recovery()::text as recovers"))[0]?.["recovers"] === "false"
      );
    } catch (problem) {
      if (server.state === "crashed") throw server.whyEnded();
      if (problem instanceof ServerError && problem.code !== "query-failed") return false; // on its way down or up
      throw problem;
    }
  };
  while (!(await isOver())) {
    if (signal?.aborted === true) throw new ServerError("clone-aborted", "the restore was ended");
    if (clock.nowMs() > deadline)
      throw new ServerError("target-not-reached", `${server.name} still recovers: see ${server.logFile}`);
    await pause(scheduler, POLL_MS);
  }
}

/** Reads every file of a backup again and compares; undefined = it is whole. */
export async function verifyBackup(store: BackupStore, backup: BackupManifest): Promise<string | undefined> {
  const names = await namesIn(store.dataOf(backup.id));
  if (!names.includes("backup_label")) return "backup_label is missing";
  for (const { path, sha256 } of backup.files) {
    const hash = createHash("sha256");
    try {
      for await (const chunk of createReadStream(join(store.dataOf(backup.id), path)))
        hash.update(chunk as Uint8Array);
    } catch {
      return `${path} is missing`;
    }
    if (hash.digest("hex") !== sha256) return `${path} is damaged`;
  }
  return undefined;
}
