/**
 * Writing objects to this worker's segment: gathered for some milliseconds, one write at a time, then entered.
 *
 * An object is found by nobody before its bytes were handed to the kernel. It is not waited for the disk: what a crash
 * of the machine leaves of it proves itself or is dropped. Besides what is new, hit objects of the segment that is to be
 * dropped next are written again, never more of them than of what is new.
 */
import { close, fdatasync, open, rm, writev } from "node:fs";
import { type Clock, murmur3, type Scheduler } from "../../base/index.ts";
import {
  ByteRate,
  classOf,
  type DiskCounters,
  type DiskOff,
  type DiskRefusal,
  type DiskSecret,
  type DiskSlots,
  FRAME,
  frameUnits,
  offReason,
  placeOf,
  type Segment,
  type Segments,
  sealRecord,
  segmentHeader,
  slotOf,
} from "../disk/index.ts";
import { UNIT_BYTES, UNIT_WORDS } from "../store/layout.ts";
import { RECORD, type RecordMemory, varyAt } from "../store/record.ts";
import { segmentPath } from "./disk-folder.ts";

/** Time in which objects gather for one write. */
const GATHER_MS = 20;
/** Bytes of one write, but for an object that is larger. */
const BATCH_BYTES_MAX = 1 << 20;
/** Objects of one write: what the kernel takes at once. */
const BATCH_OBJECTS_MAX = 512;
/** Bytes that wait for the disk in one worker, an object larger than that excepted. */
const WAITING_BYTES_MAX = 32 << 20;
/** How long nothing is written after the disk refused: long enough for somebody to make room. */
export const RETRY_MS = 10_000;

/** An object to be written: its frame is at unit `from` of its memory. */
export interface Waiting {
  readonly memory: RecordMemory;
  readonly from: number;
  readonly units: number;
  /** For one that is on disk already, where. */
  readonly old?: { readonly at: number; readonly place: number };
  /** Whether a later one or a removal overtook it while it was being written. */
  isForgotten?: boolean;
}

/** What writing works with. */
export interface WriteContext {
  readonly folder: string;
  readonly segments: Segments;
  readonly slots: DiskSlots;
  readonly counters: DiskCounters;
  readonly secret: DiskSecret;
  readonly segmentBytes: number;
  readonly bytesPerSecond: number;
  readonly clock: Clock;
  readonly scheduler: Scheduler;
  /** Told when writing stops for a while, and why; undefined when it goes on. */
  readonly offChanged: (reason: DiskOff | undefined) => void;
  /** Reads an object of the segment that is about to go. */
  readonly copy: (at: number, place: number) => Promise<RecordMemory | undefined>;
}

/** The segment that is being filled. */
interface Current extends Segment {
  readonly descriptor: number;
  unit: number;
}

export class DiskWriter {
  readonly #context: WriteContext;
  readonly #rate: ByteRate;
  #waiting: Waiting[] = [];
  /** Those that wait or are being written, by both hashes; of variants of one key the latest. */
  readonly #byHash = new Map<number, Waiting>();
  #waitingBytes = 0;
  #writing: readonly Waiting[] = [];
  #work: Promise<void> | undefined;
  #current: Current | undefined;
  #victim: Segment | undefined;
  /** Hits of the victim that are still to be looked at. */
  #hits: number[] = [];
  #off: { readonly reason: DiskOff; readonly untilMs: number } | undefined;
  #isStopped = false;

  constructor(context: WriteContext) {
    this.#context = context;
    this.#rate = new ByteRate(context.bytesPerSecond, context.clock.nowMs());
  }

