/**
 * The embedded state store: one append-only journal file for one machine.
 *
 * A write is appended, fsynced, applied and only then acknowledged, one after the other. When the journal has grown
 * to several times what it says, it is rewritten beside itself and renamed over. A torn or damaged end is cut off at
 * opening and reported; a damaged one is kept beside the journal for whoever wants to look.
 */
import { type FileHandle, open, readFile } from "node:fs/promises";
import { writeFileAtomic } from "../../base/io/index.ts";
import { decodeJournal, encodeRecord, type JournalTail } from "../journal-codec.ts";
import { KeySpace } from "../key-space.ts";
import type { Expected, StateStore, WriteResult } from "../state-store.ts";

/** A journal below this is not worth rewriting: it replays in a few milliseconds. */
const COMPACT_BYTES_MIN = 1024 * 1024;

/** Rewritten when it is this many times larger than after the last rewrite. */
const COMPACT_FACTOR = 4;

/** State holds environments of services, which may hold secrets: for the owner alone. */
const JOURNAL_MODE = 0o600;

export interface JournalStore extends StateStore {
  /** What was found at the end of the file when it was opened. */
  readonly tail: JournalTail;
}

/** The journal cannot be written, as on a full disk; the message says what mends it. Nothing has changed. */
export class JournalFailure extends Error {}

/** What may be set when a journal is opened. */
export interface JournalStoreOptions {
  /** Rewrite threshold, for tests; default 1 MiB. */
  readonly compactBytesMin?: number;
}

/**
 * Opens or creates the journal at `path`; its folder must exist. The caller holds the lock of the state directory.
 * Rejects with the system's error when the file cannot be read or written.
 */
export async function openJournalStore(
  path: string,
  options: JournalStoreOptions = {},
): Promise<JournalStore> {
  const bytes = await readIfThere(path);
  const { records, goodBytes, tail } = decodeJournal(bytes);
  if (tail.kind === "corrupt")
    await writeFileAtomic(`${path}.damaged`, bytes.subarray(goodBytes), JOURNAL_MODE);
  const space = new KeySpace();
  for (const record of records) space.apply(record);
  space.forgetHistory();
  const journal = new Journal(path, space, options.compactBytesMin ?? COMPACT_BYTES_MIN);
  await journal.open(goodBytes);
  return storeOver(journal, space, tail);
}

function storeOver(journal: Journal, space: KeySpace, tail: JournalTail): JournalStore {
  return {
    tail,
    get: async (key) => space.get(key),
    list: async (prefix) => ({ entries: space.list(prefix), revision: space.revision }),
    put: (key, value, expected) => journal.write(key, value, expected),
    delete: (key, expected) => journal.write(key, undefined, expected),
    watch: (prefix, fromRevision, onChange) => space.watch(prefix, fromRevision, onChange),
    close: () => journal.close(),
  };
}

/** The file and the queue of writes to it. */
class Journal {
  readonly #path: string;
  readonly #space: KeySpace;
  readonly #compactBytesMin: number;
  #file: FileHandle | undefined;
  #bytes = 0;
  #bytesAfterCompaction = 0;
  #last: Promise<unknown> = Promise.resolve();
  #broken: string | undefined;

  constructor(path: string, space: KeySpace, compactBytesMin: number) {
    this.#path = path;
    this.#space = space;
    this.#compactBytesMin = compactBytesMin;
  }

  async open(goodBytes: number): Promise<void> {
    this.#file = await open(this.#path, "a+", JOURNAL_MODE);
    await this.#file.truncate(goodBytes);
    await this.#file.sync();
    this.#bytes = goodBytes;
  }

  /** Queues one write; each sees the outcome of all before it. */
  write(key: string, value: string | undefined, expected: Expected): Promise<WriteResult> {
    const run = this.#last.then(() => this.#writeNow(key, value, expected));
    this.#last = run.catch(() => {});
    return run;
  }

  async #writeNow(key: string, value: string | undefined, expected: Expected): Promise<WriteResult> {
    const file = this.#usable();
    const planned = this.#space.plan(key, value, expected);
    if (planned.kind === "settled") return planned.result;
    await this.#append(file, encodeRecord(planned.record));
    this.#space.apply(planned.record);
    await this.#compactWhenDue();
    return { kind: "done", revision: planned.record.revision };
  }

  #usable(): FileHandle {
    if (this.#broken !== undefined) throw new JournalFailure(this.#broken);
    if (this.#file === undefined) throw new Error(`state journal ${this.#path} is closed`);
    return this.#file;
  }

  /** A record that is only half there is taken back, so that the next one does not stand behind rubbish. */
  async #append(file: FileHandle, bytes: Uint8Array): Promise<void> {
    try {
      await file.appendFile(bytes);
      await file.datasync();
      this.#bytes += bytes.length;
    } catch (problem) {
      await file.truncate(this.#bytes).catch(() => this.#giveUp(problem));
      const message = `state journal ${this.#path} cannot be written: free space on its disk, or mend its rights`;
      throw new JournalFailure(message, { cause: problem });
    }
  }

  #giveUp(problem: unknown): void {
    this.#broken = `state journal ${this.#path} is unusable after ${String(problem)}: mend the disk and start again`;
  }

  async #compactWhenDue(): Promise<void> {
    const due = Math.max(this.#compactBytesMin, this.#bytesAfterCompaction * COMPACT_FACTOR);
    if (this.#bytes < due) return;
    const records = this.#space.compacted().map(encodeRecord);
    // A failed rewrite leaves the old journal in place and whole: the write that came before it stays done.
    await this.#replace(Buffer.concat(records)).catch((problem: unknown) => this.#giveUp(problem));
  }

  async #replace(bytes: Uint8Array): Promise<void> {
    await writeFileAtomic(this.#path, bytes, JOURNAL_MODE);
    const renamed = await open(this.#path, "a+", JOURNAL_MODE);
    await this.#file?.close();
    this.#file = renamed;
    this.#bytes = bytes.length;
    this.#bytesAfterCompaction = bytes.length;
  }

  async close(): Promise<void> {
    await this.#last;
    await this.#file?.close();
    this.#file = undefined;
  }
}

async function readIfThere(path: string): Promise<Uint8Array> {
  try {
    return await readFile(path);
  } catch (problem) {
    if (problem instanceof Error && "code" in problem && problem.code === "ENOENT") return new Uint8Array();
    throw problem;
  }
}
