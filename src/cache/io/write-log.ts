/**
 * The log of write-behind on the local disk: lines, each with a checksum, made durable in groups.
 *
 *   crc32c of the rest, 8 hex digits | space | JSON: {"v": version, "t": text, "k": key, "x": value} or {"d": version, "t": text}
 *
 * All appends that come while one fsync is under way share the next. A line that a crash tore is cut off at the next
 * start: nobody was told that it was accepted. When most of the file is done with, it is replaced whole by what is left.
 * Writes that were put aside go into a file beside it, ".dead". One process at a time: a ".lock" file holds its id.
 */
import { closeSync, fsyncSync, openSync, readFileSync, unlinkSync, writeSync } from "node:fs";
import { type FileHandle, open, rename, unlink } from "node:fs/promises";
import { dirname } from "node:path";
import { crc32c } from "../../base/index.ts";
import { CacheError } from "../errors.ts";
import type { WriteLog, WriteRecord } from "../write-behind.ts";

/** A file below this is not worth replacing. */
const COMPACT_BYTES = 1024 * 1024;
/** Values are of users. */
const FILE_MODE = 0o600;

interface Append {
  readonly line: string;
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

/**
 * Opens the log, and reads what was acknowledged and not applied.
 *
 * @throws Error when another process that runs has it open, or the file cannot be read or written.
 */
export async function openWriteLog(path: string): Promise<WriteLog> {
  lock(path);
  try {
    const { live, goodBytes, lastVersion } = recover(path);
    const file = await open(path, "a", FILE_MODE);
    try {
      await file.truncate(goodBytes);
      await file.datasync();
      syncFolder(path);
      return new FileWriteLog(path, file, live, { bytes: goodBytes, lastVersion });
    } catch (error) {
      await file.close();
      throw error;
    }
  } catch (error) {
    unlock(path);
    throw error;
  }
}

class FileWriteLog implements WriteLog {
  readonly recovered: readonly WriteRecord[];
  readonly #path: string;
  #file: FileHandle;
  /** Text of key -> its writes that are not settled, by version. */
  readonly #live: Map<string, Map<number, string>>;
  #liveBytes = 0;
  #bytes: number;
  #version: number;
  #queue: Append[] = [];
  #writing: Promise<void> | undefined;
  #broken: unknown;

  constructor(
    path: string,
    file: FileHandle,
    recovered: readonly WriteRecord[],
    state: { bytes: number; lastVersion: number },
  ) {
    this.#path = path;
    this.#file = file;
    this.recovered = recovered;
    this.#bytes = state.bytes;
    this.#version = state.lastVersion;
    this.#live = new Map<string, Map<number, string>>();
    for (const record of recovered) this.#keep(record, lineOf(record));
  }

  async append(write: Omit<WriteRecord, "version">): Promise<WriteRecord> {
    const record = { ...write, version: ++this.#version };
    const line = lineOf(record);
    await this.#add(line);
    this.#keep(record, line);
    return record;
  }

  settled({ text, version }: WriteRecord): void {
    const writes = this.#live.get(text);
    for (const [each, line] of writes ?? []) {
      if (each > version) continue;
      writes?.delete(each);
      this.#liveBytes -= line.length;
    }
    if (writes?.size === 0) this.#live.delete(text);
    // When this line is lost the write goes again, under the same idempotency key.
    this.#add(checked({ d: version, t: text })).catch(() => {});
  }

  async bury(record: WriteRecord, problem: string): Promise<void> {
    const { version, text, key, value } = record;
    const file = await open(`${this.#path}.dead`, "a", FILE_MODE);
    try {
      await file.write(`${JSON.stringify({ version, text, key, value, problem })}\n`);
      await file.datasync();
    } finally {
      await file.close();
    }
  }

  async close(): Promise<void> {
    while (this.#writing !== undefined) await this.#writing;
    await this.#file.close();
    unlock(this.#path);
  }

  #keep({ text, version }: WriteRecord, line: string): void {
    const writes = this.#live.get(text) ?? new Map<number, string>();
    writes.set(version, line);
    this.#live.set(text, writes);
    this.#liveBytes += line.length;
  }

  #add(line: string): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#queue.push({ line, resolve, reject });
      this.#writing ??= this.#writeAll();
    });
  }

  /** Group commit: one write and one fsync for all that waits, until nothing does. */
  async #writeAll(): Promise<void> {
    // What else comes in this turn of the event loop joins the first group.
    await Promise.resolve();
    while (this.#queue.length > 0) {
      const group = this.#queue;
      this.#queue = [];
      const failed = await this.#commit(Buffer.from(group.map(({ line }) => line).join("")));
      for (const { resolve, reject } of group) {
        if (failed === undefined) resolve();
        else reject(failed);
      }
      if (this.#bytes > COMPACT_BYTES && this.#liveBytes < this.#bytes / 4) await this.#compact();
    }
    this.#writing = undefined;
  }

