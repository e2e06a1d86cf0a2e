/**
 * Where backups are kept: "base/ID" for each base backup, "wal" for the archive of the log. A folder that every server of a
 * cluster can write to, best on another machine's disk.
 */
import { readFile, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { formatLsn } from "../../../pgwire/index.ts";
import { type BackupManifest, backupId, surplusBackups, surplusWal } from "../../backups.ts";
import type { DatabaseServerView } from "../../server-view.ts";
import { copyRunning } from "./base-backup.ts";
import type { CloneOptions } from "./clone.ts";
import { syncName } from "./copy-tree.ts";
import { makePrivateFolder, namesIn, type Owner, writeOwned } from "./owner.ts";
import type { PostgresServer } from "./postgres-server.ts";
import { isSystemError, ServerError } from "./problem.ts";
import { archiveScript } from "./wal-archive.ts";

const MANIFEST = "manifest.json";

/** A backup that is under way, or whose server died: taken for nothing. */
const PARTIAL = ".partial";

/** What a retention took away. */
export interface Pruned {
  readonly backups: readonly string[];
  readonly walFiles: number;
}

/** How long the end of a backup waits for the archive: an archive that is behind by this much is broken. */
const ARCHIVE_WAIT_MS = 600_000;

/** A backup waits for its log to be archived: there is no use in one while the archive refuses files. */
function ensureArchives({ archive }: DatabaseServerView): void {
  const { lastFailed, lastFailedAtMs, lastArchivedAtMs } = archive;
  if (lastFailedAtMs === null || lastFailedAtMs <= (lastArchivedAtMs ?? 0)) return;
  throw new ServerError(
    "archive-failing",
    `the archive refuses ${lastFailed ?? "files"}: look into the server's log, mend it, and wait a minute for Postgres to try again`,
  );
}

export class BackupStore {
  readonly folder: string;
  readonly #owner: Owner;

  constructor(folder: string, owner: Owner) {
    this.folder = folder;
    this.#owner = owner;
  }

  /** The folder of the archive. */
  get wal(): string {
    return join(this.folder, "wal");
  }

  /** The files of a backup. */
  dataOf(id: string): string {
    return join(this.folder, "base", id, "data");
  }

  /** Makes the folders and the program that fills the archive; its command is `archiveCommand`. */
  async prepare(): Promise<void> {
    for (const folder of [this.folder, join(this.folder, "base"), this.wal])
      await makePrivateFolder(folder, this.#owner);
    await writeOwned(this.#script, archiveScript(this.wal), this.#owner);
  }

  get #script(): string {
    return join(this.folder, "archive.sh");
  }

  /** What a server's archive_command is. */
  get archiveCommand(): string {
    return `/bin/sh '${this.#script.replaceAll("'", `'\\''`).replaceAll("%", "%%")}' %p %f`;
  }

  /** Whole backups, oldest first. */
  async list(): Promise<BackupManifest[]> {
    const ids = (await namesIn(join(this.folder, "base"))).filter((id) => !id.endsWith(PARTIAL));
    const manifests = await Promise.all(ids.map((id) => this.#manifest(id)));
    return manifests
      .filter((manifest) => manifest !== undefined)
      .toSorted((a, b) => a.endedAtMs - b.endedAtMs);
  }

  async #manifest(id: string): Promise<BackupManifest | undefined> {
    try {
      return JSON.parse(await readFile(join(this.folder, "base", id, MANIFEST), "utf8")) as BackupManifest;
    } catch (problem) {
      if (isSystemError(problem, "ENOENT")) return undefined;
      throw new ServerError(
        "backup-damaged",
        `the manifest of backup ${id} cannot be read: ${String(problem)}`,
      );
    }
  }

  /** Copies a running primary. It must archive to this store (`archive-missing`), else the backup could not be restored. */
  async backUp(server: PostgresServer, label: string, options: CloneOptions = {}): Promise<BackupManifest> {
    const { clock, settings } = server.options;
    if (settings.archiveCommand !== this.archiveCommand)
      throw new ServerError(
        "archive-missing",
        `${server.name} does not archive to ${this.wal}: a backup without its log is of no use`,
      );
    ensureArchives(await server.view());
    const base = join(this.folder, "base");
    for (const name of await namesIn(base))
      if (name.endsWith(PARTIAL)) await rm(join(base, name), { recursive: true });
    const startedAtMs = clock.wallMs();
    const id = backupId(startedAtMs);
    const partial = join(base, `${id}${PARTIAL}`);
    const client = await server.connect();
    try {
      await makePrivateFolder(partial, this.#owner);
      const view = await server.view();
      const copy = {
        ...options,
        from: server.data,
        to: join(partial, "data"),
        owner: this.#owner,
        checksums: true,
      };
      const { files, start, stop } = await copyRunning(
        client,
        label,
        { ...copy, durable: settings.durable },
        ARCHIVE_WAIT_MS,
      );
      const { systemIdentifier, version, timeline } = view;
      const times = { startedAtMs, endedAtMs: clock.wallMs() };
      const about = { format: 1, id, label, systemIdentifier, version, timeline, ...times } as const;
      const manifest: BackupManifest = { ...about, start: formatLsn(start), stop: formatLsn(stop), files };
      await writeOwned(join(partial, MANIFEST), JSON.stringify(manifest), this.#owner);
      await rename(partial, join(base, id));
      await syncName(join(base, id));
      return manifest;
    } catch (problem) {
      await rm(partial, { recursive: true, force: true });
      throw problem;
    } finally {
      client.close();
    }
  }

  /** Keeps the `keep` newest backups and the log from the oldest of them on. */
  async prune(keep: number): Promise<Pruned> {
    const all = await this.list();
    const surplus = surplusBackups(all, keep);
    const kept = all.filter((backup) => !surplus.includes(backup));
    for (const { id } of surplus) {
      const path = join(this.folder, "base", id);
      await rename(path, `${path}${PARTIAL}`); // half deleted is no backup
      await rm(`${path}${PARTIAL}`, { recursive: true });
    }
    const wal = surplusWal(await namesIn(this.wal), kept);
    for (const name of wal) await rm(join(this.wal, name), { force: true });
    return { backups: surplus.map(({ id }) => id), walFiles: wal.length };
  }
}
