/**
 * Finding the objects again after a crash of the machine: segments are read through, the latest first, while the tier
 * is used already.
 *
 * Bodies are not looked at: whoever reads one checks it. Of two objects with the same key and variant the one that was
 * written later counts, which their order says; one that a worker entered meanwhile is later than all that is found.
 */
import { murmur3 } from "../../base/index.ts";
import {
  classOf,
  type DiskSecret,
  type DiskSlots,
  FRAME,
  frameUnits,
  isLater,
  placeOf,
  type RebuildProgress,
  type Segment,
  type Segments,
  scanWindow,
} from "../disk/index.ts";
import { UNIT_BYTES, UNIT_WORDS } from "../store/layout.ts";
import { RECORD, type RecordMemory, varyAt } from "../store/record.ts";
import { readInto, type SegmentFile, type SegmentFiles } from "./disk-files.ts";

/** Bytes read at once: few system calls, and less than a millisecond of work on what was read. */
const WINDOW_BYTES = 2 << 20;

/** What rebuilding works with. */
export interface RebuildContext {
  readonly segments: Segments;
  readonly slots: DiskSlots;
  readonly files: SegmentFiles;
  readonly secret: DiskSecret;
  readonly segmentBytes: number;
}

/** One pass over the segments that wait to be scanned. */
export class Rebuild {
  readonly progress: RebuildProgress;
  readonly #context: RebuildContext;
  readonly #segments: readonly Segment[];
  /** Orders of what was entered, by the slot of the index. */
  readonly #orders = new Map<number, number>();
  readonly #buffer = new ArrayBuffer(WINDOW_BYTES);
  readonly #memory: RecordMemory;
  #isStopped = false;

  constructor(context: RebuildContext) {
    this.#context = context;
    this.#segments = context.segments.unscanned();
    this.#memory = { bytes: new Uint8Array(this.#buffer), words: new Int32Array(this.#buffer) };
    this.progress = { segments: this.#segments.length, scanned: 0, objects: 0 };
  }

  /** Scans all segments that wait for it, or until `stop`. Another start goes on where this one ended. */
  async run(): Promise<void> {
    for (const segment of this.#segments) {
      if (this.#isStopped) return;
      const units = await this.#scan(segment);
      if (units > 0) this.#context.segments.scanned(segment, units);
      this.progress.scanned++;
    }
    this.#orders.clear();
    if (this.#segments.length > 0) this.#context.segments.endScanning();
  }

  stop(): void {
    this.#isStopped = true;
  }

  /** The unit at which the segment ends; 0 when it was not read to its end. */
  async #scan(segment: Segment): Promise<number> {
    const file = await this.#context.files.use(segment);
    if (typeof file === "string") {
      // Its file is not what it was: nothing in it can be read.
      if (file === "gone") this.#context.segments.drop(segment);
      return 0;
    }
    const units = await this.#scanFile(segment, file);
    this.#context.files.release(file);
    return units;
  }

  async #scanFile(segment: Segment, file: SegmentFile): Promise<number> {
    const { segments, secret, segmentBytes } = this.#context;
    let unit = 1;
    while (unit * UNIT_BYTES < segmentBytes) {
      if (this.#isStopped || segments.serialOf(segment.slot) !== segment.serial) return 0;
      const available = await readInto(file.descriptor, this.#memory.bytes, WINDOW_BYTES, unit * UNIT_BYTES);
      if (available === "io-error" || available === 0) return unit;
      const isLast = available < WINDOW_BYTES;
      // What an earlier window left would be taken for records that were cut short.
      if (isLast) this.#memory.bytes.fill(0, available);
      const window = { memory: this.#memory, unit, available, isLast };
      const next = scanWindow(window, { ...secret, serial: segment.serial }, (from, at) =>
        this.#enter(segment, from, at),
      );
      if (isLast) return unit + Math.floor(available / UNIT_BYTES);
      unit = next;
    }
    return unit;
  }

  #enter({ slot, serial }: Segment, from: number, unit: number): void {
    const { words, bytes } = this.#memory;
    const frame = from * UNIT_WORDS;
    const at = (from + frameUnits(words[frame + FRAME.bodyBytes] ?? 0)) * UNIT_WORDS;
    const vary = varyAt(words, at) * 4;
    const entry = {
      hashHi: words[at + RECORD.hashHi] ?? 0,
      hashLo: words[at + RECORD.hashLo] ?? 0,
      varyHash: murmur3(bytes, vary, vary + (words[at + RECORD.varyBytes] ?? 0), 0) | 0,
      place: placeOf(slot, unit),
      serial,
      lengthClass: classOf(words[frame + FRAME.units] ?? 1),
    };
    const order = words[frame + FRAME.order] ?? 0;
    this.#context.segments.raiseOrder(order);
    const found = this.#context.slots.put(entry, (other) => {
      const known = this.#orders.get(other);
      return known !== undefined && isLater(order, known);
    });
    if (found < 0) return;
    if (this.#context.slots.wasForgotten(entry.hashHi)) {
      this.#context.slots.clear(found, entry.place);
      return;
    }
    this.#orders.set(found, order);
    this.progress.objects++;
  }
}
