/**
 * Open files of segments, for reading: opened once, checked to be what the index means, and closed when nobody reads.
 *
 * A file is known by slot and serial. When a slot is used anew its file is removed and another one made, so that who
 * still has the old one open reads old bytes, and never a mixture.
 */
import { close, open, read } from "node:fs";
import { type DiskSecret, SEGMENT_HEADER_BYTES, type Segment, serialOf } from "../disk/index.ts";
import { READ_FLAGS, segmentPath } from "./disk-folder.ts";

/** Files open at once: all segments of a tier of 16 GiB. Beyond that, the one opened first is closed. */
const FILES_MAX = 256;

/** A file that is being read by `users` readers. */
export interface SegmentFile {
  readonly descriptor: number;
  readonly serial: number;
  users: number;
  /** Closed as soon as nobody reads it. */
  isOld: boolean;
}

/** Why there is no file. */
export type NoFile = "gone" | "io-error";

/** Where segments are. */
export interface SegmentPlaces extends DiskSecret {
  readonly folder: string;
  readonly segmentBytes: number;
}

/** The files of one worker. */
export class SegmentFiles {
  readonly #places: SegmentPlaces;
  readonly #files = new Map<number, SegmentFile>();
  readonly #opening = new Map<string, Promise<SegmentFile | NoFile>>();

  constructor(places: SegmentPlaces) {
    this.#places = places;
  }

  /** The file of a segment in this life, for the caller until `release`; a promise when it must be opened first. */
  use(segment: Segment): SegmentFile | Promise<SegmentFile | NoFile> {
    const file = this.#files.get(segment.slot);
    if (file?.serial === segment.serial) return taken(file);
    return this.#open(segment);
  }

  release(file: SegmentFile): void {
    file.users--;
    if (file.users === 0 && file.isOld) close(file.descriptor, nothing);
  }

  /** Closes a slot's file when nobody reads it any more: it was not what was expected. */
  forget(slot: number): void {
    const file = this.#files.get(slot);
    if (file === undefined) return;
    this.#files.delete(slot);
    file.isOld = true;
    file.users++;
    this.release(file);
  }

  closeAll(): void {
    for (const slot of this.#files.keys()) this.forget(slot);
  }

  async #open(segment: Segment): Promise<SegmentFile | NoFile> {
    const name = `${segment.slot} ${segment.serial}`;
    const opening = this.#opening.get(name) ?? this.#openFile(segment);
    this.#opening.set(name, opening);
    const file = await opening;
    this.#opening.delete(name);
    return typeof file === "string" ? file : taken(file);
  }

  async #openFile({ slot, serial }: Segment): Promise<SegmentFile | NoFile> {
    const descriptor = await openFile(segmentPath(this.#places.folder, slot));
    if (typeof descriptor === "string") return descriptor;
    const header = new Uint8Array(SEGMENT_HEADER_BYTES);
    const size = await readInto(descriptor, header, SEGMENT_HEADER_BYTES, 0);
    if (size !== SEGMENT_HEADER_BYTES || serialOf(header, { ...this.#places, slot }) !== serial) {
      close(descriptor, nothing);
      return size === "io-error" ? size : "gone";
    }
    this.forget(slot);
    const file = { descriptor, serial, users: 0, isOld: false };
    this.#files.set(slot, file);
    const [first] = this.#files.keys();
    if (this.#files.size > FILES_MAX && first !== undefined && first !== slot) this.forget(first);
    return file;
  }
}

function taken(file: SegmentFile): SegmentFile {
  file.users++;
  return file;
}

function openFile(path: string): Promise<number | NoFile> {
  return new Promise((resolve) => {
    open(path, READ_FLAGS, (error, descriptor) => {
      if (error === null) resolve(descriptor);
      else resolve(error.code === "ENOENT" || error.code === "ELOOP" ? "gone" : "io-error");
    });
  });
}

/** Reads up to `length` bytes at `position` of a file into `bytes`. */
export function readInto(
  descriptor: number,
  bytes: Uint8Array,
  length: number,
  position: number,
): Promise<number | "io-error"> {
  return new Promise((resolve) => {
    read(descriptor, bytes, 0, length, position, (error, size) =>
      resolve(error === null ? size : "io-error"),
    );
  });
}

const nothing = (): void => {};
