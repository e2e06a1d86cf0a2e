/**
 * Purges that cost the same for one object and for millions: what is purged is noted, not looked for.
 *
 * A sequence number counts the purges. Lossy tables hold, for each hash of a URL, a tag or a folder (host and path
 * up to a "/"), the sequence of the latest purge, hard and soft. An object carries the sequence up to which it is
 * known to be clean: at first the one that was read before its request went to the origin, so that an answer that
 * was under way while a purge came is not taken for a fresh one. A hit compares that number with the current one,
 * and only when they differ looks into the tables. Two hashes in one row purge too much, never too little.
 *
 * Order matters and nothing is locked: a row is written before the sequence that it names is published, and a row
 * whose sequence is not yet published counts already.
 */
import type { Columns } from "./columns.ts";
import { folderOf, HASH_START, hashByte, hashFolder, isFolder, SLASH, spread } from "./folders.ts";
import { type Block, HEADER, UNIT_WORDS } from "./layout.ts";
import { PrefixList } from "./prefixes.ts";
import { PURGE_TABLES, type PurgeMirror, type PurgeTable } from "./purge-mirror.ts";
import { keyAt, RECORD, type RecordMemory, tagsAt } from "./record.ts";
import { isLater, nextSequence, PURGED, type Purged, TURN } from "./sequence.ts";

/** What to purge. Soft: stays usable as stale. Hashes are those that the objects were stored with. */
export type Purge =
  | { readonly kind: "url"; readonly hash: number; readonly hard: boolean }
  | { readonly kind: "tag"; readonly hash: number; readonly hard: boolean }
  /** All whose host and path begin with these bytes; O(1) for folders, which end in "/". */
  | { readonly kind: "prefix"; readonly prefix: Uint8Array; readonly hard: boolean }
  | { readonly kind: "all"; readonly hard: boolean };

export class Purges {
  readonly #block: RecordMemory;
  readonly #words: Int32Array;
  readonly #bytes: Uint8Array;
  readonly #mask: number;
  readonly #urlRows: number;
  readonly #tagRows: number;
  readonly #folderRows: number;
  readonly #columns: Columns;
  readonly #list: PrefixList;

  constructor(block: Block, columns: Columns) {
    this.#block = block;
    this.#words = block.words;
    this.#bytes = block.bytes;
    this.#mask = block.layout.sizes.purgeRows - 1;
    this.#urlRows = block.layout.urlRows;
    this.#tagRows = block.layout.tagRows;
    this.#folderRows = block.layout.folderRows;
    this.#columns = columns;
    this.#list = new PrefixList(block);
  }

