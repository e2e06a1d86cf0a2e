/** Reads a store's files: the newest snapshot, then every log from its number on. */
import {
  closeSync,
  fdatasyncSync,
  openSync,
  readdirSync,
  readSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { latin1, RequestReader } from "../../resp/index.ts";
import { User } from "../acl.ts";
import { RECORD_HEAD_BYTES, readRecord } from "../log/record.ts";
import { Session } from "../session.ts";
import type { Store } from "../store.ts";
import { SNAPSHOT_END } from "./snapshot-writer.ts";

/** What a store holds may be secret: for its owner alone. */
export const FILE_MODE = 0o600;

/** Read at once. */
const CHUNK_BYTES = 4 * 1024 * 1024;

/** Where snapshot and log of a generation are. */
export const snapshotPath = (folder: string, generation: number): string =>
  join(folder, `snapshot-${generation}`);
export const logPath = (folder: string, generation: number): string => join(folder, `log-${generation}`);

/** What was found. */
export interface LoadReport {
  /** Number of the newest log, the one to go on with. */
  readonly generation: number;
  /** Bytes of that log that are whole. */
  readonly logBytes: number;
  /** Bytes of all files together. */
  readonly bytes: number;
  readonly requests: number;
  /** Bytes that were cut off the end of the newest log: the last write of a crash, or damage. */
  readonly lostBytes: number;
  /** Where damaged bytes were put aside; undefined for a write that a crash broke off. */
  readonly damagedPath: string | undefined;
}

/** Files that cannot be read as a store. */
export class DamagedStoreError extends Error {
  override readonly name = "DamagedStoreError";
}

/** Reads everything in `folder` into an empty store. Throws a `DamagedStoreError` where going on would lose data unsaid. */
export function loadFiles(store: Store, folder: string): LoadReport {
  const names = readdirSync(folder);
  for (const name of names) if (name.endsWith(".part")) rmSync(join(folder, name), { force: true });
  const snapshots = numbered(names, /^snapshot-(\d+)$/);
  const base = snapshots.at(-1) ?? 0;
  const logs = numbered(names, /^log-(\d+)$/).filter((generation) => generation >= base);
  const loader = new Loader(store);
  let bytes = 0;
  if (base > 0) bytes += readSnapshot(loader, snapshotPath(folder, base));
  const generation = Math.max(base, logs.at(-1) ?? 0);
  let last: FileRead = { goodBytes: 0, lostBytes: 0, isCorrupt: false };
  for (const number of logs) {
    const path = logPath(folder, number);
    last = loader.read(path);
    bytes += last.goodBytes;
    if (last.lostBytes > 0 && number !== generation) throw damaged(path, last.goodBytes);
  }
  loader.end();
  const path = logPath(folder, generation);
  const damagedPath = last.isCorrupt ? putAside(path, last.goodBytes) : undefined;
  removeOlder(folder, base);
  const isThere = logs.at(-1) === generation;
  return {
    generation,
    logBytes: isThere ? last.goodBytes : 0,
    bytes,
    requests: loader.requests,
    lostBytes: last.lostBytes,
    damagedPath,
  };
}

function readSnapshot(loader: Loader, path: string): number {
  const { goodBytes, lostBytes } = loader.read(path);
  if (lostBytes > 0 || !loader.sawEnd) throw damaged(path, goodBytes);
  return goodBytes;
}

function damaged(path: string, at: number): DamagedStoreError {
  return new DamagedStoreError(
    `${path} is damaged at byte ${at}: put back a copy of its folder, or move the file away and lose what it held`,
  );
}

function numbered(names: readonly string[], pattern: RegExp): number[] {
  const found = names.flatMap((name) => {
    const number = pattern.exec(name)?.[1];
    return number === undefined ? [] : [Number(number)];
  });
  return found.toSorted((a, b) => a - b);
}

/** Keeps what follows the last whole record, for whoever wants to look. */
function putAside(path: string, from: number): string {
  const file = openSync(path, "r");
  const bytes = new Uint8Array(statSync(path).size - from);
  readSync(file, bytes, 0, bytes.length, from);
  closeSync(file);
  writeFileSync(`${path}.damaged`, bytes, { mode: FILE_MODE });
  return `${path}.damaged`;
}

/** Removes the files that a snapshot of `generation` replaces. */
export function removeOlder(folder: string, generation: number): void {
  for (const name of readdirSync(folder)) {
    const number = /^(?:snapshot|log)-(\d+)$/.exec(name)?.[1];
    if (number !== undefined && Number(number) < generation) rmSync(join(folder, name), { force: true });
  }
}

/** Makes names in a folder as durable as the files. */
export function syncFolder(folder: string): void {
  const file = openSync(folder, "r");
  try {
    fdatasyncSync(file);
  } finally {
    closeSync(file);
  }
}

interface FileRead {
  readonly goodBytes: number;
  readonly lostBytes: number;
  readonly isCorrupt: boolean;
}

/** Runs what files say. Time stands still meanwhile, at a moment before all expiries: what has expired is in the log. */
class Loader {
  requests = 0;
  sawEnd = false;
  readonly #store: Store;
  readonly #session: Session;
  readonly #reader = new RequestReader({
    argumentsMax: 2 ** 21,
    argumentBytesMax: 2 ** 30,
    requestBytesMax: 2 ** 31,
  });
  readonly #memoryMax: number;

  constructor(store: Store) {
    this.#store = store;
    this.#session = new Session(0, NOBODY, "", 0);
    const user = new User("loader");
    Object.assign(user, { enabled: true, allCommands: true, allKeys: true, allChannels: true });
    this.#session.user = user;
    this.#memoryMax = store.settings.maxMemoryBytes;
    store.settings.maxMemoryBytes = 0;
    store.ground.nowMs = 0;
    store.ground.expiryPaused = true;
  }

  end(): void {
    const { settings, ground } = this.#store;
    settings.maxMemoryBytes = this.#memoryMax;
    ground.expiryPaused = false;
    this.#store.processed = 0;
    this.#store.tick();
  }

  read(path: string): FileRead {
    const file = openSync(path, "r");
    try {
      return this.#readFile(file, statSync(path).size);
    } finally {
      closeSync(file);
    }
  }

  #readFile(file: number, size: number): FileRead {
    let chunk: Uint8Array = new Uint8Array(CHUNK_BYTES);
    let goodBytes = 0;
    let have = 0;
    let at = 0;
    while (goodBytes < size) {
      const outcome = readRecord(chunk, at, have);
      if (outcome.kind === "corrupt") return { goodBytes, lostBytes: size - goodBytes, isCorrupt: true };
      if (outcome.kind === "record") {
        this.#run(chunk, outcome.start, outcome.end);
        goodBytes += outcome.end - at;
        at = outcome.end;
        continue;
      }
      if (goodBytes + outcome.bytes > size)
        return { goodBytes, lostBytes: size - goodBytes, isCorrupt: false };
      const rest = chunk.subarray(at, have);
      const larger = outcome.bytes > chunk.length ? new Uint8Array(outcome.bytes + RECORD_HEAD_BYTES) : chunk;
      if (larger === chunk) chunk.copyWithin(0, at, have);
      else larger.set(rest);
      chunk = larger;
      have =
        rest.length + readSync(file, chunk, rest.length, chunk.length - rest.length, goodBytes + rest.length);
      at = 0;
    }
    return { goodBytes, lostBytes: 0, isCorrupt: false };
  }

  #run(bytes: Uint8Array, start: number, end: number): void {
    const { out } = this.#store.parts;
    const reader = this.#reader;
    reader.push(bytes, start, end);
    while (reader.next() === "request") {
      this.requests++;
      if (latin1(reader.bytes, reader.starts[0] ?? 0, reader.ends[0] ?? 0) === SNAPSHOT_END)
        this.sawEnd = true;
      else this.#store.execute(this.#session, reader);
      out.clear();
    }
  }
}

const NOBODY: Session["sink"] = { send: () => {}, close: () => {}, resume: () => {}, unsentBytes: 0 };
