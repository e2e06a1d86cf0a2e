/** Builders for tests of the tier's pure parts. */

import { UNIT_BYTES, UNIT_WORDS } from "../store/layout.ts";
import { RECORD, type RecordMemory, STATE } from "../store/record.ts";
import { Reservation, shapeOf } from "../store/reservation.ts";
import { memoryStore, requestFor } from "../store/testing.ts";
import { type DiskIndex, diskLayoutOf, diskSizesFor, formatDiskIndex, openDiskIndex } from "./layout.ts";
import { diskUnits, frameRecord, frameUnits, type RecordPlace, sealRecord } from "./record.ts";
import { Segments } from "./segments.ts";

/** The two words of every tier in tests, and the life of every segment. */
export const PLACE: Omit<RecordPlace, "unit"> = { secretA: 11, secretB: 22, serial: 5 };

/** The index of a tier of 4 MiB: sixteen segments. */
export function testIndex(workers = 2): DiskIndex {
  const sizes = diskSizesFor({ bytes: 4 << 20, workers });
  const words = new Int32Array(diskLayoutOf(sizes).words);
  formatDiskIndex(words, sizes, PLACE);
  return openDiskIndex(words);
}

/** The segments of an index as a worker sees them; its process id is its number and one. */
export function segmentsOf(
  index: DiskIndex,
  worker = 0,
  isAlive: (pid: number) => boolean = () => true,
): Segments {
  return new Segments(index, worker, worker + 1, isAlive);
}

const store = memoryStore();

/** A sealed record for a URL at a unit of its segment, in memory of its own. */
export function sealedRecord(url: string, unit: number, bodyBytes: number, order = 1): RecordMemory {
  const request = requestFor(store, url, { bodyBytes, tags: ["red"] });
  const buffer = new ArrayBuffer(diskUnits(shapeOf(request)) * UNIT_BYTES);
  const memory = { bytes: new Uint8Array(buffer), words: new Int32Array(buffer) };
  const at = frameUnits(bodyBytes);
  const publisher = { commit: () => undefined, abort: () => {} };
  const room = new Reservation(memory, publisher, { unit: at, pin: 0 }, request);
  for (let byte = 0; byte < bodyBytes; byte++)
    memory.bytes[room.bodyOffset + byte] = (byte * 7 + (byte >> 16) + url.length) & 0xff;
  memory.words[at * UNIT_WORDS + RECORD.hashHi] = request.hashHi;
  memory.words[at * UNIT_WORDS + RECORD.hashLo] = request.hashLo;
  memory.words[at * UNIT_WORDS + RECORD.state] = STATE.live;
  frameRecord(memory, 0, bodyBytes);
  sealRecord(memory, 0, { ...PLACE, unit }, order);
  return memory;
}
