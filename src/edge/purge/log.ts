/**
 * The purges there were, in the order of their sequence: what was purged, how and when.
 *
 * It is kept in memory and bounded, for who wants to know lately; the controller's log file has all of it.
 */

/** One request to purge that was carried out. */
export interface PurgeRecord {
  /** The store's number of its last purge: what was fetched from then on is not concerned. */
  readonly sequence: number;
  /** Milliseconds since the epoch. */
  readonly atMs: number;
  readonly soft: boolean;
  /** "tag product-17", "url https://shop.example/a" … */
  readonly what: readonly string[];
}

/** Characters kept: some thousand purges of some words, or a few of the longest. */
const CHARACTERS_MAX = 512 * 1024;

/** Records kept, however short. */
const RECORDS_MAX = 1000;

/** The latest records, oldest first. */
export class PurgeLog {
  readonly #records: PurgeRecord[] = [];
  #characters = 0;

  add(record: PurgeRecord): void {
    this.#records.push(record);
    this.#characters += sizeOf(record);
    while (
      this.#records.length > 1 &&
      (this.#characters > CHARACTERS_MAX || this.#records.length > RECORDS_MAX)
    )
      this.#characters -= sizeOf(this.#records.shift());
  }

  /** Those later than the one with sequence `after`, the whole list when it is not known any more. */
  list(after = 0): readonly PurgeRecord[] {
    const at = this.#records.findLastIndex(({ sequence }) => sequence === after);
    return this.#records.slice(at + 1);
  }
}

/** A few words for a list of events: `purged tag a, tag b and 7 more`. */
export function describePurge({ what, soft, sequence }: PurgeRecord): string {
  const shown = what.slice(0, SHOWN_MAX).map((text) => (text.length > 200 ? `${text.slice(0, 199)}…` : text));
  const more = what.length > SHOWN_MAX ? ` and ${what.length - SHOWN_MAX} more` : "";
  return `${soft ? "marked stale" : "purged"} ${shown.join(", ")}${more} (purge ${sequence})`;
}

/** What was purged, in portions that one line of a log has room for. */
export function logPortions(what: readonly string[]): readonly (readonly string[])[] {
  const portions: string[][] = [];
  let room = 0;
  for (const text of what) {
    room -= text.length;
    if (room < 0) portions.push([]);
    if (room < 0) room = PORTION_CHARACTERS - text.length;
    portions.at(-1)?.push(text);
  }
  return portions;
}

/** A line holds 64 KiB, and each character may be escaped. */
const PORTION_CHARACTERS = 24 * 1024;

/** Named in one event. */
const SHOWN_MAX = 3;

function sizeOf(record: PurgeRecord | undefined): number {
  return record?.what.reduce((sum, text) => sum + text.length, 0) ?? 0;
}
