/**
 * Appending lines to a file off the hot path: access logs.
 *
 * A line is only collected; a batch goes out in one write when it reaches 64 KiB or is 200 ms old, with at most one
 * write under way. The file is never a reason to slow down or to grow: beyond 8 MiB of waiting lines, or when a write
 * fails, lines are dropped and counted by reason.
 */
import { closeSync, openSync, write } from "node:fs";
import type { Cancel, Scheduler } from "../scheduler.ts";

/** One write of this many characters costs the kernel about as little per byte as a larger one. */
const BATCH_CHARS = 64 * 1024;
/** Someone who follows the log sees a line this late at most. */
const FLUSH_INTERVAL_MS = 200;
/** Waiting lines: half a second of 100,000 lines of 160 characters; a disk that is behind by more will not catch up. */
const WAITING_CHARS_MAX = 8 * 1024 * 1024;

/** No descriptor has this number. */
const NO_FILE = -1;

/** Owner and group read: access logs hold addresses of people. */
const FILE_MODE = 0o640;

/** What an appender is made of. */
export interface AppenderOptions {
  /** The file; made when there is none, appended to when there is. */
  readonly path: string;
  /** Brings the flush of a batch that does not fill up. */
  readonly scheduler: Scheduler;
}

/** What became of the lines. */
export interface AppenderStats {
  readonly writtenBytes: number;
  readonly dropped: {
    /** Lines that came while 8 MiB were waiting. */
    readonly bufferFull: number;
    /** Lines of batches whose write failed; the first of them may have reached the file. */
    readonly writeFailed: number;
    /** Lines that came after `close`. */
    readonly closed: number;
  };
  /** The last failure: "ENOSPC: no space left on device, write". */
  readonly lastProblem: string | undefined;
}

/** One file that lines are appended to. */
export class BatchedAppender {
  readonly #path: string;
  readonly #scheduler: Scheduler;
  #file: number;
  #lines: string[] = [];
  #waitingChars = 0;
  #underWayChars = 0;
  #underWay: Promise<void> | undefined;
  #cancelFlush: Cancel | undefined;
  #reopenWanted = false;
  #endsInsideLine = false;
  #closing: Promise<void> | undefined;
  #writtenBytes = 0;
  #dropped = { bufferFull: 0, writeFailed: 0, closed: 0 };
  #lastProblem: string | undefined;

  /** Opens the file, which is made when there is none. Throws the system's error when that fails. */
  constructor(options: AppenderOptions) {
    this.#path = options.path;
    this.#scheduler = options.scheduler;
    this.#file = openSync(options.path, "a", FILE_MODE);
  }

  /** Takes one line, newline included. Never waits and never throws; O(1). */
  append(line: string): void {
    if (this.#closing !== undefined) {
      this.#dropped.closed++;
    } else if (this.#waitingChars + this.#underWayChars + line.length > WAITING_CHARS_MAX) {
      this.#dropped.bufferFull++;
    } else {
      this.#lines.push(line);
      this.#waitingChars += line.length;
      this.#arrangeFlush();
    }
  }

  /** Writes out all lines taken so far; resolves when they are written or dropped. */
  async flush(): Promise<void> {
    await this.#underWay;
    // When that one was over a next batch may have begun by itself; a batch takes all that waits, so one is enough.
    if (this.#lines.length > 0 || this.#underWay !== undefined) await this.#start();
  }

  /** Lets go of a file that was moved away (log rotation) and goes on in a new one of the same name. */
  reopen(): void {
    this.#reopenWanted = true;
    if (this.#underWay === undefined) this.#reopenIfWanted();
  }

  /** Writes out what waits and closes the file. Later lines are dropped. */
  close(): Promise<void> {
    this.#closing ??= this.#finish();
    return this.#closing;
  }

  /** Counts since the file was first opened. */
  stats(): AppenderStats {
    return {
      writtenBytes: this.#writtenBytes,
      dropped: { ...this.#dropped },
      lastProblem: this.#lastProblem,
    };
  }

  async #finish(): Promise<void> {
    await this.flush();
    closeSync(this.#file);
    this.#file = NO_FILE;
  }

  #arrangeFlush(): void {
    if (this.#underWay !== undefined) return;
    if (this.#waitingChars >= BATCH_CHARS) {
      void this.#start();
    } else {
      this.#cancelFlush ??= this.#scheduler.after(FLUSH_INTERVAL_MS, () => void this.#start());
    }
  }

  #start(): Promise<void> {
    this.#cancelFlush?.();
    this.#cancelFlush = undefined;
    this.#underWay ??= this.#writeBatch();
    return this.#underWay;
  }

  async #writeBatch(): Promise<void> {
    const lines = this.#lines;
    this.#underWayChars = this.#waitingChars;
    this.#lines = [];
    this.#waitingChars = 0;
    // A batch that failed halfway left a torn line; the newline keeps it from swallowing the next one.
    const batch = Buffer.from((this.#endsInsideLine ? "\n" : "") + lines.join(""));
    try {
      await this.#writeAll(batch);
    } catch (problem) {
      this.#dropped.writeFailed += lines.length;
      this.#lastProblem = messageOf(problem);
    }
    this.#underWayChars = 0;
    this.#underWay = undefined;
    this.#reopenIfWanted();
    if (this.#lines.length > 0) this.#arrangeFlush();
  }

  async #writeAll(bytes: Uint8Array): Promise<void> {
    for (let at = 0; at < bytes.length; ) {
      const written = await appendSome(this.#file, bytes.subarray(at));
      at += written;
      this.#writtenBytes += written;
      this.#endsInsideLine = bytes[at - 1] !== 0x0a;
    }
  }

  /** When the new file cannot be opened, the old one goes on: a line in the wrong file beats a lost one. */
  #reopenIfWanted(): void {
    if (!this.#reopenWanted || this.#file === NO_FILE) return;
    this.#reopenWanted = false;
    try {
      const file = openSync(this.#path, "a", FILE_MODE);
      closeSync(this.#file);
      this.#file = file;
      this.#endsInsideLine = false;
    } catch (problem) {
      this.#lastProblem = messageOf(problem);
    }
  }
}

function messageOf(problem: unknown): string {
  return problem instanceof Error ? problem.message : String(problem);
}

/** One write; the kernel may take less than all. */
function appendSome(file: number, bytes: Uint8Array): Promise<number> {
  return new Promise((resolve, reject) => {
    write(file, bytes, (problem, written) => (problem === null ? resolve(written) : reject(problem)));
  });
}
