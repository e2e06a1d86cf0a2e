/** Disks that are soon full: file systems in memory. Only root may mount them. */
import { afterEach } from "bun:test";
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const mounts: string[] = [];

afterEach(() => {
  for (const folder of mounts.splice(0)) spawnSync("umount", ["-l", folder]);
});

/** Makes a folder a disk of so many bytes until the end of the test. */
export function smallDisk(folder: string, bytes: number): void {
  const { status } = spawnSync("mount", ["-t", "tmpfs", "-o", `size=${bytes},mode=755`, "tmpfs", folder]);
  if (status !== 0) throw new Error("no tmpfs can be mounted here");
  mounts.push(folder);
}

/** Whether that can be done here. */
export const CAN_MOUNT: boolean = canMount();

function canMount(): boolean {
  const folder = mkdtempSync(join(tmpdir(), "tenfold-mount-"));
  const isMounted = spawnSync("mount", ["-t", "tmpfs", "tmpfs", folder]).status === 0;
  if (isMounted) spawnSync("umount", [folder]);
  rmSync(folder, { recursive: true });
  return isMounted;
}
