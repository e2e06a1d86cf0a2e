/**
 * Reading objects from segments: on the runtime's thread pool, few and little at a time, and never longer than the
 * client would rather wait for the target.
 *
 * What is read proves itself (edge/disk/record.ts) and is then checked against the purges as an object in memory is. A
 * place that does not hold what the index says is taken out of the index: it loses itself and nothing else.
 */
import type { Scheduler } from "../../base/index.ts";
import {
  areChunksRight,
  BODY_AT_MAX,
  CHUNK_BYTES,
  checkHead,
  classUnits,
  type DiskCounters,
  type DiskMiss,
  type DiskSecret,
  type DiskSlots,
  FRAME,
  frameUnits,
  type Segments,
  slotOf,
  unitOf,
} from "../disk/index.ts";
import { Entry } from "../store/entry.ts";
import type { Store } from "../store/index.ts";
import { UNIT_BYTES, UNIT_WORDS } from "../store/layout.ts";
import type { RecordMemory } from "../store/record.ts";
import { PURGED } from "../store/sequence.ts";
import { readInto, type SegmentFile, type SegmentFiles } from "./disk-files.ts";
import { DiskRecord } from "./disk-record.ts";
import type { Waiting } from "./disk-writer.ts";

/** An object of up to so many bytes is read at once; of a larger one first all that is before its body, as a rule. */
const WHOLE_BYTES_MAX: number = BODY_AT_MAX;
/** Reads at once in one worker: more than a disk's queue holds wait in it only, and the target may be faster. */
const READS_MAX = 64;
/** Bytes being read or promised to a reader at once in one worker. */
const READ_BYTES_MAX = 64 << 20;
/** How long a read may take: a disk that needs longer is no help before a target. */
export const READ_DEADLINE_MS = 1000;

/** Once an answer has begun it is better late than cut. */
const BODY_DEADLINE_FACTOR = 10;

/** What to look for. */
export interface DiskQuery {
  readonly hashHi: number;
  readonly hashLo: number;
  /** The whole key. It must not change until the promise is settled. */
  readonly key: Uint8Array;
  /** Whether this stored object answers the request: the variant is the caller's matter. Any by default. */
  readonly matches?: (entry: Entry) => boolean;
  /** All of the body is wanted at once, however large it is: the record is whole. */
  readonly isWhole?: boolean;
}

/** What reading works with. */
export interface ReadContext {
  readonly segments: Segments;
  readonly slots: DiskSlots;
  readonly files: SegmentFiles;
  readonly store: Pick<Store, "checkForeign">;
  readonly counters: DiskCounters;
  readonly secret: DiskSecret;
  readonly segmentBytes: number;
  readonly scheduler: Scheduler;
  readonly deadlineMs: number;
}

/** Some of a segment in memory. */
interface Loaded {
  readonly memory: RecordMemory;
  readonly size: number;
  readonly file: SegmentFile;
}

export class DiskReads {
  readonly #context: ReadContext;
  #reads = 0;
  #bytes = 0;
  /** Pieces of bodies that wait for their turn: their answers have begun. */
  readonly #queue: (() => void)[] = [];
  isStopped = false;

  constructor(context: ReadContext) {
    this.#context = context;
  }

  /** The first object for the key that matches, or why there is none: the worst reason of those that were looked at. */
  async find(query: DiskQuery): Promise<DiskRecord | DiskMiss> {
    let miss: DiskMiss = "absent";
    for (const at of this.#context.slots.find(query.hashHi, query.hashLo)) {
      const found = await this.#inTime(this.#look(at, query), this.#context.deadlineMs);
      if (typeof found !== "string") return found;
      if (found === "busy" || found === "late" || found === "stopped") return found;
      miss = found;
    }
    return miss;
  }

  /**
   * The whole object at `place`, checked, in memory of its own; undefined when there is none. For writing it again, so
   * it is neither bounded in time nor counted as used.
   */
  async copy(at: number, place: number): Promise<RecordMemory | undefined> {
    const { slots, segments, files } = this.#context;
    const serial = segments.serialOf(slotOf(place));
    const loaded = await this.#load(place, serial, this.#lengthOf(at, place));
    if (typeof loaded === "string" || slots.placeAt(at) !== place) return undefined;
    files.release(loaded.file);
    const isRight = this.#check(loaded, place, serial) === "ok" && this.#isBodyRight(loaded);
    return isRight ? loaded.memory : undefined;
  }

