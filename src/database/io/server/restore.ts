/**
 * A new server from a backup and the archive, as of some moment: every commit before it, none after. The server that the
 * backup is of is not touched, and neither are backup and archive: the new one archives nowhere.
 */
import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { rename, rm } from "node:fs/promises";
import { join } from "node:path";
import {
  type BackupManifest,
  backupFor,
  pointProblem,
  type RestorePoint,
  recoverySettings,
} from "../../backups.ts";
import type { BackupStore } from "./backup-store.ts";
import type { CloneOptions } from "./clone.ts";
import { type CopiedFile, copyTree, syncName } from "./copy-tree.ts";
import { changeRole, hasData } from "./data-directory.ts";
import { restoreFrom } from "./drain.ts";
import { namesIn, writeOwned } from "./owner.ts";
import type { PostgresServer } from "./postgres-server.ts";
import { ServerError } from "./problem.ts";
import { pause } from "./server-process.ts";

/** What was restored. */
export interface Restored {
  readonly backup: string;
  /** Timeline of the new server: its own. */
  readonly timeline: number;
}

/** An archive of a day is replayed in minutes. */
const RECOVERY_TIMEOUT_MS = 3_600_000;

const POLL_MS = 20;

/**
 * Restores into `server`, which must have no data (`data-exists`), and leaves it running as a primary. Throws
 * `backup-missing`, `backup-damaged`, or `target-not-reached` when the archive ends before the point.
 */
export async function restore(
  store: BackupStore,
  server: PostgresServer,
  point: RestorePoint,
  options: CloneOptions & { readonly backup?: string } = {},
): Promise<Restored> {
  const problem = pointProblem(point);
  if (problem !== undefined) throw new ServerError("target-not-reached", problem);
  if (await hasData(server.data))
    throw new ServerError("data-exists", `${server.data} is not empty: restore into a new folder`);
  const backup = await chosen(store, point, options.backup);
  if (Math.trunc(backup.version / 10_000) !== server.options.binaries.major)
    throw new ServerError(
      "backup-missing",
      `backup ${backup.id} is of Postgres ${backup.version}, this is ${server.options.binaries.version}`,
    );
  await server.prepareFolder();
  await copyBack(store, backup, server, options);
  const { owner } = server.options;
  await changeRole(server.data, recoverySettings(point, restoreFrom(store.wal)), owner);
  await writeOwned(join(server.data, "recovery.signal"), "", owner);
  await server.start();
  await untilRecovered(server);
  const done = { restore_command: undefined, recovery_target_action: undefined };
  await changeRole(server.data, { ...done, [`recovery_target_${point.kind}`]: undefined }, owner);
  server.reload();
  return { backup: backup.id, timeline: (await server.view()).timeline };
}

async function chosen(
  store: BackupStore,
  point: RestorePoint,
  id: string | undefined,
): Promise<BackupManifest> {
  const all = await store.list();
  const found = id === undefined ? backupFor(all, point) : all.find((backup) => backup.id === id);
  if (found !== undefined) return found;
  const what = id === undefined ? `that ended before the point` : `${id}`;
  throw new ServerError(
    "backup-missing",
    `there is no backup ${what} in ${store.folder}: it has ${all.map((backup) => backup.id).join(", ") || "none"}`,
  );
}

async function copyBack(
  store: BackupStore,
  backup: BackupManifest,
  server: PostgresServer,
  options: CloneOptions,
): Promise<void> {
  const draft = `${server.data}.restore`;
  await rm(draft, { recursive: true, force: true });
  const { owner, settings } = server.options;
  try {
    const copy = { ...options, from: store.dataOf(backup.id), to: draft, owner, takes: () => true };
    const copied = await copyTree({ ...copy, checksums: true, durable: settings.durable });
    const damage = damageOf(backup, copied);
    if (damage !== undefined) throw new ServerError("backup-damaged", `backup ${backup.id}: ${damage}`);
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

async function untilRecovered(server: PostgresServer): Promise<void> {
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