  /** The error, when the bytes are not durable; then none of them stay in the file. */
  async #commit(bytes: Uint8Array): Promise<CacheError | undefined> {
    try {
      if (this.#broken !== undefined) throw this.#broken;
      for (let at = 0; at < bytes.length; ) {
        const { bytesWritten } = await this.#file.write(bytes, at);
        at += bytesWritten;
      }
    } catch (error) {
      // A full disk took a part: without the rest it must not stay.
      await this.#file.truncate(this.#bytes).catch((problem: unknown) => void (this.#broken ??= problem));
      return new CacheError("write-log-failed", this.#path, error);
    }
    try {
      await this.#file.datasync();
    } catch (error) {
      // After a failed fsync nobody knows what the disk has; the kernel may say yes the next time and mean nothing.
      this.#broken = error;
      return new CacheError("write-log-failed", this.#path, error);
    }
    this.#bytes += bytes.length;
    return undefined;
  }

  /** Replaces the file by what is live. What fails leaves the old one in place. */
  async #compact(): Promise<void> {
    const temporary = `${this.#path}.new`;
    const lines = [...this.#live.values()].flatMap((writes) => [...writes]).toSorted(([a], [b]) => a - b);
    // The last version survives even when nothing is live: versions never start anew.
    const head = checked({ d: this.#version, t: "" });
    const bytes = Buffer.from(head + lines.map(([, line]) => line).join(""));
    try {
      const file = await open(temporary, "w", FILE_MODE);
      await file.writeFile(bytes);
      await file.datasync();
      await file.close();
      await rename(temporary, this.#path);
      syncFolder(this.#path);
      const old = this.#file;
      this.#file = await open(this.#path, "a", FILE_MODE);
      this.#bytes = bytes.length;
      await old.close();
    } catch {
      await unlink(temporary).catch(() => {});
    }
  }
}

// --- lines ----------------------------------------------------------------------------------------------------

interface Line {
  readonly v?: number;
  readonly d?: number;
  readonly t: string;
  readonly k?: unknown;
  readonly x?: unknown;
}

function lineOf({ version, text, key, value }: WriteRecord): string {
  return checked({ v: version, t: text, k: key, x: value });
}

function checked(line: Line): string {
  const json = JSON.stringify(line);
  return `${crcOf(json)} ${json}\n`;
}

function crcOf(json: string): string {
  const bytes = Buffer.from(json);
  return (crc32c(bytes, 0, bytes.length) >>> 0).toString(16).padStart(8, "0");
}

/** What the file holds that was not settled, in order, and where its last whole line ends. A damaged line says nothing. */
function recover(path: string): { live: WriteRecord[]; goodBytes: number; lastVersion: number } {
  const text = readIfThere(path);
  const live = new Map<string, WriteRecord[]>();
  let lastVersion = 0;
  for (const raw of text.split("\n").slice(0, -1)) {
    const line = parseLine(raw);
    if (line === undefined) continue;
    const { v, d = 0, t, k, x } = line;
    const writes = live.get(t) ?? [];
    if (v !== undefined) live.set(t, [...writes, { version: v, text: t, key: k, value: x }]);
    else
      live.set(
        t,
        writes.filter(({ version }) => version > d),
      );
    lastVersion = Math.max(lastVersion, v ?? 0, d);
  }
  const inOrder = [...live.values()].flat().toSorted((one, other) => one.version - other.version);
  const goodBytes = Buffer.byteLength(text.slice(0, text.lastIndexOf("\n") + 1));
  return { live: inOrder, goodBytes, lastVersion };
}

function readIfThere(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return "";
    throw error;
  }
}

function parseLine(raw: string): Line | undefined {
  const json = raw.slice(9);
  if (raw[8] !== " " || crcOf(json) !== raw.slice(0, 8)) return undefined;
  return JSON.parse(json) as Line;
}

// --- files ----------------------------------------------------------------------------------------------------

function syncFolder(path: string): void {
  const folder = openSync(dirname(path), "r");
  fsyncSync(folder);
  closeSync(folder);
}

/** Logs that this process has open. */
const openHere = new Set<string>();

/** Takes the lock. One whose process is gone does not count, nor one with our own id from before a restart. */
function lock(path: string): void {
  const file = `${path}.lock`;
  if (openHere.has(file)) throw new Error(`${path} is open already: close it first, or use another`);
  for (let attempt = 0; attempt < 2; attempt++) {
    try {
      const handle = openSync(file, "wx", FILE_MODE);
      writeSync(handle, String(process.pid));
      closeSync(handle);
      openHere.add(file);
      return;
    } catch (error) {
      if (!(error instanceof Error && "code" in error && error.code === "EEXIST")) throw error;
      const owner = Number(readIfThere(file));
      if (owner !== process.pid && isRunning(owner)) {
        throw new Error(`${path} is open in process ${owner}: give each process a log of its own`, {
          cause: error,
        });
      }
      unlinkSync(file);
    }
  }
}

function unlock(path: string): void {
  const file = `${path}.lock`;
  openHere.delete(file);
  try {
    unlinkSync(file);
  } catch {} // somebody removed it: there is nothing to give back
}

function isRunning(pid: number): boolean {
  if (!Number.isInteger(pid) || pid <= 0) return false;
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error instanceof Error && "code" in error && error.code === "EPERM";
  }
}
