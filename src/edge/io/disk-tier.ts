/**
 * The disk tier below the edge cache's memory, as one worker sees it.
 *
 *   controller: prepareDiskTier -> (workers: join … offer, find, purge … stop) -> sealDiskTier
 *
 * What leaves the memory store is offered and, if it is worth it, appended to a segment of this worker's; what is
 * missed in memory is looked for here before the target is asked. Whatever goes wrong with the disk is a miss or a
 * refusal with a reason. See docs/decisions/0013-disk-tier.md.
 */
import { type Clock, murmur3, type Scheduler, systemClock, systemScheduler } from "../../base/index.ts";
import {
  type Admission,
  admitUsedAgain,
  BODY_AT_MAX,
  classUnits,
  DISK_HEADER,
  DISK_MISSES,
  DISK_REFUSALS,
  DiskCounters,
  DiskGhosts,
  type DiskIndex,
  type DiskMiss,
  type DiskOff,
  type DiskRefusal,
  DiskSlots,
  type DiskSpace,
  type DiskStats,
  diskSizesFor,
  diskUnits,
  FRAME,
  frameRecord,
  frameUnits,
  offReason,
  Segments,
} from "../disk/index.ts";
import type { Entry } from "../store/entry.ts";
import type { Purge, ReserveRequest, Store } from "../store/index.ts";
import { UNIT_BYTES, UNIT_WORDS } from "../store/layout.ts";
import {
  KEY_BYTES_MAX,
  RECORD,
  type RecordMemory,
  STATE,
  TAGS_MAX,
  VARY_BYTES_MAX,
} from "../store/record.ts";
import { Reservation, shapeOf } from "../store/reservation.ts";
import { PURGED, TURN } from "../store/sequence.ts";
import { SegmentFiles } from "./disk-files.ts";
import { openIndex } from "./disk-folder.ts";
import { PurgeFile } from "./disk-purges.ts";
import { type DiskQuery, DiskReads, READ_DEADLINE_MS } from "./disk-reads.ts";
import { Rebuild } from "./disk-rebuild.ts";
import type { DiskRecord } from "./disk-record.ts";
import { DiskWriter } from "./disk-writer.ts";
import { isProcessAlive } from "./store-file.ts";

/**
 * All workers together: a tier of 10 GiB is turned over in eleven minutes at most, and a flash disk that may be written
 * a petabyte lasts two years of a scan that never ends.
 */
const BYTES_PER_SECOND = 16 << 20;
/** The longest that the classes of lengths tell. */
const CLASS_BYTES_MAX: number = classUnits(255) * UNIT_BYTES;

/** A tier to join. */
export interface JoinDiskOptions {
  /** The folder that was prepared. */
  readonly folder: string;
  /** Number of this worker: no other process may have it at the same time. Worker 0 scans segments when it must be. */
  readonly worker: number;
  /** The memory store above. */
  readonly store: Store;
  /** Which objects are written; by default those that were asked for twice. */
  readonly admission?: Admission;
  /** Bytes that all workers together write in a second, 16 MiB by default. */
  readonly bytesPerSecond?: number;
  /** How many workers share them, by default as many as the tier was prepared for. */
  readonly writers?: number;
  /** How long a read may take, 1 second by default. */
  readonly readDeadlineMs?: number;
  /** Told when this worker stops writing for a while, and why; undefined when it goes on. */
  readonly offChanged?: (reason: DiskOff | undefined) => void;
  readonly clock?: Clock;
  readonly scheduler?: Scheduler;
}

/** The largest body that a tier takes whatever its head. Throws a RangeError for a tier that is impossible. */
export function diskBodyBytesMax(space: DiskSpace): number {
  const { segmentBytes } = diskSizesFor(space);
  return Math.max(0, Math.floor(Math.min(segmentBytes / 2, CLASS_BYTES_MAX)) - BODY_AT_MAX);
}

/** Joins a prepared tier; why not, if so. Throws a RangeError for a worker's number that it was not prepared for. */
export function joinDiskTier(options: JoinDiskOptions): DiskTier | DiskOff {
  try {
    return new DiskTier(openIndex(options.folder), new PurgeFile(options.folder), options);
  } catch (error) {
    if (error instanceof RangeError) throw error;
    return offReason(error);
  }
}

export class DiskTier {
  readonly #store: Store;
  readonly #index: DiskIndex;
  readonly #segments: Segments;
  readonly #slots: DiskSlots;
  readonly #ghosts: DiskGhosts;
  readonly #files: SegmentFiles;
  readonly #reads: DiskReads;
  readonly #writer: DiskWriter;
  readonly #purges: PurgeFile;
  readonly #rebuild: Rebuild;
  readonly #admission: Admission;
  readonly #unitsMax: number;
  readonly #counters: DiskCounters;
  /** Settled when the segments that were found at the start are all in the index. */
  readonly rebuilt: Promise<void>;

