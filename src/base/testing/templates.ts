/**
 * Folders that take long to make (what `initdb` makes), made once for all files of a run of `npm test`, and copied. They stay in the folder
 * for temporary files, which such a run has for itself.
 */
import { spawnSync } from "node:child_process";
import { chmodSync, existsSync, mkdirSync, mkdtempSync, renameSync, rmSync } from "node:fs";
import { tmpdir, userInfo } from "node:os";
import { join } from "node:path";

function root(): string {
  const folder = join(tmpdir(), `tenfold-templates-${userInfo().uid}`);
  mkdirSync(folder, { recursive: true, mode: 0o755 }); // servers run as another user
  return folder;
}

/** Copies the folder `name` to `to`, which is not there yet. `make` makes it where it is told to, if nobody has. */
export async function copyTemplate(
  name: string,
  make: (folder: string) => Promise<void> | void,
  to: string,
): Promise<void> {
  const path = join(root(), name);
  if (!existsSync(path)) {
    const made = mkdtempSync(`${path}-`);
    chmodSync(made, 0o755);
    await make(join(made, "made"));
    // Of two processes that make it at the same time one is first.
    if (!existsSync(path)) renameSync(join(made, "made"), path);
    rmSync(made, { recursive: true, force: true });
  }
  const { status, stderr } = spawnSync("cp", ["-a", path, to]);
  if (status !== 0) throw new Error(`${path} cannot be copied: ${String(stderr)}`);
}
