/**
 * The block of memory that the gateway's workers share as their cache, and where everything lies in it.
 *
 *   header | column of each worker | purge tables | prefix list | flights | markers | ghosts | index | data
 *
 * Everything is counted in 32-bit words, and the data area in units of 64 bytes: a record's location is the number
 * of its unit from the start of the block, so that one word names it. Locations never are 0: the header is there.
 *
 * Words that are written by several processes are written with `Atomics`. That is a promise of the language for
 * SharedArrayBuffer only; on the mapped files used here the instructions are the same, which a test of
 * the folder `io` shows with two processes.
 */

/** "TNFC" and the version of this layout: a block of another layout is refused, never misread. */
const MAGIC = 0x544e_4643;
const VERSION = 4;

/** One unit of the data area: a cache line. */
export const UNIT_BYTES = 64;
/** The same in words. */
export const UNIT_WORDS = 16;

/** An ArrayBuffer of this engine ends at 4 GiB; unit numbers and word numbers stay below 2^31 with it. */
export const BLOCK_BYTES_MAX: number = 2 ** 32;
/** Less holds the tables but no objects worth the name. */
export const BLOCK_BYTES_MIN: number = 1 << 20;

/** Words of the header. Those that many processes write are lines (16 words) apart. */
export const HEADER = {
  magic: 0,
  version: 1,
  sizes: 2,
  seed: 12,
  lock: 16,
  epoch: 32,
  moving: 33,
  broken: 34,
  entries: 35,
  liveUnits: 36,
  ghostClock: 37,
  smallHead: 38,
  smallTail: 39,
  mainHead: 40,
  mainTail: 41,
  prefixNext: 42,
  sequence: 48,
  everythingHard: 49,
  everythingSoft: 50,
  flightLock: 64,
  bootId: 80,
  sealed: 84,
} as const;
const HEADER_WORDS = 1024;

/** Words of a worker's column. Only the worker writes it, but for who clears it after the worker's death. */
export const COLUMN = { pid: 0, pinsHigh: 1, fence: 2, pins: 16, counters: 528 } as const;
/** Pins of one worker: one for each large object being sent, however many take it, and for each one being stored. */
export const PINS = 512;
/** One for each result with its reason, refusal, eviction and purge (see counters.ts), and some to spare. */
export const COUNTERS_MAX = 96;
const COLUMN_WORDS = COLUMN.counters + COUNTERS_MAX * 2;

/** Slots of one bucket of the index: first their 32 tags, then their 32 locations. */
export const BUCKET_SLOTS = 32;
export const BUCKET_WORDS: number = BUCKET_SLOTS * 2;
/** Fingerprints of one bucket of ghosts, each with the time it came. */
export const GHOST_WAYS = 8;
/** Flights that share a row of the flight table. */
export const FLIGHT_WAYS = 8;
export const FLIGHT_WORDS = 4;
/** An uncacheable key: its hash, until when, and why. */
export const MARKER_WORDS = 3;
/** Arbitrary prefixes that are remembered one by one; older ones are widened to the folder they lie in. */
export const PREFIXES = 256;
export const PREFIX_WORDS = 64;

/** All that decides the layout, kept in the header. */
export interface StoreSizes {
  readonly workers: number;
  /** Buckets of the index; a power of two. */
  readonly buckets: number;
  /** Rows of each purge table; a power of two. */
  readonly purgeRows: number;
  /** Sets of the flight table; a power of two. */
  readonly flightSets: number;
  /** Rows of the table of uncacheable keys; a power of two. */
  readonly markerRows: number;
  /** Units of the small ring, in which objects start. */
  readonly smallUnits: number;
  /** Units of the main ring, for objects that were asked for again. */
  readonly mainUnits: number;
  /** Units of the largest object that is admitted. */
  readonly objectUnitsMax: number;
}

const SIZE_NAMES = [
  "workers",
  "buckets",
  "purgeRows",
  "flightSets",
  "markerRows",
  "smallUnits",
  "mainUnits",
  "objectUnitsMax",
] as const satisfies readonly (keyof StoreSizes)[];

/** Where each part starts, in words; `data` is a unit. */
export interface Layout {
  readonly sizes: StoreSizes;
  readonly columns: number;
  readonly columnWords: number;
  readonly urlRows: number;
  readonly tagRows: number;
  readonly folderRows: number;
  readonly prefixes: number;
  readonly flights: number;
  readonly markers: number;
  readonly ghosts: number;
  readonly ghostBuckets: number;
  readonly index: number;
  readonly smallUnit: number;
  readonly mainUnit: number;
  readonly bytes: number;
}

/** What a caller may choose about a block. */
export interface StoreOptions {
  /** Bytes of the whole block, 1 MiB to 4 GiB. */
  readonly bytes: number;
  /** Columns: one for each process that opens the block at the same time. */
  readonly workers: number;
  /** Largest share of the data area that one object may take; 0.01 by default. */
  readonly objectShare?: number;
}

/** Bytes of the data area for which the index has a slot: at twice as many the index is half full, as planned. */
const BYTES_PER_SLOT = 512;
/** A table of 65,536 rows: a purge hits a stranger with a chance of 1 in 65,536 for each purge before. */
const PURGE_ROWS_MAX = 65_536;
const SMALL_SHARE = 0.1;
const OBJECT_SHARE = 0.01;