  /** Why an object of `bytes` bytes would not be written now; takes its bytes from the rate when it would. */
  refuse(bytes: number): DiskRefusal | undefined {
    const nowMs = this.#context.clock.nowMs();
    if (this.#isStopped) return "stopped";
    if (this.#off !== undefined && nowMs < this.#off.untilMs) return this.#off.reason;
    if (this.#waitingBytes > 0 && this.#waitingBytes + bytes > WAITING_BYTES_MAX) return "busy";
    return this.#rate.take(bytes, nowMs) ? undefined : "rate";
  }

  /** Takes an object that was not refused. */
  add(waiting: Waiting): void {
    if (this.#isStopped) return;
    this.#waiting.push(waiting);
    this.#byHash.set(numberOf(waiting), waiting);
    this.#waitingBytes += waiting.units * UNIT_BYTES;
    this.#work ??= this.#writeAll();
  }

  /** Takes an object that is not written yet back out: a later one or a removal has overtaken it. */
  forget(hashHi: number, hashLo: number, varyHash?: number): void {
    if (this.#work === undefined) return;
    for (const one of [...this.#waiting, ...this.#writing]) {
      const at = recordAt(one);
      const { words } = one.memory;
      if (words[at + RECORD.hashHi] !== (hashHi | 0) || words[at + RECORD.hashLo] !== (hashLo | 0)) continue;
      if (varyHash === undefined || varyHashOf(one) === (varyHash | 0)) one.isForgotten = true;
    }
  }

  /** The object that is on its way to the disk for a key; the caller compares the key itself. */
  waitingFor(hashHi: number, hashLo: number): Waiting | undefined {
    const one = this.#byHash.get(hashNumber(hashHi, hashLo));
    return one?.isForgotten === true ? undefined : one;
  }

  /** Resolves when all that was taken so far is written or given up. */
  async flush(): Promise<void> {
    await this.#work;
  }

  async stop(): Promise<void> {
    this.#isStopped = true;
    await this.#work;
    if (this.#current !== undefined) this.#leave(this.#current);
  }

  get off(): DiskOff | undefined {
    return this.#off?.reason;
  }

  async #writeAll(): Promise<void> {
    await new Promise<void>((resolve) => this.#context.scheduler.after(GATHER_MS, resolve));
    while (this.#waiting.length > 0) {
      const written = await this.#writeSome();
      if (written > 0) await this.#writeAgain(written);
    }
    this.#work = undefined;
  }

  /** Writes one batch: its bytes. */
  async #writeSome(): Promise<number> {
    const units = this.#waiting[0]?.units ?? 0;
    const current = await this.#roomFor(units);
    if (typeof current === "string") {
      if (current !== "no-segment") this.#turnOff(current);
      this.#giveUp(this.#waiting);
      this.#waiting = [];
      this.#waitingBytes = 0;
      return 0;
    }
    return this.#write(current, this.#takeBatch(current));
  }

  /** What is written next, from the front of what waits. */
  #takeBatch(current: Current): Waiting[] {
    let units = 0;
    let count = 0;
    for (const one of this.#waiting) {
      const isTooMuch = count > 0 && (units + one.units) * UNIT_BYTES > BATCH_BYTES_MAX;
      if (isTooMuch || count === BATCH_OBJECTS_MAX || !this.#fits(current, units + one.units)) break;
      units += one.units;
      count++;
    }
    const batch = this.#waiting.splice(0, count);
    this.#waitingBytes -= units * UNIT_BYTES;
    return batch;
  }

  async #write(current: Current, batch: readonly Waiting[]): Promise<number> {
    const { segments, secret } = this.#context;
    const places: number[] = [];
    let unit = current.unit;
    for (const { memory, from, units } of batch) {
      sealRecord(memory, from, { ...secret, serial: current.serial, unit }, segments.nextOrder());
      places.push(placeOf(current.slot, unit));
      unit += units;
    }
    const parts = batch.map(({ memory, from, units }) =>
      memory.bytes.subarray(from * UNIT_BYTES, (from + units) * UNIT_BYTES),
    );
    this.#writing = batch;
    const problem = await writeParts(current.descriptor, parts, current.unit * UNIT_BYTES);
    if (problem !== undefined || !segments.isMine(current)) {
      this.#giveUp(batch);
      this.#leave(current);
      if (problem !== undefined) this.#turnOff(problem);
      return 0;
    }
    this.#writing = [];
    this.#turnOn();
    const bytes = (unit - current.unit) * UNIT_BYTES;
    current.unit = unit;
    segments.grow(current.slot, unit);
    for (const [index, one] of batch.entries()) this.#publish(one, current.serial, places[index] ?? 0);
    this.#context.counters.count("writtenBytes", bytes);
    return bytes;
  }

  #publish(one: Waiting, serial: number, place: number): void {
    this.#left(one);
    if (one.isForgotten === true) return;
    const { words } = one.memory;
    const at = recordAt(one);
    const entry = {
      hashHi: words[at + RECORD.hashHi] ?? 0,
      hashLo: words[at + RECORD.hashLo] ?? 0,
      varyHash: varyHashOf(one),
      place,
      serial,
      lengthClass: classOf(one.units),
    };
    if (one.old === undefined) {
      this.#context.slots.put(entry);
      this.#context.counters.count("written");
    } else if (this.#context.slots.move(one.old.at, one.old.place, entry))
      this.#context.counters.count("writtenAgain");
  }

  /** Puts hit objects of the victim among what waits, up to as many bytes as were written. */
  async #writeAgain(bytes: number): Promise<void> {
    const { slots, segments, copy } = this.#context;
    let left = bytes;
    const chosen: Waiting[] = [];
    while (left > 0 && this.#hits.length > 0 && this.#victim !== undefined && segments.isMine(this.#victim)) {
      const at = this.#hits.pop() ?? 0;
      const place = slots.isSlot(at) ? slots.placeAt(at) : 0;
      const isWorthIt =
        place !== 0 && slotOf(place) === this.#victim.slot && slots.isLive(at) && slots.usesAt(at) > 0;
      if (!isWorthIt) continue;
      const memory = await copy(at, place);
      const units = memory?.words[FRAME.units] ?? 0;
      if (memory === undefined || units === 0) continue;
      left -= units * UNIT_BYTES;
      if (this.refuse(units * UNIT_BYTES) === undefined)
        chosen.push({ memory, from: 0, units, old: { at, place } });
    }
    // Before what is new: should that need another segment, the slots of the victim are free to be taken.
    this.#waiting.unshift(...chosen);
    for (const { units } of chosen) this.#waitingBytes += units * UNIT_BYTES;
  }

  #fits(current: Current, units: number): boolean {
    return (current.unit + units) * UNIT_BYTES <= this.#context.segmentBytes;
  }

  /** The segment to append to, a new one if the object does not fit. */
  async #roomFor(units: number): Promise<Current | DiskOff | "no-segment"> {
    const { segments } = this.#context;
    const current = this.#current;
    if (current !== undefined && segments.isMine(current) && this.#fits(current, units)) return current;
    if (current !== undefined) this.#leave(current);
    const taken = segments.take(this.#victim);
    if (taken === undefined) return "no-segment";
    this.#victim = taken.victim;
    // Those that were hit first are taken last: `pop` begins with the latest.
    this.#hits = taken.victim === undefined ? [] : [...segments.hitsOf(taken.victim.slot)];
    const descriptor = await this.#create(taken.current);
    if (typeof descriptor === "string") {
      segments.drop(taken.current);
      return descriptor;
    }
    this.#current = { ...taken.current, descriptor, unit: 1 };
    return this.#current;
  }

  /** Makes the file of a segment; the one of the slot's last life goes with what was in it. */
  async #create({ slot, serial }: Segment): Promise<number | DiskOff> {
    const { folder, secret, segmentBytes } = this.#context;
    const path = segmentPath(folder, slot);
    await new Promise<void>((resolve) => rm(path, { force: true }, () => resolve()));
    const descriptor = await createFile(path);
    if (typeof descriptor === "string") return descriptor;
    const problem = await writeParts(
      descriptor,
      [segmentHeader({ ...secret, slot, serial, segmentBytes })],
      0,
    );
    if (problem === undefined) return descriptor;
    close(descriptor, nothing);
    rm(path, { force: true }, nothing);
    return problem;
  }

  /** Seals a segment and has the kernel write it to disk, so that a crash of the machine costs the latest only. */
  #leave(current: Current): void {
    this.#context.segments.seal(current);
    this.#current = undefined;
    fdatasync(current.descriptor, () => close(current.descriptor, nothing));
  }

  #turnOff(reason: DiskOff): void {
    if (this.#off === undefined) this.#context.offChanged(reason);
    this.#off = { reason, untilMs: this.#context.clock.nowMs() + RETRY_MS };
    this.#context.counters.setOff(reason);
  }

  #turnOn(): void {
    if (this.#off === undefined) return;
    this.#off = undefined;
    this.#context.counters.setOff(undefined);
    this.#context.offChanged(undefined);
  }

  /** What was admitted and will not be written. */
  #giveUp(lost: readonly Waiting[]): void {
    this.#context.counters.count("lost", lost.length);
    for (const one of lost) this.#left(one);
  }

  #left(one: Waiting): void {
    const number = numberOf(one);
    if (this.#byHash.get(number) === one) this.#byHash.delete(number);
  }
}

/** First word of the record of an object that waits. */
function recordAt({ memory, from }: Waiting): number {
  const bodyBytes = memory.words[from * UNIT_WORDS + FRAME.bodyBytes] ?? 0;
  return (from + frameUnits(bodyBytes)) * UNIT_WORDS;
}

/** Both hashes as one number; whoever finds something by it compares the keys. */
function hashNumber(hashHi: number, hashLo: number): number {
  return (hashHi >>> 0) * 0x20_0000 + (hashLo >>> 11);
}

function numberOf(one: Waiting): number {
  const at = recordAt(one);
  const { words } = one.memory;
  return hashNumber(words[at + RECORD.hashHi] ?? 0, words[at + RECORD.hashLo] ?? 0);
}

/** What variants of one key are told apart by in the index. */
function varyHashOf(one: Waiting): number {
  const { words, bytes } = one.memory;
  const at = recordAt(one);
  const start = varyAt(words, at) * 4;
  return murmur3(bytes, start, start + (words[at + RECORD.varyBytes] ?? 0), 0) | 0;
}

function createFile(path: string): Promise<number | DiskOff> {
  return new Promise((resolve) => {
    open(path, "wx", 0o600, (error, descriptor) => resolve(error === null ? descriptor : offReason(error)));
  });
}

/** Writes all parts one after the other; why not, if so. */
function writeParts(
  descriptor: number,
  parts: readonly Uint8Array[],
  position: number,
): Promise<DiskOff | undefined> {
  const bytes = parts.reduce((sum, part) => sum + part.length, 0);
  return new Promise((resolve) => {
    writev(descriptor, [...parts], position, (error, written) => {
      if (error !== null) resolve(offReason(error));
      // The kernel takes less than all when the disk is full; the rest would be refused.
      else resolve(written === bytes ? undefined : "disk-full");
    });
  });
}

const nothing = (): void => {};
