/**
 * The log of purges that this installation tells the others of, and how far it is in theirs: in one journal file, each write
 * synced before it counts, so that both outlive a crash at any moment.
 *
 * Entries take turns in a fixed number of places: the log is bounded, and a new entry is one write.
 */
import type { Clock } from "../base/index.ts";
import type { StateStore } from "../control/index.ts";
import type { PurgeJson, PurgePosition } from "../edge/index.ts";

/** Entries kept: what a receiver may miss and still be told one by one. Hours of a busy site. */
const ENTRIES_MAX = 4096;

/** Their size in all, should they be large ones. */
const BYTES_MAX = 32 * 1024 * 1024;

/** One entry of the log. */
interface Entry {
  readonly number: number;
  readonly atMs: number;
  /** Repeats earlier ones, for a shield that was late. */
  readonly isRepeat: boolean;
  readonly order: PurgeJson;
}

/** An entry and its size as it is written. */
interface Kept extends Entry {
  readonly bytes: number;
}

/** Bounds that tests choose. */
export interface JournalBounds {
  readonly entriesMax?: number;
  readonly bytesMax?: number;
}

const EPOCH = "epoch";
const EVERYTHING: PurgeJson = { everything: true };

export class PurgeJournal {
  readonly #store: StateStore;
  readonly #clock: Clock;
  readonly #entriesMax: number;
  readonly #bytesMax: number;
  #entries: Kept[] = [];
  #bytes = 0;
  #head = 0;
  #epoch = "";
  readonly #positions = new Map<string, PurgePosition>();

  private constructor(store: StateStore, clock: Clock, bounds: JournalBounds) {
    this.#store = store;
    this.#clock = clock;
    this.#entriesMax = bounds.entriesMax ?? ENTRIES_MAX;
    this.#bytesMax = bounds.bytesMax ?? BYTES_MAX;
  }

  /** Reads what the store has. A log that `isDamaged` begins another epoch; a new one has none until `renew`. */
  static async open(
    store: StateStore,
    { clock, isDamaged }: { readonly clock: Clock; readonly isDamaged: boolean },
    bounds: JournalBounds = {},
  ): Promise<PurgeJournal> {
    const journal = new PurgeJournal(store, clock, bounds);
    await journal.#read();
    if (journal.#epoch !== "" && isDamaged) await journal.renew();
    return journal;
  }

  get epoch(): string {
    return this.#epoch;
  }
  /** Number of the latest entry; 0 for none. */
  get head(): number {
    return this.#head;
  }
  /** Number of the oldest entry that is still there; one more than `head` when there is none. */
  get oldest(): number {
    return this.#entries[0]?.number ?? this.#head + 1;
  }

  /** Appends a purge; its number, once it is durable. Rejects when it cannot be written. Calls come one at a time. */
  async append(order: PurgeJson, isRepeat = false): Promise<number> {
    const entry: Entry = { number: this.#head + 1, atMs: this.#clock.wallMs(), isRepeat, order };
    const text = JSON.stringify(entry);
    await this.#store.put(this.#place(entry.number), text, "any");
    this.#head = entry.number;
    this.#keep({ ...entry, bytes: text.length });
    await this.#trim();
    return entry.number;
  }

  /** Begins another epoch, with a purge of everything: whatever receivers had of the old one, they forget it all, in order. */
  async renew(): Promise<void> {
    await this.append(EVERYTHING);
    const epoch = crypto.randomUUID();
    await this.#store.put(EPOCH, epoch, "any");
    this.#epoch = epoch;
  }

  /** Entries from this number to that one, both included, as far as they are there: at most so many, and so much. */
  slice(
    from: number,
    to: number,
    { countMax, bytesMax }: { countMax: number; bytesMax: number },
  ): readonly Entry[] {
    const start = from - this.oldest;
    const chosen: Entry[] = [];
    let bytes = 0;
    for (const entry of start < 0 ? [] : this.#entries.slice(start, start + countMax)) {
      bytes += entry.bytes;
      if (entry.number > to || (chosen.length > 0 && bytes > bytesMax)) break;
      chosen.push(entry);
    }
    return chosen;
  }

  /** When an entry was appended, by the wall clock; undefined when it is no longer there. */
  atMs(number: number): number | undefined {
    return this.#entries[number - this.oldest]?.atMs;
  }

  /** How far this installation is in the log of another. */
  position(from: string): PurgePosition | undefined {
    return this.#positions.get(from);
  }
  /** The installations whose logs it has heard of. */
  get senders(): number {
    return this.#positions.size;
  }

  async setPosition(from: string, position: PurgePosition): Promise<void> {
    await this.#store.put(`from/${from}`, JSON.stringify(position), "any");
    this.#positions.set(from, position);
  }

  async #read(): Promise<void> {
    const { entries } = await this.#store.list("");
    const found: Kept[] = [];
    for (const { key, value } of entries) {
      if (key === EPOCH) this.#epoch = value;
      else if (key.startsWith("from/"))
        this.#positions.set(key.slice("from/".length), JSON.parse(value) as PurgePosition);
      else found.push({ ...(JSON.parse(value) as Entry), bytes: value.length });
    }
    found.sort((a, b) => a.number - b.number);
    this.#head = found.at(-1)?.number ?? 0;
    // Only what leads to the latest without a gap can be sent.
    const gap = found.findLastIndex(({ number }, at) => number !== this.#head - (found.length - 1 - at));
    for (const entry of found.slice(gap + 1)) this.#keep(entry);
  }

  #keep(entry: Kept): void {
    this.#entries.push(entry);
    this.#bytes += entry.bytes;
    // Its place has been taken.
    if (this.#entries.length > this.#entriesMax) this.#bytes -= this.#entries.shift()?.bytes ?? 0;
  }

  async #trim(): Promise<void> {
    while (this.#bytes > this.#bytesMax && this.#entries.length > 1) {
      const oldest = this.#entries.shift();
      if (oldest === undefined) return;
      this.#bytes -= oldest.bytes;
      await this.#store.delete(this.#place(oldest.number), "any");
    }
  }

  #place(number: number): string {
    return `entry/${number % this.#entriesMax}`;
  }
}
