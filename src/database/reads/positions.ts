/** How far the primary's log went at which time, as far as it was asked: what turns a replica's position into a time. */
import type { Lsn } from "../../pgwire/index.ts";

/** A position. Everything that was committed before `atMs` lies before it. */
export interface Position {
  readonly lsn: Lsn;
  /** When the primary was asked, on the monotonic clock. */
  readonly atMs: number;
}

/** Positions kept: 20 s of the smallest distance. */
const KEPT_MAX = 200;
/** Two that are kept lie apart so far. */
const DISTANCE_MS = 100;

export class Positions {
  #kept: Position[] = [];
  #latest: Position | undefined;

  /** The last one. */
  get latest(): Position | undefined {
    return this.#latest;
  }

  add(position: Position): void {
    if (this.#latest !== undefined && position.atMs < this.#latest.atMs) return;
    this.#latest = position;
    const last = this.#kept.at(-1);
    if (last !== undefined && position.atMs - last.atMs < DISTANCE_MS) return;
    this.#kept.push(position);
    if (this.#kept.length > KEPT_MAX) this.#kept.shift();
  }

  /** There is another primary. */
  clear(): void {
    this.#kept = [];
    this.#latest = undefined;
  }

  /** The oldest one not older than `sinceMs`: whoever has replayed it has all that was committed before `sinceMs`. */
  since(sinceMs: number): Lsn | undefined {
    const kept = this.#kept.find(({ atMs }) => atMs >= sinceMs) ?? this.#latest;
    return kept !== undefined && kept.atMs >= sinceMs ? kept.lsn : undefined;
  }

  /**
   * How long ago the primary was where a replica is now: 0 when the replica has replayed the last position known, else between two
   * positions in proportion. At least the age of the oldest one where the replica is behind all of them.
   */
  lagMs(replayed: Lsn, nowMs: number): number {
    const latest = this.#latest;
    if (latest === undefined || replayed >= latest.lsn) return 0;
    const at = this.#kept.findLastIndex(({ lsn }) => lsn <= replayed);
    const before = this.#kept[Math.max(0, at)] ?? latest;
    if (at < 0) return nowMs - before.atMs;
    const after = this.#kept[at + 1] ?? latest;
    const whole = Number(after.lsn - before.lsn);
    const share = whole > 0 ? Number(replayed - before.lsn) / whole : 1;
    return Math.max(0, nowMs - (before.atMs + share * (after.atMs - before.atMs)));
  }

  lagBytes(replayed: Lsn): number {
    const latest = this.#latest;
    return latest === undefined || replayed >= latest.lsn ? 0 : Number(latest.lsn - replayed);
  }
}

/** The block's header that begins a page of the log, and a file of it (short and long XLogPageHeaderData). */
const PAGE_HEADERS: readonly bigint[] = [24n, 40n];

/**
 * What a replica must have replayed to have all before `inserted`, which is where the primary will write next. Behind the end of a page
 * that is behind the next page's header, which no replica reaches before something is written there.
 */
export function endOfLog(inserted: Lsn, blockSize: number): Lsn {
  const offset = inserted % BigInt(blockSize);
  return PAGE_HEADERS.includes(offset) ? inserted - offset : inserted;
}
