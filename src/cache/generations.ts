/**
 * Invalidations by tag, by prefix and of everything, at a constant price: each raises one counter, and an entry made
 * before is found out when it is looked at.
 *
 * An entry remembers the counter from BEFORE its value was loaded. So an invalidation during a load makes the loaded
 * value invalid on arrival, and no set can bring back what was invalidated. Counters, never clocks.
 */

/** Tags told apart; beyond, all tagged entries from before are invalid: one slow minute instead of unbounded memory. */
const TAGS_MAX = 100_000;
/** Prefixes told apart; each costs a comparison when an entry from before is looked at. */
const PREFIXES_MAX = 64;

/** The counter and what it was at when tags and prefixes were invalidated last. */
export class Generations {
  #now = 0;
  /** Entries from before this are invalid, whatever they are. */
  #floor = 0;
  /** As #floor, of entries with tags. */
  #taggedFloor = 0;
  readonly #tags: Map<string, number> = new Map<string, number>();
  readonly #prefixes: Map<string, number> = new Map<string, number>();

  /** The counter: what an entry remembers. */
  get now(): number {
    return this.#now;
  }

  /** Invalidates what carries the tag. */
  invalidateTag(tag: string): void {
    this.#now++;
    this.#tags.set(tag, this.#now);
    if (this.#tags.size <= TAGS_MAX) return;
    this.#taggedFloor = this.#now;
    this.#tags.clear();
  }

  /** Invalidates all keys that start so. */
  invalidatePrefix(prefix: string): void {
    this.#now++;
    this.#prefixes.set(prefix, this.#now);
    if (this.#prefixes.size > PREFIXES_MAX) this.invalidateAll();
  }

  /** Invalidates everything. */
  invalidateAll(): void {
    this.#now++;
    this.#floor = this.#now;
    this.#tags.clear();
    this.#prefixes.clear();
  }

  /** Whether an entry whose load began at counter `since` is still valid. O(tags of the entry + prefixes). */
  isCurrent(key: string, tags: readonly string[], since: number): boolean {
    if (since >= this.#now) return true;
    if (since < this.#floor || (tags.length > 0 && since < this.#taggedFloor)) return false;
    for (const tag of tags) {
      if ((this.#tags.get(tag) ?? 0) > since) return false;
    }
    for (const [prefix, at] of this.#prefixes) {
      if (at > since && key.startsWith(prefix)) return false;
    }
    return true;
  }
}
