/**
 * The index of the disk tier: a file that all workers map, and where everything lies in it.
 *
 *   header | workers | counters | segments | lists of hits | forgotten | ghosts | buckets
 *
 * Objects lie in segment files of one size. A segment is known by the number of its slot, which its file is named by,
 * and by its serial: each life of a slot has a new one, so that dropping a segment is one word written, and whatever
 * still names the old life is noticed.
 *
 * Everything is counted in 32-bit words. An object's place is one word: slot and unit of 64 bytes in the segment.
 */

/** "TNFD" and the version of this layout. */
const MAGIC = 0x544e_4644;
const VERSION = 2;

/** Bits of a place that are the unit: segments are up to 64 MiB. */
export const UNIT_BITS = 20;
/** Longest segment. */
const SEGMENT_BYTES_MAX: number = 64 << 20;
/** Slots that a place can name; the sign bit is left alone. */
const SEGMENTS_MAX = 2048;
/** With fewer, dropping one is dropping much. */
const SEGMENTS_MIN = 16;
/** Each worker has one that it fills, one that it empties, and there must be some to read from. */
const SEGMENTS_PER_WORKER = 4;
const SEGMENT_BYTES_MIN = 256 << 10;

/** What the index is planned for, as the memory store's: 4 KiB an object. */
const OBJECT_BYTES = 4096;
/** Share of the slots that are taken then. Of buckets with 16 slots, one in fifty is full at that. */
const LOAD = 0.6;
/** Slots of a bucket. */
export const WAYS = 16;
/** Words of a bucket: tags, places, facts and hashes of the vary key, each for all slots. */
export const BUCKET_WORDS: number = WAYS * 4;
/** Hit objects that are remembered for a segment: at 4 KiB an object, an eighth of it is written again. */
export const HITS_PER_SEGMENT = 2048;
/** Ghosts in a set; the oldest is forgotten. */
export const GHOST_WAYS = 16;
/** Bits that remember what was forgotten while segments are scanned: of a million, 20,000 forget 2 % too much. */
export const FORGOTTEN_BITS: number = 1 << 20;
/** Workers that can use the tier at the same time. */
const WORKERS_MAX = 256;

/** Numbers that a worker counts; each takes two words. */
export const COUNTERS_MAX = 48;

/** Words of the header. */
export const HEADER = {
  magic: 0,
  version: 1,
  sizes: 2,
  check: 8,
  secretA: 9,
  secretB: 10,
  /** What keys are hashed with: the seed of the store above. */
  seed: 11,
  lock: 16,
  serial: 32,
  order: 33,
  /** Whether there are segments that have not been scanned. */
  scanning: 34,
  sealed: 48,
  bootId: 52,
} as const;
const HEADER_WORDS = 64;

/** Words of a segment's row. */
export const SEGMENT = { serial: 0, state: 1, owner: 2, units: 3, hits: 4 } as const;
const SEGMENT_WORDS = 16;

/** All that decides the layout, kept in the header. */
export interface DiskSizes {
  readonly workers: number;
  readonly segments: number;
  readonly segmentBytes: number;
  readonly buckets: number;
  /** Sets of the table of ghosts. */
  readonly ghostSets: number;
}

const SIZE_NAMES = ["workers", "segments", "segmentBytes", "buckets", "ghostSets"] as const;

/** What a caller chooses. */
export interface DiskSpace {
  /** Bytes of all segments together. */
  readonly bytes: number;
  readonly workers: number;
  /** Bytes of one segment; by default 64 MiB, less for small tiers. */
  readonly segmentBytes?: number;
  /** What an object takes on average, 4 KiB by default: the index has room for as many as then fit. */
  readonly objectBytes?: number;
}