  async #look(at: number, query: DiskQuery): Promise<DiskRecord | DiskMiss> {
    const { slots, segments, files } = this.#context;
    const place = slots.placeAt(at);
    const serial = segments.serialOf(slotOf(place));
    if (place === 0 || serial === 0) return "absent";
    const loaded = await this.#load(place, serial, Math.min(this.#lengthOf(at, place), wholeMax(query)));
    if (typeof loaded === "string") return this.#failed(loaded, at, place);
    const found = this.#open(loaded, at, place, serial, query);
    if (typeof found !== "string") return found;
    files.release(loaded.file);
    return this.#failed(found, at, place);
  }

  /** The record that was read, or why it is not what was looked for. */
  // oxlint-disable-next-line max-params -- what was read, where, and what for
  #open(loaded: Loaded, at: number, place: number, serial: number, query: DiskQuery): DiskRecord | DiskMiss {
    const { slots, store, files } = this.#context;
    const checked = this.#check(loaded, place, serial);
    if (checked !== "ok") return checked;
    const { memory, file, size } = loaded;
    const bodyAt = memory.words[FRAME.bodyAt] ?? 0;
    const bodyBytes = memory.words[FRAME.bodyBytes] ?? 0;
    const isWhole = bodyAt + bodyBytes <= wholeMax(query);
    if (isWhole && (bodyAt + bodyBytes > size || !this.#isBodyRight(loaded)))
      return bodyAt + bodyBytes > size ? "torn" : "corrupt";
    const unit = frameUnits(bodyBytes);
    let isOpen = !isWhole;
    const close = (): void => {
      if (isOpen) files.release(file);
      isOpen = false;
    };
    const chunks = (first: number, last: number): Promise<Uint8Array | DiskMiss> =>
      isOpen ? this.#piece(loaded, at, place, first, last) : Promise.resolve("stopped");
    const record = new DiskRecord(memory, unit, isWhole ? undefined : chunks, close);
    const unwanted = refusalOf(record, memory, store, query);
    if (unwanted !== undefined) return unwanted;
    // Forgotten, or overtaken by a later one, while it was read.
    if (slots.placeAt(at) !== place) return "absent";
    slots.touch(at, place);
    if (isWhole) files.release(file);
    return record;
  }

  /** The object that waits to be written, if it is the one: found like one on disk. */
  openWaiting({ memory, from }: Waiting, query: DiskQuery): DiskRecord | DiskMiss {
    const bodyBytes = memory.words[from * UNIT_WORDS + FRAME.bodyBytes] ?? 0;
    const start = from * UNIT_BYTES;
    const unit = frameUnits(bodyBytes);
    const { bodyOffset } = entryOf(memory, from + unit);
    const isWhole = bodyOffset - start + bodyBytes <= wholeMax(query);
    // A copy: its words are marked by who reads them, while those that wait have a checksum soon.
    const bytes = memory.bytes.slice(start, toUnit(isWhole ? bodyOffset + bodyBytes : bodyOffset));
    const copy = { bytes, words: new Int32Array(bytes.buffer) };
    const chunks = (first: number, last: number): Promise<Uint8Array> => {
      const end = Math.min(last * CHUNK_BYTES, bodyBytes);
      return Promise.resolve(memory.bytes.subarray(bodyOffset + first * CHUNK_BYTES, bodyOffset + end));
    };
    const record = new DiskRecord(copy, unit, isWhole ? undefined : chunks, nothing);
    return refusalOf(record, copy, this.#context.store, query) ?? record;
  }

  /** Some of a body, in its turn. A place that turns out not to be right is taken out of the index. */
  // oxlint-disable-next-line max-params -- what of which record, and where it is
  async #piece(
    loaded: Loaded,
    at: number,
    place: number,
    first: number,
    last: number,
  ): Promise<Uint8Array | DiskMiss> {
    const deadlineMs = this.#context.deadlineMs * BODY_DEADLINE_FACTOR;
    const bytes = await this.#inTime(this.#chunks(loaded, place, first, last), deadlineMs);
    if (typeof bytes !== "string") return bytes;
    this.#context.counters.count(`missed ${bytes}`);
    return this.#failed(bytes, at, place);
  }

  async #chunks(
    { memory, file }: Loaded,
    place: number,
    first: number,
    last: number,
  ): Promise<Uint8Array | DiskMiss> {
    const bodyBytes = memory.words[FRAME.bodyBytes] ?? 0;
    const position = unitOf(place) * UNIT_BYTES + (memory.words[FRAME.bodyAt] ?? 0) + first * CHUNK_BYTES;
    const length = Math.min(last * CHUNK_BYTES, bodyBytes) - first * CHUNK_BYTES;
    // While it waits and is read nobody closes it: a reader that closes the record meanwhile takes only its own use back.
    file.users++;
    while (!this.#begin(length)) await new Promise<void>((resolve) => this.#queue.push(resolve));
    const bytes = new Uint8Array(length);
    const size = await readInto(file.descriptor, bytes, length, position);
    this.#context.files.release(file);
    this.#end(length);
    if (size !== length) return size === "io-error" ? size : "torn";
    return areChunksRight(memory.words, 0, first, last, bytes, 0) ? bytes : "corrupt";
  }

  /** Reads `length` bytes at a place. The file is the caller's to release. */
  async #load(place: number, serial: number, length: number): Promise<Loaded | DiskMiss> {
    if (this.isStopped) return "stopped";
    if (!this.#begin(length)) return "busy";
    const file = await this.#context.files.use({ slot: slotOf(place), serial });
    if (typeof file === "string") {
      this.#end(length);
      return file;
    }
    const buffer = new ArrayBuffer(Math.ceil(length / UNIT_BYTES) * UNIT_BYTES);
    const bytes = new Uint8Array(buffer);
    const size = await readInto(file.descriptor, bytes, length, unitOf(place) * UNIT_BYTES);
    this.#end(length);
    if (size !== "io-error") return { memory: { bytes, words: new Int32Array(buffer) }, size, file };
    this.#context.files.release(file);
    return size;
  }

  #check({ memory, size }: Loaded, place: number, serial: number): "ok" | "torn" | "corrupt" {
    return checkHead(memory, 0, { ...this.#context.secret, serial, unit: unitOf(place) }, size);
  }

  #isBodyRight({ memory, size }: Loaded): boolean {
    const bodyAt = memory.words[FRAME.bodyAt] ?? 0;
    const bodyBytes = memory.words[FRAME.bodyBytes] ?? 0;
    const chunks = Math.ceil(bodyBytes / CHUNK_BYTES);
    return bodyAt + bodyBytes <= size && areChunksRight(memory.words, 0, 0, chunks, memory.bytes, bodyAt);
  }

  #lengthOf(at: number, place: number): number {
    const toEnd = this.#context.segmentBytes - unitOf(place) * UNIT_BYTES;
    return Math.max(0, Math.min(classUnits(this.#context.slots.classAt(at)) * UNIT_BYTES, toEnd));
  }

  /** Takes out of the index what is not there, or was purged. */
  #failed(miss: DiskMiss, at: number, place: number): DiskMiss {
    if (LOST.has(miss)) this.#context.slots.clear(at, place);
    return miss;
  }

  #begin(bytes: number): boolean {
    if (this.#reads >= READS_MAX || this.#bytes + bytes > READ_BYTES_MAX) return false;
    this.#reads++;
    this.#bytes += bytes;
    return true;
  }

  #end(bytes: number): void {
    this.#reads--;
    this.#bytes -= bytes;
    this.#queue.shift()?.();
  }

  /** What `work` gives, or "late"; what it gives later is closed. */
  #inTime<T extends DiskRecord | Uint8Array>(
    work: Promise<T | DiskMiss>,
    deadlineMs: number,
  ): Promise<T | DiskMiss> {
    const { scheduler } = this.#context;
    return new Promise((resolve) => {
      let isLate = false;
      const cancel = scheduler.after(deadlineMs, () => {
        isLate = true;
        resolve("late");
      });
      void work.then((found) => {
        cancel();
        if (isLate && found instanceof DiskRecord) found.close();
        resolve(found);
      });
    });
  }
}

