import { describe, expect, test } from "bun:test";
import { crc32c, seededRandom } from "../base/index.ts";
import { below } from "../base/testing.ts";
import type { Lsn } from "../pgwire/index.ts";
import { SEGMENT_BYTES } from "./wal-file.ts";
import { type ReadPage, scanWal, WAL_PAGE_BYTES } from "./wal-scan.ts";

const START = BigInt(SEGMENT_BYTES);
const COMMIT = { resource: 1, info: 0x00 };
const INSERT = { resource: 10, info: 0x00 };
const SWITCH = { resource: 0, info: 0x40 };

/** Writes a log as Postgres does: pages with headers, records that go over their edges. */
class LogWriter {
  readonly bytes = new Uint8Array(SEGMENT_BYTES);
  readonly #view = new DataView(this.bytes.buffer);
  #at = 0;
  #previous = 0n;
  /** End of each record. */
  readonly ends: Lsn[] = [];

  #header(rest: number): void {
    const at = this.#at;
    const long = at === 0;
    this.#view.setUint16(at, 0xd118, true);
    this.#view.setUint16(at + 2, (rest > 0 ? 1 : 0) | (long ? 2 : 0), true);
    this.#view.setUint32(at + 4, 1, true);
    this.#view.setBigUint64(at + 8, START + BigInt(at), true);
    this.#view.setUint32(at + 16, rest, true);
    this.#at += long ? 40 : 24;
  }

  add({ resource, info }: { resource: number; info: number }, dataBytes: number): this {
    if (this.#at % WAL_PAGE_BYTES === 0) this.#header(0);
    const record = new Uint8Array(24 + dataBytes).fill(7, 24);
    const view = new DataView(record.buffer);
    view.setUint32(0, record.length, true);
    view.setBigUint64(8, this.#previous, true);
    view.setUint8(16, info);
    view.setUint8(17, resource);
    view.setUint32(20, crc32c(record, 0, 20, crc32c(record, 24)), true);
    this.#previous = START + BigInt(this.#at);
    for (let from = 0; from < record.length; ) {
      if (this.#at % WAL_PAGE_BYTES === 0) this.#header(record.length - from);
      const piece = record.subarray(from, from + WAL_PAGE_BYTES - (this.#at % WAL_PAGE_BYTES));
      this.bytes.set(piece, this.#at);
      this.#at += piece.length;
      from += piece.length;
    }
    this.#at = (this.#at + 7) & ~7;
    this.ends.push(START + BigInt(this.#at));
    return this;
  }

  pages(): ReadPage {
    return (lsn) => {
      const at = Number(lsn - START);
      return at >= 0 && at < this.bytes.length ? this.bytes.subarray(at, at + WAL_PAGE_BYTES) : undefined;
    };
  }
}

function sample(): LogWriter {
  const log = new LogWriter();
  for (const size of [10, 0, 8000, 30_000, 1, 8120, 500]) log.add(INSERT, size).add(COMMIT, 8);
  return log;
}

describe("the end of a log", () => {
  test("is that of its last whole record, and its commits are counted", () => {
    const log = sample();
    expect(scanWal(log.pages(), START, 1)).toEqual({ end: log.ends.at(-1) ?? 0n, records: 14, commits: 7 });
  });

  test("is the same from wherever the reading begins", () => {
    const log = sample();
    for (const [index, from] of log.ends.entries())
      expect(scanWal(log.pages(), from, 1)).toMatchObject({
        end: log.ends.at(-1) ?? 0n,
        records: 13 - index,
      });
  });

  test("is before a record that is damaged or not whole, at whichever byte", () => {
    const random = seededRandom(7);
    const whole = sample();
    const lengthBytes = Number((whole.ends.at(-1) ?? 0n) - START);
    for (let round = 0; round < 300; round++) {
      const log = sample();
      const at = below(random, lengthBytes);
      const before = log.bytes[at] ?? 0;
      log.bytes[at] = before ^ (1 + below(random, 255));
      const { end } = scanWal(log.pages(), START, 1);
      const holder = log.ends.findIndex((recordEnd) => recordEnd > START + BigInt(at));
      // Padding and parts of headers are guarded by nothing, and mean nothing.
      expect([end, `seed 7 round ${round} byte ${at}`]).toEqual([
        [log.ends[holder - 1] ?? START, log.ends.at(-1)].includes(end) ? end : -1n,
        `seed 7 round ${round} byte ${at}`,
      ]);
    }
  });

  test("is not fooled by records of an earlier use of the file", () => {
    const old = sample();
    const log = new LogWriter().add(INSERT, 100).add(COMMIT, 8);
    const end = Number((log.ends.at(-1) ?? 0n) - START);
    log.bytes.set(old.bytes.subarray(end), end);
    expect(scanWal(log.pages(), START, 1).end).toBe(log.ends.at(-1) ?? 0n);
  });

  test("is the next segment after a switch", () => {
    const log = new LogWriter().add(COMMIT, 8).add(SWITCH, 0);
    expect(scanWal(log.pages(), START, 1)).toEqual({ end: 2n * START, records: 2, commits: 1 });
  });

  test("is where the reading began when there is no file", () => {
    expect(scanWal(() => undefined, START, 1)).toEqual({ end: START, records: 0, commits: 0 });
  });

  test("does not go into a later timeline", () => {
    const log = sample();
    new DataView(log.bytes.buffer).setUint32(WAL_PAGE_BYTES + 4, 2, true);
    expect(scanWal(log.pages(), START, 1).end).toBeLessThanOrEqual(START + BigInt(WAL_PAGE_BYTES));
  });
});
