/**
 * The scoreboard as a file that workers and controller map into their memory.
 *
 * All its bytes are written once before it is mapped: a hole in a mapped file would kill the process that first
 * touches it on a full disk.
 */
import { existsSync, renameSync, statSync, writeFileSync } from "node:fs";
import { formatScoreboard, Scoreboard, scoreboardBytes } from "../scoreboard.ts";

/** Opens the scoreboard at `path`, making a fresh one when there is none or it is of another layout. */
export function openScoreboard(path: string, columns: number): Scoreboard {
  if (existsSync(path)) {
    try {
      return mapScoreboard(path);
    } catch {
      // Of another version: nobody who runs now can be reading it, since they would have refused it too.
    }
  }
  const block = new Uint8Array(scoreboardBytes(columns));
  formatScoreboard(block, columns);
  const fresh = `${path}.new`;
  writeFileSync(fresh, block, { mode: 0o600 });
  renameSync(fresh, path);
  return mapScoreboard(path);
}

/** Maps an existing scoreboard. Throws when it is missing or not one. */
export function mapScoreboard(path: string): Scoreboard {
  if (statSync(path).size === 0) throw new Error(`scoreboard: ${path} is empty`);
  return new Scoreboard(Bun.mmap(path, { shared: true }));
}
