/** Files that several processes map: made without holes, written to disk, and known to be of this boot or not. */
import {
  closeSync,
  fsyncSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeSync,
} from "node:fs";

/** Bytes written at once when a file is made. */
const CHUNK_BYTES = 8 << 20;
/** Words of the kernel's id of a boot. */
const BOOT_ID_WORDS = 4;

/** Maps a file, shared. Throws when it is missing or empty. */
export function mapFile(path: string): Uint8Array {
  if (statSync(path).size === 0) throw new Error(`edge store: ${path} is empty`);
  return Bun.mmap(path, { shared: true });
}

/** Makes a file of `bytes` bytes, all of them on the disk, lets `fill` write into it, and puts it at `path`. */
export function createMapped(path: string, bytes: number, fill: (block: Uint8Array) => void): void {
  const fresh = `${path}.new`;
  const file = openSync(fresh, "w", 0o600);
  try {
    const zeros = new Uint8Array(Math.min(bytes, CHUNK_BYTES));
    for (let at = 0; at < bytes; at += zeros.length)
      writeAll(file, zeros.subarray(0, Math.min(zeros.length, bytes - at)));
  } catch (error) {
    rmSync(fresh);
    throw new Error(`edge store: no room for ${bytes} bytes at ${path}`, { cause: error });
  } finally {
    closeSync(file);
  }
  fill(mapFile(fresh));
  renameSync(fresh, path);
}

function writeAll(file: number, bytes: Uint8Array): void {
  for (let at = 0; at < bytes.length; ) at += writeSync(file, bytes, at);
}

/** Writes what was changed of a file, by whomever and however, to the disk. */
export function syncFile(path: string): void {
  const file = openSync(path, "r+");
  fsyncSync(file);
  closeSync(file);
}

/** The kernel's id of this boot; zeros, which equal nothing, where there is none. */
export function bootId(): Int32Array {
  const words = new Int32Array(BOOT_ID_WORDS);
  try {
    const digits = readFileSync("/proc/sys/kernel/random/boot_id", "utf8").replaceAll("-", "");
    for (let at = 0; at < BOOT_ID_WORDS; at++)
      words[at] = Number.parseInt(digits.slice(at * 8, at * 8 + 8), 16);
  } catch {
    // Not Linux: every start is taken for the first after a crash, unless the file was sealed.
  }
  return words;
}

/** Whether the id at word `at` is that of this boot. */
export function isOfThisBoot(words: Int32Array, at: number): boolean {
  return bootId().some((word, index) => word !== 0 && words[at + index] === word);
}