/** Plans a tier. Throws a RangeError when there is too little room or too much. */
export function diskSizesFor({
  bytes,
  workers,
  segmentBytes,
  objectBytes = OBJECT_BYTES,
}: DiskSpace): DiskSizes {
  const segmentsMin = Math.max(SEGMENTS_MIN, workers * SEGMENTS_PER_WORKER);
  const wanted = Math.min(segmentBytes ?? SEGMENT_BYTES_MAX, SEGMENT_BYTES_MAX, bytes / segmentsMin);
  const size = Math.floor(wanted / 4096) * 4096;
  const segments = Math.floor(bytes / size);
  if (size < SEGMENT_BYTES_MIN || workers < 1 || workers > WORKERS_MAX)
    throw new RangeError(
      `edge disk: ${bytes} bytes are too few for ${workers} workers: ${segmentsMin} segments of 256 KiB are needed`,
    );
  if (segments > SEGMENTS_MAX) throw new RangeError(`edge disk: ${bytes} bytes are more than 128 GiB`);
  const objects = (segments * size) / objectBytes;
  return {
    workers,
    segments,
    segmentBytes: size,
    buckets: Math.ceil(objects / LOAD / WAYS),
    ghostSets: Math.ceil(objects / 2 / GHOST_WAYS),
  };
}

/** Where each part starts, in words. */
export interface DiskLayout {
  readonly sizes: DiskSizes;
  readonly workers: number;
  readonly counters: number;
  readonly segments: number;
  readonly segmentWords: number;
  readonly hits: number;
  readonly forgotten: number;
  readonly ghosts: number;
  readonly buckets: number;
  readonly words: number;
}

/** Where the parts of an index of these sizes lie. */
export function diskLayoutOf(sizes: DiskSizes): DiskLayout {
  const workers = HEADER_WORDS;
  const counters = workers + Math.ceil(sizes.workers / 16) * 16;
  const segments = counters + sizes.workers * COUNTERS_MAX * 2;
  const hits = segments + sizes.segments * SEGMENT_WORDS;
  const forgotten = hits + sizes.segments * HITS_PER_SEGMENT;
  const ghosts = forgotten + FORGOTTEN_BITS / 32;
  const buckets = ghosts + sizes.ghostSets * GHOST_WAYS;
  const words = buckets + sizes.buckets * BUCKET_WORDS;
  return {
    sizes,
    workers,
    counters,
    segments,
    segmentWords: SEGMENT_WORDS,
    hits,
    forgotten,
    ghosts,
    buckets,
    words,
  };
}

/** An index and its plan, as every part of the tier gets it. */
export interface DiskIndex {
  readonly words: Int32Array;
  readonly layout: DiskLayout;
}

/** Two random words that records bear, so that no body can pretend to be a record. */
export interface DiskSecret {
  readonly secretA: number;
  readonly secretB: number;
}

/** Writes the header of an empty index into zeroed words. */
export function formatDiskIndex(words: Int32Array, sizes: DiskSizes, secret: DiskSecret): void {
  for (const [at, name] of SIZE_NAMES.entries()) words[HEADER.sizes + at] = sizes[name];
  words[HEADER.secretA] = secret.secretA;
  words[HEADER.secretB] = secret.secretB;
  words[HEADER.version] = VERSION;
  words[HEADER.check] = checkOf(words);
  Atomics.store(words, HEADER.magic, MAGIC);
}

/** Reads the header. Throws when `words` are not an index of this layout, or are cut short. */
export function openDiskIndex(words: Int32Array): DiskIndex {
  if (words.length < HEADER_WORDS) throw new Error("edge disk: the index is cut short");
  const isIndex = words[HEADER.magic] === MAGIC && words[HEADER.version] === VERSION;
  if (!isIndex || words[HEADER.check] !== checkOf(words))
    throw new Error("edge disk: not an index of this version");
  const sizes: Record<string, number> = {};
  for (const [at, name] of SIZE_NAMES.entries()) sizes[name] = words[HEADER.sizes + at] ?? 0;
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- every name of the interface was just set
  const layout = diskLayoutOf(sizes as unknown as DiskSizes);
  if (layout.words > words.length) throw new Error("edge disk: the index is cut short");
  return { words, layout };
}

/** Whether two plans are the same. */
export function sameDiskSizes(a: DiskSizes, b: DiskSizes): boolean {
  return SIZE_NAMES.every((name) => a[name] === b[name]);
}

function checkOf(words: Int32Array): number {
  let check = 0x9e37_79b9 | 0;
  for (let at = HEADER.sizes; at < HEADER.sizes + SIZE_NAMES.length; at++)
    check = Math.imul(check ^ (words[at] ?? 0), 0x0100_0193);
  return check;
}