  /** The number of the latest purge, to be read before a request goes to the origin. */
  get sequence(): number {
    return Atomics.load(this.#words, HEADER.sequence);
  }

  /** Whether a purge needs the list of prefixes, which is written under the store's lock. */
  needsList(purge: Purge): boolean {
    return purge.kind === "prefix" && !isFolder(purge.prefix);
  }

  /**
   * Carries out a purge. Its sequence: what was stored with this one or a later one is not concerned. 0 when nothing
   * was done because this is the purge before which the index must be emptied; `isEmpty` says that it was.
   */
  purge(purge: Purge, isEmpty: boolean): number {
    for (;;) {
      const current = this.sequence;
      const next = nextSequence(current);
      if ((next & (TURN - 1)) === 0 && !isEmpty) return 0;
      this.#note(purge, next);
      if (Atomics.compareExchange(this.#words, HEADER.sequence, current, next) === current) return next;
    }
  }

  /** What the purges so far mean for the record of this unit, which is marked as checked. O(1) most of the time. */
  check(unit: number): Purged {
    return this.#check(this.#block, unit);
  }

  /**
   * The same for a record in other memory, which may have been away for long: one whose sequence is so old, or so new,
   * that comparing it says nothing counts as purged.
   */
  checkForeign(memory: RecordMemory, unit: number): Purged {
    const behind = (this.sequence - (memory.words[unit * UNIT_WORDS + RECORD.checkedSequence] ?? 0)) | 0;
    return behind < 0 || behind >= TURN ? PURGED.hard : this.#check(memory, unit);
  }

  /** Copies all that was purged into `mirror`, prefixes as the folders they lie in. Under the store's lock. */
  copyTo(mirror: PurgeMirror): void {
    // Before the rows: a purge that comes meanwhile is noted in the mirror by who carries it out.
    mirror.raiseSequence(this.sequence);
    this.#list.each((prefix, hard, sequence) => mirror.note({ kind: "prefix", prefix, hard }, sequence));
    for (const table of PURGE_TABLES) {
      const rows = this.#rowsOf(table);
      for (let word = 0; word <= this.#mask * 2 + 1; word++) {
        const sequence = this.#words[rows + word] ?? 0;
        if (sequence !== 0) mirror.raise(table, word >> 1, (word & 1) === 1, sequence);
      }
    }
    for (const hard of [false, true]) {
      const sequence = this.#words[hard ? HEADER.everythingHard : HEADER.everythingSoft] ?? 0;
      if (sequence !== 0) mirror.note({ kind: "all", hard }, sequence);
    }
  }

  /** Makes `mirror` what was purged so far. Only of an empty store that nobody else uses. */
  adopt(mirror: PurgeMirror, sequence: number): void {
    for (const table of PURGE_TABLES) {
      const rows = this.#rowsOf(table);
      mirror.each(table, (row, hard, purged) => {
        // A table of fewer rows than ours says nothing about the other bits of a hash.
        for (let at = row & this.#mask; at <= this.#mask; at += mirror.rows)
          this.#raise(rows + at * 2 + (hard ? 1 : 0), purged);
      });
    }
    if (mirror.everything(true) !== 0) this.#raise(HEADER.everythingHard, mirror.everything(true));
    if (mirror.everything(false) !== 0) this.#raise(HEADER.everythingSoft, mirror.everything(false));
    Atomics.store(this.#words, HEADER.sequence, sequence);
  }

  #rowsOf(table: PurgeTable): number {
    if (table === "url") return this.#urlRows;
    return table === "tag" ? this.#tagRows : this.#folderRows;
  }

  #check(memory: RecordMemory, unit: number): Purged {
    const { words } = memory;
    const at = unit * UNIT_WORDS;
    const current = this.sequence;
    if (words[at + RECORD.checkedSequence] === current) {
      return words[at + RECORD.softPurged] === 0 ? PURGED.no : PURGED.soft;
    }
    const found = this.#lookUp(memory, at, words[at + RECORD.checkedSequence] ?? 0);
    if (found === PURGED.hard) return found;
    // This order: who sees the sequence sees the mark.
    if (found === PURGED.soft) Atomics.store(words, at + RECORD.softPurged, 1);
    Atomics.store(words, at + RECORD.checkedSequence, current);
    return words[at + RECORD.softPurged] === 0 ? PURGED.no : PURGED.soft;
  }

  /** Whether `purge` concerns the record of this unit: the dry run of a purge, exact but for the tables' hashes. */
  concerns(purge: Purge, unit: number): boolean {
    const at = unit * UNIT_WORDS;
    switch (purge.kind) {
      case "all":
        return true;
      case "url":
        return this.#words[at + RECORD.urlHash] === (purge.hash | 0);
      case "tag":
        return this.#hasTag(at, purge.hash | 0);
      case "prefix":
        return this.#beginsWith(at, purge.prefix);
      default:
        return purge satisfies never;
    }
  }

  #lookUp(memory: RecordMemory, at: number, checked: number): Purged {
    // The list first: a row leaves it only after its folder has been noted in the table.
    let found = this.#list.check(memory, at, checked);
    this.#columns.fence();
    const { words } = memory;
    const worse = (purged: Purged): void => {
      if (purged > found) found = purged;
    };
    if (isLater(this.#words[HEADER.everythingHard] ?? 0, checked)) return PURGED.hard;
    if (isLater(this.#words[HEADER.everythingSoft] ?? 0, checked)) worse(PURGED.soft);
    worse(this.#row(this.#urlRows, words[at + RECORD.urlHash] ?? 0, checked));
    const tags = words[at + RECORD.tagCount] ?? 0;
    for (let tag = 0; tag < tags; tag++) {
      worse(this.#row(this.#tagRows, words[tagsAt(at) + tag] ?? 0, checked));
    }
    worse(this.#folders(memory, at, checked));
    return found;
  }

  /** Looks up every folder that the record's URL lies in. O(length of the path). */
  #folders({ words, bytes }: RecordMemory, at: number, checked: number): Purged {
    const key = keyAt(words, at) * 4;
    const end = key + (words[at + RECORD.pathEnd] ?? 0);
    let found: Purged = PURGED.no;
    let hash = HASH_START;
    for (let byte = key + (words[at + RECORD.urlStart] ?? 0); byte < end; byte++) {
      const value = bytes[byte] ?? 0;
      hash = hashByte(hash, value);
      if (value !== SLASH) continue;
      const purged = this.#row(this.#folderRows, spread(hash), checked);
      if (purged > found) found = purged;
    }
    return found;
  }

  #row(rows: number, hash: number, checked: number): Purged {
    const row = rows + (hash & this.#mask) * 2;
    if (isLater(this.#words[row + 1] ?? 0, checked)) return PURGED.hard;
    return isLater(this.#words[row] ?? 0, checked) ? PURGED.soft : PURGED.no;
  }

  #note(purge: Purge, sequence: number): void {
    switch (purge.kind) {
      case "all":
        this.#raise(purge.hard ? HEADER.everythingHard : HEADER.everythingSoft, sequence);
        break;
      case "url":
        this.#noteRow(this.#urlRows, purge.hash, purge.hard, sequence);
        break;
      case "tag":
        this.#noteRow(this.#tagRows, purge.hash, purge.hard, sequence);
        break;
      case "prefix":
        this.#notePrefix(purge.prefix, purge.hard, sequence);
        break;
      default:
        purge satisfies never;
    }
  }

  #noteRow(rows: number, hash: number, hard: boolean, sequence: number): void {
    this.#raise(rows + (hash & this.#mask) * 2 + (hard ? 1 : 0), sequence);
  }

  #notePrefix(prefix: Uint8Array, hard: boolean, sequence: number): void {
    if (isFolder(prefix)) {
      this.#noteRow(this.#folderRows, hashFolder(prefix), hard, sequence);
      return;
    }
    this.#list.makeRoom(prefix, (old, oldHard, oldSequence) => {
      const folder = folderOf(old);
      if (folder.length === 0)
        this.#raise(oldHard ? HEADER.everythingHard : HEADER.everythingSoft, oldSequence);
      else this.#noteRow(this.#folderRows, hashFolder(folder), oldHard, oldSequence);
    });
    this.#list.note(prefix, hard, sequence);
  }

  /** Makes a row as late as `sequence`, unless another purge made it later. */
  #raise(at: number, sequence: number): void {
    for (;;) {
      const row = Atomics.load(this.#words, at);
      if (row !== 0 && ((sequence - row) | 0) <= 0) return;
      if (Atomics.compareExchange(this.#words, at, row, sequence) === row) return;
    }
  }

  #hasTag(at: number, hash: number): boolean {
    const tags = tagsAt(at);
    const end = tags + (this.#words[at + RECORD.tagCount] ?? 0);
    for (let tag = tags; tag < end; tag++) if (this.#words[tag] === hash) return true;
    return false;
  }

  #beginsWith(at: number, prefix: Uint8Array): boolean {
    const start = keyAt(this.#words, at) * 4 + (this.#words[at + RECORD.urlStart] ?? 0);
    const length = (this.#words[at + RECORD.keyBytes] ?? 0) - (this.#words[at + RECORD.urlStart] ?? 0);
    return length >= prefix.length && prefix.every((byte, index) => this.#bytes[start + index] === byte);
  }
}
