/**
 * The log that a witness has: segments on disk, written in order and synced, of the newest timeline that it was told of.
 *
 *   open() -> startOn(timeline, lsn) -> write() … sync() -> … close()
 *
 * Where it ends is read from the files themselves, so that it can be killed at any moment: what it has acknowledged was synced before.
 */
import { closeSync, openSync, readSync } from "node:fs";
import { type FileHandle, mkdir, open, rm } from "node:fs/promises";
import { join } from "node:path";
import type { Lsn } from "../../../pgwire/index.ts";
import type { TimelinePosition } from "../../timeline.ts";
import { parseSegmentName, SEGMENT_BYTES, segmentName, segmentOf, segmentStart } from "../../wal-file.ts";
import { firstRecord, scanWal, WAL_PAGE_BYTES } from "../../wal-scan.ts";
import { namesIn } from "../server/owner.ts";

/** Only the owner may read what users wrote. */
const PRIVATE_FILE = 0o600;
const PRIVATE_FOLDER = 0o700;

export class ReceivedLog {
  readonly #folder: string;
  readonly #keepSegments: number;
  #timeline = 0;
  /** Where it begins; all from there to `#flushed` is here. */
  #begin: Lsn = 0n;
  #written: Lsn = 0n;
  #flushed: Lsn = 0n;
  #file: FileHandle | undefined;
  #fileNumber = -1n;
  #reading: { readonly name: string; readonly fd: number } | undefined;

  private constructor(folder: string, keepSegments: number) {
    this.#folder = folder;
    this.#keepSegments = keepSegments;
  }

  /** Opens a folder, made when it is not there; older segments than the last `keepSegments` are deleted as new ones come. */
  static async open(folder: string, keepSegments: number): Promise<ReceivedLog> {
    await mkdir(folder, { recursive: true, mode: PRIVATE_FOLDER });
    const log = new ReceivedLog(folder, keepSegments);
    await log.#find();
    return log;
  }

