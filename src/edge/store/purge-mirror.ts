/**
 * What was purged, as words that outlive the store: a copy of its tables for the disk tier's folder.
 *
 * Objects on disk live longer than a store in memory, which is made anew after a crash of the machine and then knows
 * of no purge. The mirror tells it. It has no list of prefixes: one that is not a folder is noted as the folder that
 * it lies in, which purges too much, never too little, and only after the store was lost.
 *
 *   header (16 words) | URLs | tags | folders          each row: the latest soft and the latest hard purge
 */
import { folderOf, hashFolder } from "./folders.ts";
import type { Purge } from "./purges.ts";

/** "TNFM", and the version of this layout. */
const MAGIC = 0x544e_464d;
const VERSION = 1;

const HEADER = {
  magic: 0,
  version: 1,
  rows: 2,
  seed: 3,
  secretA: 4,
  secretB: 5,
  check: 6,
  sequence: 8,
  soft: 9,
  hard: 10,
} as const;
const HEADER_WORDS = 16;

/** The tables, in their order in the mirror. */
export const PURGE_TABLES = ["url", "tag", "folder"] as const;
/** One of `PURGE_TABLES`. */
export type PurgeTable = (typeof PURGE_TABLES)[number];

/** What a mirror is made for. */
export interface PurgeMirrorIdentity {
  /** What keys, URLs and tags are hashed with. */
  readonly seed: number;
  /** Two random words that the tier's records bear. */
  readonly secretA: number;
  readonly secretB: number;
}

/** Words of a mirror with tables of `rows` rows, a power of two. */
export function purgeMirrorWords(rows: number): number {
  return HEADER_WORDS + PURGE_TABLES.length * rows * 2;
}

/** Writes the header of a mirror without any purge into zeroed words. */
export function formatPurgeMirror(
  words: Int32Array,
  rows: number,
  { seed, secretA, secretB }: PurgeMirrorIdentity,
): void {
  const header = [MAGIC, VERSION, rows, seed, secretA, secretB];
  for (const [at, word] of header.entries()) words[at] = word;
  words[HEADER.sequence] = 1;
  Atomics.store(words, HEADER.check, checkOf(words));
}

/** Shown a row of a table: the number of the row, hard or soft, the sequence of the purge. */
type VisitRow = (row: number, hard: boolean, sequence: number) => void;

export class PurgeMirror implements PurgeMirrorIdentity {
  readonly rows: number;
  readonly seed: number;
  readonly secretA: number;
  readonly secretB: number;
  readonly #words: Int32Array;

  /** Throws when `words` is not a mirror of this layout. */
  constructor(words: Int32Array) {
    const rows = words[HEADER.rows] ?? 0;
    const isMirror = words[HEADER.magic] === MAGIC && words[HEADER.version] === VERSION;
    if (!isMirror || words[HEADER.check] !== checkOf(words) || words.length < purgeMirrorWords(rows))
      throw new Error("edge disk: not a mirror of purges of this version");
    this.#words = words;
    this.rows = rows;
    this.seed = words[HEADER.seed] ?? 0;
    this.secretA = words[HEADER.secretA] ?? 0;
    this.secretB = words[HEADER.secretB] ?? 0;
  }

  /** The latest purge that is noted. O(rows): a row may have reached the disk before the number did. */
  latest(): number {
    let latest = Atomics.load(this.#words, HEADER.sequence);
    const end = purgeMirrorWords(this.rows);
    for (let at = HEADER.soft; at < end; at++) {
      const sequence = this.#words[at] ?? 0;
      if (sequence !== 0 && ((sequence - latest) | 0) > 0) latest = sequence;
    }
    return latest;
  }

  /** Notes a purge. O(1). */
  note(purge: Purge, sequence: number): void {
    if (purge.kind === "url" || purge.kind === "tag")
      this.raise(purge.kind, purge.hash, purge.hard, sequence);
    else if (purge.kind === "prefix") this.#notePrefix(purge.prefix, purge.hard, sequence);
    else this.#raise(purge.hard ? HEADER.hard : HEADER.soft, sequence);
    this.raiseSequence(sequence);
  }

  /** Makes a row as late as `sequence`. */
  raise(table: PurgeTable, hash: number, hard: boolean, sequence: number): void {
    this.#raise(this.#rowsOf(table) + (hash & (this.rows - 1)) * 2 + (hard ? 1 : 0), sequence);
  }

  raiseSequence(sequence: number): void {
    this.#raise(HEADER.sequence, sequence);
  }

  /** The latest purge of everything; 0 is none. */
  everything(hard: boolean): number {
    return this.#words[hard ? HEADER.hard : HEADER.soft] ?? 0;
  }

  /** Shows every row of a table that has a purge. */
  each(table: PurgeTable, visit: VisitRow): void {
    const first = this.#rowsOf(table);
    for (let word = 0; word < this.rows * 2; word++) {
      const sequence = this.#words[first + word] ?? 0;
      if (sequence !== 0) visit(word >> 1, (word & 1) === 1, sequence);
    }
  }

  #notePrefix(prefix: Uint8Array, hard: boolean, sequence: number): void {
    const folder = folderOf(prefix);
    if (folder.length === 0) this.#raise(hard ? HEADER.hard : HEADER.soft, sequence);
    else this.raise("folder", hashFolder(folder), hard, sequence);
  }

  #rowsOf(table: PurgeTable): number {
    return HEADER_WORDS + PURGE_TABLES.indexOf(table) * this.rows * 2;
  }

  #raise(at: number, sequence: number): void {
    for (;;) {
      const found = Atomics.load(this.#words, at);
      if (found !== 0 && ((sequence - found) | 0) <= 0) return;
      if (Atomics.compareExchange(this.#words, at, found, sequence) === found) return;
    }
  }
}

/** Tells a header that was written as a whole from one that was not. */
function checkOf(words: Int32Array): number {
  let check = 0x9e37_79b9 | 0;
  for (let at = 0; at < HEADER.check; at++) check = Math.imul(check ^ (words[at] ?? 0), 0x0100_0193);
  return check;
}
