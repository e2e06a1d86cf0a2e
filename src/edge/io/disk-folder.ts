/**
 * The folder of the disk tier: its index, the mirror of the purges, and one file for each slot of a segment.
 *
 * The controller prepares it before any worker starts. What is found there is believed only as far as it proves itself:
 * files are opened by names made from numbers, and links are not followed.
 *
 * Index: kept by the kernel when processes are killed, so it is believed in the same boot, and after another boot when
 * it was sealed; otherwise it is made anew, the headers of the segments say which there are, and a worker scans them.
 * Mirror: what purges mean for objects on disk after the store in memory was lost. Without it, when the store is another
 * one too, nobody knows what was purged, and all segments are given up.
 */
import {
  chmodSync,
  closeSync,
  constants,
  lstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  readSync,
  rmdirSync,
  rmSync,
} from "node:fs";
import { join } from "node:path";
import {
  DISK_HEADER,
  type DiskIndex,
  type DiskOff,
  type DiskSecret,
  type DiskSizes,
  DiskSlots,
  type DiskSpace,
  diskLayoutOf,
  diskSizesFor,
  formatDiskIndex,
  offReason,
  openDiskIndex,
  SEGMENT_HEADER_BYTES,
  Segments,
  sameDiskSizes,
  serialOf,
} from "../disk/index.ts";
import type { Store } from "../store/index.ts";
import { formatPurgeMirror, PurgeMirror, purgeMirrorWords } from "../store/purge-mirror.ts";
import { TURN } from "../store/sequence.ts";
import { bootId, createMapped, isOfThisBoot, mapFile, syncFile } from "./mapped-file.ts";

/** Purges that a crash of the machine may have kept from the disk: numbers go on after them. */
const LOST_PURGES_MAX = 1 << 20;
const SEGMENT_NAME = /^segment-\d{4}$/;

/** Reading never follows a link, and a segment that is a pipe does not hold anybody up. */
export const READ_FLAGS: number = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;

/** Path of the index. */
const indexPath = (folder: string): string => join(folder, "index");
/** Path of the mirror of the purges. */
export const mirrorPath = (folder: string): string => join(folder, "purges");
/** Path of the file of a segment's slot. */
export const segmentPath = (folder: string, slot: number): string =>
  join(folder, `segment-${String(slot).padStart(4, "0")}`);

/** Which tier. */
export interface PrepareDiskOptions extends DiskSpace {
  /** Made when there is none; nobody else may read it. The index takes a hundredth of `bytes` besides. */
  readonly folder: string;
  /** The store that the tier lies below, opened by nobody else yet: a fresh one is told the purges of the lost one. */
  readonly store: Store;
  /**
   * Whether every purge since the folder was last used was noted in its mirror; false when the store was used without it
   * meanwhile. True by default.
   */
  readonly isContinued?: boolean;
}

/**
 * Prepares the folder, before any worker starts. Undefined when workers may join; why there is no tier now otherwise.
 * Throws a RangeError for sizes that are impossible.
 */
export function prepareDiskTier(options: PrepareDiskOptions): DiskOff | undefined {
  const sizes = diskSizesFor(options);
  try {
    makeFolder(options.folder);
    const old = oldIndex(options.folder);
    const secret = secretFor(options, old);
    const isKept =
      old !== undefined && sameDiskSizes(old.layout.sizes, sizes) && isSame(secretOf(old), secret);
    if (isKept) mendIndex(old);
    else makeIndex(options.folder, sizes, secret);
    removeStrangers(options.folder, sizes);
    markUsed(options.folder);
    return undefined;
  } catch (error) {
    return offReason(error instanceof Error && error.cause !== undefined ? error.cause : error);
  }
}

/** Writes index and purges to disk, so that they are believed after a reboot. When no worker uses the tier any more. */
export function sealDiskTier(folder: string): void {
  syncFile(mirrorPath(folder));
  const { words } = openIndex(folder);
  syncFile(indexPath(folder));
  Atomics.store(words, DISK_HEADER.sealed, 1);
  syncFile(indexPath(folder));
}

/** Removes a tier that nobody uses, and the folder if nothing else is in it. Throws the system's error. */
export function removeDiskTier(folder: string): void {
  for (const name of readdirSync(folder)) {
    const isOurs = SEGMENT_NAME.test(name) || name === "index" || name === "purges";
    if (isOurs) rmSync(join(folder, name), { force: true });
  }
  if (readdirSync(folder).length === 0) rmdirSync(folder);
}

/** Maps the index. Throws when it is none. */
export function openIndex(folder: string): DiskIndex {
  return openDiskIndex(wordsOf(indexPath(folder)));
}

/** Maps the mirror of the purges. Throws when it is none. */
export function openMirror(folder: string): PurgeMirror {
  return new PurgeMirror(wordsOf(mirrorPath(folder)));
}

function wordsOf(path: string): Int32Array {
  const bytes = mapFile(path);
  return new Int32Array(bytes.buffer, bytes.byteOffset, bytes.byteLength >> 2);
}

function makeFolder(folder: string): void {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const { mode } = lstatSync(folder);
  if ((mode & 0o077) !== 0) chmodSync(folder, 0o700);
}