  /** How far what is synced reaches; timeline 0 when there is nothing. */
  get position(): TimelinePosition {
    return { timeline: this.#timeline, lsn: this.#flushed };
  }

  /** Where it begins. */
  get begin(): Lsn {
    return this.#begin;
  }

  /**
   * Prepares to be written from `from` on, a segment's beginning. On the same timeline the same bytes come again up to where the log
   * ends, and what was synced stays so. On another one it begins anew: all that counts of the old one is in the new one's primary.
   */
  async startOn(timeline: number, from: Lsn): Promise<void> {
    await this.#closeFile();
    this.#closeReading();
    if (timeline !== this.#timeline || from > this.#flushed || from < this.#begin) {
      this.#begin = from;
      this.#flushed = from;
    }
    this.#timeline = timeline;
    this.#written = from;
  }

  /** Holds nothing any more: what follows could not be had. */
  async forget(): Promise<void> {
    await this.startOn(0, 0n);
  }

  /** Writes what comes next. Throws what the disk says; nothing of it counts before `sync`. */
  async write(at: Lsn, bytes: Uint8Array): Promise<void> {
    if (at !== this.#written) throw new RangeError(`log at ${at} where ${this.#written} comes next`);
    for (let done = 0; done < bytes.length; ) {
      const lsn = at + BigInt(done);
      const file = await this.#segment(segmentOf(lsn));
      const offset = Number(lsn - segmentStart(segmentOf(lsn)));
      const length = Math.min(bytes.length - done, SEGMENT_BYTES - offset);
      const { bytesWritten } = await file.write(bytes, done, length, offset);
      done += bytesWritten;
    }
    this.#written = at + BigInt(bytes.length);
  }

  /** Makes what was written durable. */
  async sync(): Promise<void> {
    await this.#file?.datasync();
    if (this.#written > this.#flushed) this.#flushed = this.#written;
  }

  /** Reads synced bytes at `at`, which is not before `begin`, into `into`, within one segment; how many. */
  read(at: Lsn, into: Uint8Array): number {
    const start = segmentStart(segmentOf(at));
    const segmentEnd = start + BigInt(SEGMENT_BYTES);
    const end = this.#flushed < segmentEnd ? this.#flushed : segmentEnd;
    const length = Math.min(into.length, Number(end - at));
    return length <= 0 ? 0 : readSync(this.#fileOf(at), into, 0, length, Number(at - start));
  }

  async close(): Promise<void> {
    await this.#closeFile();
    this.#closeReading();
  }

  /** Finds the newest timeline's last run of segments, and where the last whole record in them ends. */
  async #find(): Promise<void> {
    const names = await namesIn(this.#folder);
    const found = names.flatMap((name) => parseSegmentName(name) ?? []);
    this.#timeline = found.reduce((newest, { timeline }) => Math.max(newest, timeline), 0);
    const numbers = found.filter(({ timeline }) => timeline === this.#timeline).map(({ number }) => number);
    const last = numbers.reduce((newest, number) => (number > newest ? number : newest), -1n);
    if (last < 0n) return;
    let first = last;
    while (numbers.includes(first - 1n)) first -= 1n;
    this.#begin = segmentStart(first);
    this.#flushed = this.#endFrom(first, last);
    this.#written = this.#flushed;
    this.#closeReading();
  }

  #endFrom(first: bigint, last: bigint): Lsn {
    for (let number = last; number >= first; number -= 1n) {
      const from = firstRecord(this.#readPage, segmentStart(number), this.#timeline);
      const { end, records } =
        from === undefined ? { end: 0n, records: 0 } : scanWal(this.#readPage, from, this.#timeline);
      if (records > 0) return end;
    }
    return segmentStart(first);
  }

  readonly #readPage = (at: Lsn): Uint8Array | undefined => {
    // The last page may be begun and not ended: what is missing is zeros, which are no record.
    const page = new Uint8Array(WAL_PAGE_BYTES);
    try {
      const offset = Number(at - segmentStart(segmentOf(at)));
      return readSync(this.#fileOf(at), page, 0, WAL_PAGE_BYTES, offset) === 0 ? undefined : page;
    } catch {
      return undefined;
    }
  };

  /** The segment that is read from, open; throws when it is not there. */
  #fileOf(at: Lsn): number {
    const name = segmentName({ timeline: this.#timeline, number: segmentOf(at) });
    if (this.#reading?.name === name) return this.#reading.fd;
    this.#closeReading();
    const fd = openSync(join(this.#folder, name), "r");
    this.#reading = { name, fd };
    return fd;
  }

  async #segment(number: bigint): Promise<FileHandle> {
    if (this.#file !== undefined && number === this.#fileNumber) return this.#file;
    await this.#file?.datasync();
    await this.#closeFile();
    const path = join(this.#folder, segmentName({ timeline: this.#timeline, number }));
    const file = await open(path, "r+").catch(() => open(path, "w+", PRIVATE_FILE));
    this.#file = file;
    this.#fileNumber = number;
    await syncFolder(this.#folder);
    await this.#forgetBefore(number - BigInt(this.#keepSegments) + 1n);
    return file;
  }

  /** Deletes what is older, of every timeline. */
  async #forgetBefore(oldest: bigint): Promise<void> {
    for (const name of await namesIn(this.#folder)) {
      const segment = parseSegmentName(name);
      if (segment !== undefined && segment.number < oldest)
        await rm(join(this.#folder, name), { force: true });
    }
    if (this.#begin < segmentStart(oldest)) this.#begin = segmentStart(oldest);
  }

  async #closeFile(): Promise<void> {
    const file = this.#file;
    this.#file = undefined;
    this.#fileNumber = -1n;
    await file?.close();
  }

  #closeReading(): void {
    if (this.#reading !== undefined) closeSync(this.#reading.fd);
    this.#reading = undefined;
  }
}

/** A new file's name is durable only when its folder is. */
async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, "r");
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}