  constructor(index: DiskIndex, purges: PurgeFile, options: JoinDiskOptions) {
    const { folder, worker, store, clock = systemClock, scheduler = systemScheduler } = options;
    const { words, layout } = index;
    const secret = { secretA: words[DISK_HEADER.secretA] ?? 0, secretB: words[DISK_HEADER.secretB] ?? 0 };
    const { segmentBytes, workers } = layout.sizes;
    this.#store = store;
    this.#index = index;
    this.#purges = purges;
    this.#admission = options.admission ?? admitUsedAgain;
    this.#unitsMax = Math.floor(Math.min(segmentBytes / 2, CLASS_BYTES_MAX) / UNIT_BYTES);
    const segments = new Segments(index, worker, process.pid, isProcessAlive);
    const slots = new DiskSlots(index, segments);
    const files = new SegmentFiles({ folder, segmentBytes, ...secret });
    this.#segments = segments;
    this.#slots = slots;
    this.#files = files;
    this.#ghosts = new DiskGhosts(index);
    const counters = new DiskCounters(index, worker);
    counters.setOff(undefined);
    this.#counters = counters;
    const parts = { folder, segments, slots, files, counters, store, secret, segmentBytes, clock, scheduler };
    this.#reads = new DiskReads({ ...parts, deadlineMs: options.readDeadlineMs ?? READ_DEADLINE_MS });
    this.#writer = new DiskWriter({
      ...parts,
      bytesPerSecond: (options.bytesPerSecond ?? BYTES_PER_SECOND) / (options.writers ?? workers),
      offChanged: options.offChanged ?? nothing,
      copy: (at, place) => this.#copy(at, place),
    });
    this.#rebuild = new Rebuild(parts);
    this.rebuilt = worker === 0 ? this.#rebuild.run() : Promise.resolve();
  }

  // --- writing ------------------------------------------------------------------------------------------------

  /**
   * Offers an object that leaves the memory store, before its bytes are overwritten; `access` is how often it was used
   * there. Undefined when it is taken. Copies its bytes if so and does nothing else with them now: it may be called
   * under the store's lock.
   */
  offer(entry: Entry, access: number = entry.access): DiskRefusal | undefined {
    const { bytes, unit, bodyOffset, bodyBytes } = entry;
    const from = unit * UNIT_BYTES;
    const end = bodyOffset + bodyBytes;
    const frame = frameUnits(bodyBytes);
    const units = frame + Math.ceil((end - from) / UNIT_BYTES);
    const refusal = this.#isThere(entry)
      ? "already-there"
      : this.#refuse(units, { hashHi: entry.hashHi, hashLo: entry.hashLo, access });
    if (refusal !== undefined) return this.#refusedFor(refusal);
    const memory = memoryOf(units);
    memory.bytes.set(bytes.subarray(from, end), frame * UNIT_BYTES);
    this.#add(memory, 0, bodyBytes);
    return undefined;
  }

  /**
   * Room for an object that memory has no room for, to be filled and committed like one of the store's own, or why there
   * is none. It is admitted when it is offered a second time, or was used before.
   */
  reserve(request: ReserveRequest, access = 0): Reservation | DiskRefusal {
    const units = diskUnits(shapeOf(request));
    const refusal = tooLong(request) ?? this.#refuse(units, { ...request, access });
    if (refusal !== undefined) return this.#refusedFor(refusal);
    const memory = memoryOf(units);
    const unit = frameUnits(request.bodyBytes);
    const at = unit * UNIT_WORDS;
    memory.words[at + RECORD.hashHi] = request.hashHi;
    memory.words[at + RECORD.hashLo] = request.hashLo;
    const publisher = {
      commit: (): undefined => {
        const bodyBytes = (memory.words[at + RECORD.bodyBytes] ?? 0) >>> 0;
        this.#add(memory, unit - frameUnits(bodyBytes), bodyBytes);
        return undefined;
      },
      abort: nothing,
    };
    return new Reservation(memory, publisher, { unit, pin: 0 }, request);
  }

  /**
   * Says that what is on disk of a key is out of date: of the variant with this vary key, or of all of them. To be called
   * when an object is stored in memory or removed there, else an older one would come back. O(1).
   */
  forget(hashHi: number, hashLo: number, vary?: Uint8Array): void {
    const varyHash = vary === undefined ? undefined : murmur3(vary, 0, vary.length, 0) | 0;
    this.#slots.forget(hashHi, hashLo, varyHash);
    this.#writer.forget(hashHi, hashLo, varyHash);
  }

  /** Resolves when all that was taken so far is on its way to the disk and can be found. */
  flush(): Promise<void> {
    return this.#writer.flush();
  }

  // --- reading ------------------------------------------------------------------------------------------------

  /** Whether `find` is worth a try. O(1), and looks at memory alone: ask before giving up the turn. A no is a miss. */
  mayHave(hashHi: number, hashLo: number): boolean {
    const may =
      this.#slots.find(hashHi, hashLo).length > 0 || this.#writer.waitingFor(hashHi, hashLo) !== undefined;
    if (!may) this.#counters.count("missed absent");
    return may;
  }

  /** Reads the object for a key, or says why not. Never throws. A record that is not whole must be closed. */
  async find(query: DiskQuery): Promise<DiskRecord | DiskMiss> {
    const waiting = this.#writer.waitingFor(query.hashHi, query.hashLo);
    const early = waiting === undefined ? "absent" : this.#reads.openWaiting(waiting, query);
    const found = typeof early === "string" ? await this.#reads.find(query) : early;
    if (typeof found === "string") this.#counters.count(`missed ${found}`);
    else {
      this.#counters.count("found");
      this.#counters.count("foundBytes", found.entry.bodyBytes);
    }
    return found;
  }

  // --- purging ------------------------------------------------------------------------------------------------

  /** Purges memory and disk: in place of `store.purge`. Known after a crash of the machine once `purgesOnDisk` says so. */
  purge(purge: Purge): number | "busy" {
    const sequence = this.#store.purge(purge);
    if (sequence === "busy") return sequence;
    this.#purges.note(purge, sequence);
    // Once in a thousand million purges numbers turn over, and the store forgets everything too.
    if ((sequence & (TURN - 1)) === 0) this.#segments.dropAll();
    return sequence;
  }

  /** Resolves when all purges so far would be known after a crash of the machine; false when the disk failed. */
  purgesOnDisk(): Promise<boolean> {
    return this.#purges.sync();
  }

  // --- the rest -----------------------------------------------------------------------------------------------

  /** Writes what waits and closes the files. What is asked for later is refused. */
  async stop(): Promise<void> {
    this.#reads.isStopped = true;
    this.#rebuild.stop();
    await this.rebuilt;
    await this.#writer.stop();
    await this.#purges.stop();
    this.#files.closeAll();
  }

  /** O(segments). */
  stats(): DiskStats {
    const { sizes, words } = this.#index.layout;
    let units = 0;
    for (let slot = 0; slot < sizes.segments; slot++)
      if (this.#segments.serialOf(slot) !== 0) units += this.#segments.unitsOf(slot);
    const counters = this.#counters;
    return {
      usedBytes: units * UNIT_BYTES,
      capacityBytes: sizes.segments * sizes.segmentBytes,
      indexBytes: words * 4,
      objects: this.#slots.estimate(),
      found: counters.sum("found"),
      foundBytes: counters.sum("foundBytes"),
      written: counters.sum("written"),
      writtenBytes: counters.sum("writtenBytes"),
      writtenAgain: counters.sum("writtenAgain"),
      lost: counters.sum("lost"),
      missed: counters.reasons("missed", DISK_MISSES),
      refused: counters.reasons("refused", DISK_REFUSALS),
      off: counters.off,
      rebuild: { ...this.#rebuild.progress },
    };
  }

  /** How many objects can be found. O(slots of the index), a tenth of a second for 10 GiB. */
  countObjects(): number {
    return this.#slots.count();
  }

  /** Whether what is offered is on disk: had it changed since, it would have been forgotten there. */
  #isThere({ hashHi, hashLo, bytes, varyOffset, varyBytes }: Entry): boolean {
    return this.#slots.has(hashHi, hashLo, murmur3(bytes, varyOffset, varyOffset + varyBytes, 0) | 0);
  }

  #refuse(
    units: number,
    { hashHi, hashLo, access }: { readonly hashHi: number; readonly hashLo: number; readonly access: number },
  ): DiskRefusal | undefined {
    if (units > this.#unitsMax) return "too-large";
    const bytes = units * UNIT_BYTES;
    const wasOffered = this.#ghosts.wasOffered(hashHi, hashLo);
    return this.#admission({ access, wasOffered, bytes }) ?? this.#writer.refuse(bytes);
  }

  #refusedFor(refusal: DiskRefusal): DiskRefusal {
    this.#counters.count(`refused ${refusal}`);
    return refusal;
  }

  #add(memory: RecordMemory, from: number, bodyBytes: number): void {
    const at = (from + frameUnits(bodyBytes)) * UNIT_WORDS;
    memory.words[at + RECORD.state] = STATE.live;
    memory.words[at + RECORD.access] = 0;
    frameRecord(memory, from, bodyBytes);
    this.#writer.add({ memory, from, units: memory.words[from * UNIT_WORDS + FRAME.units] ?? 0 });
  }

  async #copy(at: number, place: number): Promise<RecordMemory | undefined> {
    const memory = await this.#reads.copy(at, place);
    if (memory === undefined) return undefined;
    const unit = frameUnits(memory.words[FRAME.bodyBytes] ?? 0);
    return this.#store.checkForeign(memory, unit) === PURGED.hard ? undefined : memory;
  }
}

function memoryOf(units: number): RecordMemory {
  const buffer = new ArrayBuffer(units * UNIT_BYTES);
  return { bytes: new Uint8Array(buffer), words: new Int32Array(buffer) };
}

function tooLong({ key, vary, tags }: ReserveRequest): DiskRefusal | undefined {
  if (key.length > KEY_BYTES_MAX || vary.length > VARY_BYTES_MAX) return "key-too-long";
  return tags.length > TAGS_MAX ? "too-many-tags" : undefined;
}

const nothing = (): void => {};
