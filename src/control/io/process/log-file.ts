/** A task's log: an append file, never a pipe, so that a dead reader cannot stop the task. */
import { closeSync, fstatSync, mkdirSync, openSync, readSync, renameSync, statSync } from "node:fs";
import { dirname } from "node:path";

/** A log larger than this is set aside (as ".1", replacing the last) when its task starts anew. */
const ROTATE_BYTES = 64 * 1024 * 1024;

/** How much of the end is read for a tail: room for a stack trace. */
const TAIL_BYTES = 8 * 1024;

/** May hold what users typed: not for everybody. */
const LOG_MODE = 0o640;

/** A log open for appending, and how much others have left in it. */
export interface OpenLog {
  readonly file: number;
  readonly fromBytes: number;
}

/** Opens a log for appending, creating its folder; throws the system's error. The caller closes the descriptor. */
export function openLog(path: string): OpenLog {
  mkdirSync(dirname(path), { recursive: true });
  if (sizeOf(path) > ROTATE_BYTES) renameSync(path, `${path}.1`);
  const file = openSync(path, "a", LOG_MODE);
  return { file, fromBytes: fstatSync(file).size };
}

/** The last `count` lines that are not blank, oldest first, of what was written after `fromBytes`. */
export function tailOf(path: string, count: number, fromBytes = 0): string[] {
  try {
    const file = openSync(path, "r");
    try {
      return readEnd(file, fromBytes)
        .split("\n")
        .filter((line) => line.trim() !== "")
        .slice(-count);
    } finally {
      closeSync(file);
    }
  } catch {
    return [];
  }
}

function readEnd(file: number, fromBytes: number): string {
  const { size } = fstatSync(file);
  const bytes = new Uint8Array(Math.min(Math.max(0, size - fromBytes), TAIL_BYTES));
  readSync(file, bytes, 0, bytes.length, size - bytes.length);
  return new TextDecoder().decode(bytes);
}

function sizeOf(path: string): number {
  return statSync(path, { throwIfNoEntry: false })?.size ?? 0;
}
