import { expect, test } from "bun:test";
import { seededRandom } from "../../base/index.ts";
import { areChunksRight, CHUNK_BYTES, checkHead, FRAME } from "./record.ts";
import { scanWindow } from "./scan.ts";
import { PLACE, sealedRecord } from "./testing.ts";

const BODY_BYTES = 150_000;
const place = { ...PLACE, unit: 9 };

function bodyIsRight({ words, bytes }: ReturnType<typeof sealedRecord>): boolean {
  const chunks = Math.ceil((words[FRAME.bodyBytes] ?? 0) / CHUNK_BYTES);
  return areChunksRight(words, 0, 0, chunks, bytes, words[FRAME.bodyAt] ?? 0);
}

test("a record is believed where it was written, and nowhere else", () => {
  const record = sealedRecord("example.com/a", 9, BODY_BYTES);
  expect(checkHead(record, 0, place, record.bytes.length)).toBe("ok");
  expect(checkHead(record, 0, { ...place, unit: 10 }, record.bytes.length)).toBe("torn");
  expect(checkHead(record, 0, { ...place, serial: 6 }, record.bytes.length)).toBe("torn");
  expect(checkHead(record, 0, { ...place, secretB: 23 }, record.bytes.length)).toBe("torn");
});

test("a record cut at any byte before its body is torn", () => {
  const record = sealedRecord("example.com/a", 9, 10);
  const bodyAt = record.words[FRAME.bodyAt] ?? 0;
  for (let size = 0; size < bodyAt; size++) expect(checkHead(record, 0, place, size)).toBe("torn");
  expect(checkHead(record, 0, place, bodyAt)).toBe("ok");
});

test("no byte of a record can change without being noticed", () => {
  const random = seededRandom(3);
  const record = sealedRecord("example.com/a", 9, BODY_BYTES);
  const end = (record.words[FRAME.bodyAt] ?? 0) + BODY_BYTES;
  for (let round = 0; round < 1500; round++) {
    const byte = round < 600 ? round : Math.floor(random() * end);
    const bit = 1 << Math.floor(random() * 8);
    record.bytes[byte] = (record.bytes[byte] ?? 0) ^ bit;
    expect(checkHead(record, 0, place, record.bytes.length) === "ok" && bodyIsRight(record)).toBe(false);
    record.bytes[byte] = (record.bytes[byte] ?? 0) ^ bit;
  }
  expect(bodyIsRight(record)).toBe(true);
});

test("a chunk is proved without the others", () => {
  const { words, bytes } = sealedRecord("example.com/a", 9, BODY_BYTES);
  const start = (words[FRAME.bodyAt] ?? 0) + CHUNK_BYTES;
  const chunk = bytes.slice(start, start + CHUNK_BYTES);
  expect(areChunksRight(words, 0, 1, 2, chunk, 0)).toBe(true);
  expect([areChunksRight(words, 0, 0, 1, chunk, 0), areChunksRight(words, 0, 1, 3, chunk, 0)]).toEqual([
    false,
    false,
  ]);
});

/** A segment of records with bodies of these sizes, one of which may be broken. */
function segment(sizes: readonly number[], broken = -1): Uint8Array<ArrayBuffer> {
  const parts: Uint8Array[] = [];
  let unit = 1;
  for (const [index, size] of sizes.entries()) {
    const record = sealedRecord(`example.com/${index}`, unit, size);
    if (index === broken) record.bytes[70] = 99;
    unit += record.bytes.length / 64;
    parts.push(record.bytes);
  }
  return new Uint8Array(Buffer.concat(parts));
}

/** The units at which records are found when the segment is read in windows. */
function scan(bytes: Uint8Array<ArrayBuffer>, windowBytes: number): number[] {
  const found: number[] = [];
  for (let unit = 1; (unit - 1) * 64 < bytes.length; ) {
    const window = bytes.slice((unit - 1) * 64, (unit - 1) * 64 + windowBytes);
    const memory = { bytes: window, words: new Int32Array(window.buffer) };
    const isLast = window.length < windowBytes;
    unit = scanWindow({ memory, unit, available: window.length, isLast }, PLACE, (_, at) => found.push(at));
    if (isLast) break;
  }
  return found;
}

test("scanning finds the same records whatever is read at once, and skips one that is broken", () => {
  const sizes = [10, 300_000, 5, 70_000, 0, 1_000_000, 64];
  const whole = scan(segment(sizes), 16 << 20);
  expect(whole).toHaveLength(sizes.length);
  for (const windowBytes of [300_032, 524_288, 1 << 20])
    expect(scan(segment(sizes), windowBytes)).toEqual(whole);
  expect(scan(segment(sizes, 1), 1 << 20)).toEqual(whole.filter((_, index) => index !== 1));
});