/** Why a record is not what was asked for, if it is not. */
// oxlint-disable-next-line max-params -- the record, where it lies, and who judges it
function refusalOf(
  { entry }: DiskRecord,
  memory: RecordMemory,
  store: Pick<Store, "checkForeign">,
  { key, matches }: DiskQuery,
): DiskMiss | undefined {
  if (!entry.keyEquals(key, 0, key.length)) return "other";
  if (store.checkForeign(memory, entry.unit) === PURGED.hard) return "purged";
  return matches === undefined || matches(entry) ? undefined : "other";
}

/** An object of up to so many bytes is read at once. */
function wholeMax({ isWhole }: DiskQuery): number {
  return isWhole === true ? Number.POSITIVE_INFINITY : WHOLE_BYTES_MAX;
}

function entryOf(memory: RecordMemory, unit: number): Entry {
  const entry = new Entry(memory);
  entry.unit = unit;
  return entry;
}

const toUnit = (bytes: number): number => Math.ceil(bytes / UNIT_BYTES) * UNIT_BYTES;

const nothing = (): void => {};

/** After these the place is of no use to anybody. An error of the disk may pass; the next read will tell. */
const LOST: ReadonlySet<DiskMiss> = new Set<DiskMiss>(["purged", "torn", "corrupt", "gone"]);
