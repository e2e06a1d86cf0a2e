/**
 * The cache's disk tier as the controller sees it: prepared before any worker maps the store, joined for purges and figures,
 * and sealed when all is down.
 *
 * Workers join what the link in the state directory leads to, whatever a config says: those who share a store share the tier
 * below it, or have none. The link is also the memory of the last run: where there was none, nobody noted purges.
 */
import { readlinkSync, rmSync, symlinkSync } from "node:fs";
import type { Log } from "../base/index.ts";
import type { CacheDiskConfig } from "../config/index.ts";
import type { DiskOff, Store } from "../edge/index.ts";
import { DiskTier, joinDiskTier, prepareDiskTier, removeDiskTier, sealDiskTier } from "../edge/io/index.ts";
import type { StateDirectory } from "./state-directory.ts";

/** What to do about a tier that cannot be opened or written. */
export const DISK_MENDS: Readonly<Record<DiskOff, string>> = {
  "disk-full": "free space for gateway.cache.disk, or make it smaller",
  unwritable:
    "let this user write the folder of gateway.cache.disk, or name another; then `tenfold down` and `tenfold up`",
  "io-error": "look at the disk that gateway.cache.disk is on (`dmesg`)",
};

/** What lies where. */
export interface CacheDiskOptions {
  readonly directory: Pick<StateDirectory, "cacheDisk" | "cacheDiskLink">;
  readonly store: Store;
  /** Columns of workers; the controller has the one behind them. */
  readonly columns: number;
  readonly log: Log;
}

/** Prepares what `config` wants below a store that nobody else has opened; what a run before had elsewhere is removed. */
export function openCacheDisk(
  config: CacheDiskConfig | undefined,
  options: CacheDiskOptions,
): DiskTier | undefined {
  const { directory, log } = options;
  const before = linkedFolder(directory.cacheDiskLink);
  const folder = config === undefined ? undefined : (config.folder ?? directory.cacheDisk);
  try {
    // Before anything else: no worker may join a tier that is not ready.
    rmSync(directory.cacheDiskLink, { force: true });
    if (before !== undefined && before !== folder) remove(before, log);
    if (config === undefined || folder === undefined) return undefined;
    const { store, columns } = options;
    const space = { bytes: config.sizeBytes, workers: columns + 1 };
    const off = prepareDiskTier({ ...space, folder, store, isContinued: before === folder });
    if (off !== undefined) return unavailable(off, folder, log);
    symlinkSync(folder, directory.cacheDiskLink);
    return join(folder, options);
  } catch (error) {
    log.error("cache-disk-unavailable", {
      folder,
      error: String(error),
      mend: "make gateway.cache.disk larger",
    });
    return undefined;
  }
}

/** Joins the tier below a store that workers use. */
export function joinCacheDisk(options: CacheDiskOptions): DiskTier | undefined {
  const folder = linkedFolder(options.directory.cacheDiskLink);
  return folder === undefined ? undefined : join(folder, options);
}

/** Once nobody uses the tier any more: what is on disk is believed after a restart of the machine. */
export async function sealCacheDisk(tier: DiskTier, link: string, log: Log): Promise<void> {
  await tier.stop();
  try {
    sealDiskTier(link);
  } catch (error) {
    log.warn("cache-disk-unsealed", {
      error: String(error),
      note: "after a restart of the machine it is read through",
    });
  }
}

/** Where a link leads; undefined when there is none. */
export function linkedFolder(link: string): string | undefined {
  try {
    return readlinkSync(link);
  } catch {
    return undefined;
  }
}

function join(folder: string, { store, columns, log }: CacheDiskOptions): DiskTier | undefined {
  const tier = joinDiskTier({ folder, store, worker: columns });
  return tier instanceof DiskTier ? tier : unavailable(tier, folder, log);
}

function unavailable(reason: DiskOff, folder: string, log: Log): undefined {
  const note = "responses are kept in memory alone";
  log.error("cache-disk-unavailable", { folder, reason, note, mend: DISK_MENDS[reason] });
}

function remove(folder: string, log: Log): void {
  try {
    removeDiskTier(folder);
  } catch (error) {
    log.warn("cache-disk-left", { folder, error: String(error), mend: "remove it by hand" });
  }
}
