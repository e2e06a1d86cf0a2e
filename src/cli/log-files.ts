/**
 * The logs of tasks, read from the state directory: their ends, and what is added from then on.
 *
 * `logs/SERVICE/N.log` is what task SERVICE/N prints. Files only grow, but for one that its task found too large when
 * it started: that one begins anew. No controller is needed to read them.
 */
import { closeSync, openSync, readdirSync, readSync, statSync } from "node:fs";
import { basename, join } from "node:path";

/** One line of one task. */
export interface LogLine {
  /** "web/3". */
  readonly task: string;
  readonly text: string;
}

/** A task's log. */
export interface LogFile {
  readonly task: string;
  readonly path: string;
}

/** Read at once from one file; a task that prints more within a poll is read on at the next one. */
const CHUNK_BYTES = 256 * 1024;

/** How far back the end of a log is looked for: thousands of lines. */
const TAIL_BYTES_MAX = 4 * 1024 * 1024;

const SUFFIX = ".log";

/** The logs below `logs/service`, the oldest task first. Empty when the service never ran. */
export function logFilesOf(stateDirectory: string, service: string): LogFile[] {
  const folder = join(stateDirectory, "logs", service);
  return entriesOf(folder)
    .filter((name) => name.endsWith(SUFFIX))
    .toSorted((a, b) => a.localeCompare(b, "en", { numeric: true }))
    .map((name) => ({ task: `${service}/${basename(name, SUFFIX)}`, path: join(folder, name) }));
}

/** Names that `logs` takes: services, and "gateway" for its workers. */
export function loggedServices(stateDirectory: string): string[] {
  const folder = join(stateDirectory, "logs");
  return entriesOf(folder).filter((name) => statSync(join(folder, name)).isDirectory());
}

/** When something was last written there, milliseconds since the epoch. */
export function writtenMs({ path }: LogFile): number {
  return statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? 0;
}

/** Reads one log: its last lines, then what comes. */
export class LogReader {
  readonly #file: LogFile;
  #offset = 0;
  /** A line whose end has not been written yet. */
  #partial = "";
  #decoder = new TextDecoder();

  constructor(file: LogFile) {
    this.#file = file;
  }

  /** The last `count` lines; `next` goes on behind them. */
  tail(count: number): LogLine[] {
    const size = sizeOf(this.#file.path);
    this.#offset = Math.max(0, size - TAIL_BYTES_MAX);
    const isWhole = this.#offset === 0;
    const lines: LogLine[] = [];
    while (this.#offset < size) lines.push(...this.next());
    const complete = isWhole ? lines : lines.slice(1);
    return count === 0 ? [] : complete.slice(-count);
  }

  /** Lines written since the last call. */
  next(): LogLine[] {
    if (sizeOf(this.#file.path) < this.#offset) this.#restart();
    const bytes = readAt(this.#file.path, this.#offset);
    this.#offset += bytes.length;
    const lines = (this.#partial + this.#decoder.decode(bytes, { stream: true })).split("\n");
    this.#partial = lines.pop() ?? "";
    return lines.map((text) => ({ task: this.#file.task, text }));
  }

  #restart(): void {
    this.#offset = 0;
    this.#partial = "";
    this.#decoder = new TextDecoder();
  }
}

/** Reads all logs of some services, those of tasks that start later too. */
export class LogFollower {
  readonly #list: () => readonly LogFile[];
  readonly #readers = new Map<string, LogReader>();

  /** `list` says which files there are by now. */
  constructor(list: () => readonly LogFile[]) {
    this.#list = list;
  }

  /** The last lines of each file there is now. */
  tail(count: number): LogLine[] {
    return this.#list().flatMap((file) => this.#readerOf(file).tail(count));
  }

  /** Lines written since the last call; of a new file, all. */
  next(): LogLine[] {
    return this.#list().flatMap((file) => this.#readerOf(file).next());
  }

  #readerOf(file: LogFile): LogReader {
    const known = this.#readers.get(file.path);
    if (known !== undefined) return known;
    const reader = new LogReader(file);
    this.#readers.set(file.path, reader);
    return reader;
  }
}

function entriesOf(folder: string): string[] {
  return statSync(folder, { throwIfNoEntry: false })?.isDirectory() ? readdirSync(folder) : [];
}

function sizeOf(path: string): number {
  return statSync(path, { throwIfNoEntry: false })?.size ?? 0;
}

/** Up to `CHUNK_BYTES` from `offset`; nothing when the file is gone. */
function readAt(path: string, offset: number): Uint8Array {
  if (sizeOf(path) <= offset) return new Uint8Array(0);
  const file = openSync(path, "r");
  try {
    const bytes = new Uint8Array(CHUNK_BYTES);
    return bytes.subarray(0, readSync(file, bytes, 0, bytes.length, offset));
  } finally {
    closeSync(file);
  }
}