/** Divides `bytes` into the parts of a block. Throws a RangeError when there is too little or too much. */
export function sizesFor({ bytes, workers, objectShare = OBJECT_SHARE }: StoreOptions): StoreSizes {
  if (bytes < BLOCK_BYTES_MIN || bytes > BLOCK_BYTES_MAX) {
    throw new RangeError(`edge store: ${bytes} bytes are not between 1 MiB and 4 GiB`);
  }
  const rows = powerOfTwo(Math.min(PURGE_ROWS_MAX, bytes / 1024));
  const tables = {
    workers,
    buckets: powerOfTwo(bytes / (BYTES_PER_SLOT * BUCKET_SLOTS)),
    purgeRows: rows,
    flightSets: powerOfTwo(Math.min(512, rows / 64)),
    markerRows: powerOfTwo(rows / 4),
  };
  const bare = layoutOf({ ...tables, smallUnits: 0, mainUnits: 0, objectUnitsMax: 0 });
  const units = Math.floor((bytes - bare.bytes) / UNIT_BYTES);
  const smallUnits = Math.floor(units * SMALL_SHARE);
  // An object of half the small ring would push out everything else in it.
  const objectUnitsMax = Math.min(Math.floor(units * objectShare), smallUnits >> 1);
  return { ...tables, smallUnits, mainUnits: units - smallUnits, objectUnitsMax };
}

/** Greatest power of two that is not above `value`; 1 at least. */
function powerOfTwo(value: number): number {
  return value < 2 ? 1 : 2 ** Math.floor(Math.log2(value));
}

/** Where the parts of a block of these sizes lie. */
export function layoutOf(sizes: StoreSizes): Layout {
  let words = HEADER_WORDS;
  const take = (count: number): number => {
    const at = words;
    words += Math.ceil(count / UNIT_WORDS) * UNIT_WORDS;
    return at;
  };
  const columns = take(sizes.workers * COLUMN_WORDS);
  const tables = [0, 1, 2].map(() => take(sizes.purgeRows * 2));
  const prefixes = take(PREFIXES * PREFIX_WORDS);
  const flights = take(sizes.flightSets * FLIGHT_WAYS * FLIGHT_WORDS);
  const markers = take(sizes.markerRows * MARKER_WORDS);
  const ghostBuckets = Math.max(1, sizes.buckets * 2);
  const ghosts = take(ghostBuckets * GHOST_WAYS * 2);
  const index = take(sizes.buckets * BUCKET_WORDS);
  const smallUnit = words / UNIT_WORDS;
  const mainUnit = smallUnit + sizes.smallUnits;
  return {
    sizes,
    columns,
    columnWords: COLUMN_WORDS,
    urlRows: tables[0] ?? 0,
    tagRows: tables[1] ?? 0,
    folderRows: tables[2] ?? 0,
    prefixes,
    flights,
    markers,
    ghosts,
    ghostBuckets,
    index,
    smallUnit,
    mainUnit,
    bytes: (mainUnit + sizes.mainUnits) * UNIT_BYTES,
  };
}

/** A block, its words and its plan, as every part of the store gets it. */
export interface Block {
  readonly bytes: Uint8Array;
  readonly words: Int32Array;
  readonly layout: Layout;
}

/**
 * Writes the header of a fresh, zeroed block. `seed` is a random word that keys are hashed with, so that nobody
 * outside can choose keys of one bucket.
 */
export function formatStore(bytes: Uint8Array, sizes: StoreSizes, seed: number): void {
  const words = wordsOf(bytes);
  for (const [at, name] of SIZE_NAMES.entries()) words[HEADER.sizes + at] = sizes[name];
  words[HEADER.seed] = seed;
  // Sequence 0 is the table row of what was never purged.
  words[HEADER.sequence] = 1;
  words[HEADER.version] = VERSION;
  Atomics.store(words, HEADER.magic, MAGIC);
}

/** Reads the header. Throws when `bytes` is not a block of this layout, or is cut short. */
export function openBlock(bytes: Uint8Array): Block {
  if (bytes.byteLength < HEADER_WORDS * 4) throw new Error("edge store: the file is cut short");
  const words = wordsOf(bytes);
  if (words[HEADER.magic] !== MAGIC || words[HEADER.version] !== VERSION) {
    throw new Error("edge store: not a store of this version");
  }
  const sizes: Record<string, number> = {};
  for (const [at, name] of SIZE_NAMES.entries()) sizes[name] = words[HEADER.sizes + at] ?? 0;
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- every name of the interface was just set
  const layout = layoutOf(sizes as unknown as StoreSizes);
  if (layout.bytes > bytes.byteLength) throw new Error("edge store: the file is cut short");
  return { bytes, words, layout };
}

/** The processes that took a column; some may have ended. */
export function pidsIn({ words, layout }: Block): number[] {
  const columns = Array.from({ length: layout.sizes.workers }, (_, column) => column);
  return columns
    .map((column) => words[layout.columns + column * layout.columnWords + COLUMN.pid] ?? 0)
    .filter((pid) => pid !== 0);
}

/** Whether two plans are the same. */
export function sameSizes(a: StoreSizes, b: StoreSizes): boolean {
  return SIZE_NAMES.every((name) => a[name] === b[name]);
}

function wordsOf(bytes: Uint8Array): Int32Array {
  return new Int32Array(bytes.buffer, bytes.byteOffset, Math.floor(bytes.byteLength / 4));
}