/** The index of another time, if it can be believed. */
function oldIndex(folder: string): DiskIndex | undefined {
  try {
    if (!lstatSync(indexPath(folder)).isFile()) return undefined;
    const index = openIndex(folder);
    const isBelieved = isOfThisBoot(index.words, DISK_HEADER.bootId) || index.words[DISK_HEADER.sealed] === 1;
    return isBelieved ? index : undefined;
  } catch {
    return undefined;
  }
}

/** Joins the store's purges with those in the folder: the secret of the tier, a new one when its objects are unsafe. */
function secretFor(
  { folder, store, isContinued = true }: PrepareDiskOptions,
  index: DiskIndex | undefined,
): DiskSecret {
  const mirror = isContinued ? oldMirror(folder) : undefined;
  if (mirror === undefined) return makeMirror(folder, store, index);
  const latest = mirror.latest();
  const isOfStore = mirror.seed === store.hashSeed && ((latest - store.purgeSequence) | 0) <= 0;
  if (!isOfStore) {
    const sequence = (latest + LOST_PURGES_MAX) | 0;
    // See `Purges.purge`: beyond a turn, numbers of before say nothing.
    if ((sequence & ~(TURN - 1)) !== (latest & ~(TURN - 1))) return makeMirror(folder, store, undefined);
    if (!store.adoptPurges(mirror, sequence)) return makeMirror(folder, store, undefined);
    mirror.raiseSequence(sequence);
  } else if (!store.mirrorPurges(mirror)) return makeMirror(folder, store, undefined);
  return mirror;
}

function oldMirror(folder: string): PurgeMirror | undefined {
  try {
    return lstatSync(mirrorPath(folder)).isFile() ? openMirror(folder) : undefined;
  } catch {
    return undefined;
  }
}

/** A mirror of the store as it is. The objects of the old index are safe when this store knows all their purges. */
function makeMirror(folder: string, store: Store, index: DiskIndex | undefined): DiskSecret {
  const isSafe = index !== undefined && index.words[DISK_HEADER.seed] === store.hashSeed;
  const [secretA = 0, secretB = 0] = crypto.getRandomValues(new Int32Array(2));
  const secret = isSafe ? secretOf(index) : { secretA, secretB };
  const rows = store.sizes.purgeRows;
  createMapped(mirrorPath(folder), purgeMirrorWords(rows) * 4, (bytes) => {
    const words = new Int32Array(bytes.buffer, bytes.byteOffset, bytes.byteLength >> 2);
    formatPurgeMirror(words, rows, { ...secret, seed: store.hashSeed });
    if (!store.mirrorPurges(new PurgeMirror(words))) throw new Error("edge disk: the store is in use");
  });
  syncFile(mirrorPath(folder));
  return secret;
}

function secretOf({ words }: DiskIndex): DiskSecret {
  return { secretA: words[DISK_HEADER.secretA] ?? 0, secretB: words[DISK_HEADER.secretB] ?? 0 };
}

const isSame = (a: DiskSecret, b: DiskSecret): boolean => a.secretA === b.secretA && a.secretB === b.secretB;

function mendIndex(index: DiskIndex): void {
  const segments = new Segments(index, 0, 0, () => false);
  segments.mend();
  new DiskSlots(index, segments).mend();
}

/** An empty index, in which the segments that are there wait to be scanned. */
function makeIndex(folder: string, sizes: DiskSizes, secret: DiskSecret): void {
  createMapped(indexPath(folder), diskLayoutOf(sizes).words * 4, (bytes) => {
    const words = new Int32Array(bytes.buffer, bytes.byteOffset, bytes.byteLength >> 2);
    formatDiskIndex(words, sizes, secret);
    const segments = new Segments(openDiskIndex(words), 0, 0, () => false);
    for (let slot = 0; slot < sizes.segments; slot++) {
      const serial = serialIn(segmentPath(folder, slot), {
        ...secret,
        slot,
        segmentBytes: sizes.segmentBytes,
      });
      if (serial !== 0) segments.found({ slot, serial });
      else rmSync(segmentPath(folder, slot), { force: true });
    }
  });
}

function serialIn(path: string, expected: Parameters<typeof serialOf>[1]): number {
  const bytes = new Uint8Array(SEGMENT_HEADER_BYTES);
  try {
    const file = openSync(path, READ_FLAGS);
    try {
      return readSync(file, bytes, 0, bytes.length, 0) === bytes.length ? serialOf(bytes, expected) : 0;
    } finally {
      closeSync(file);
    }
  } catch {
    return 0;
  }
}

/** Removes segments that a larger tier left. Nothing else in the folder is ours to remove. */
function removeStrangers(folder: string, { segments }: DiskSizes): void {
  for (const name of readdirSync(folder)) {
    const isStranger = SEGMENT_NAME.test(name) && Number(name.slice(-4)) >= segments;
    if (isStranger) rmSync(join(folder, name), { force: true });
  }
}

/** Notes that the tier is used in this boot and with the mirror's store. */
function markUsed(folder: string): void {
  const { words } = openIndex(folder);
  Atomics.store(words, DISK_HEADER.sealed, 0);
  words[DISK_HEADER.seed] = openMirror(folder).seed;
  for (const [at, word] of bootId().entries()) words[DISK_HEADER.bootId + at] = word;
  syncFile(indexPath(folder));
}
