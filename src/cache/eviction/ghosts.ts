/**
 * Keys that left of late, as fingerprints: 12 bytes a place, no key and no node kept.
 *
 * A clock counts the cost of what left; a ghost is remembered while less than `capacity` has left since. Two places per
 * bucket, of which the older is overwritten: some ghosts are forgotten early, and one in 2^30 is taken for another,
 * which costs a place in the main queue and nothing else.
 */

/** Places per ghost that is to be remembered. */
const ROOM = 4;
const PLACES_MIN = 64;
const NO_GHOST = 0;

/** What left, by hash of the key. */
export class Ghosts {
  readonly #capacity: number;
  #prints: Uint32Array = new Uint32Array(0);
  #times: Float64Array = new Float64Array(0);
  #mask = 0;
  #clock = 0;

  /** Remembers what costs so much together. */
  constructor(capacity: number) {
    this.#capacity = capacity;
    this.ensure(1);
  }

  /** Makes room for so many; when it grows, those remembered are forgotten. */
  ensure(count: number): void {
    if (count * ROOM <= this.#prints.length) return;
    const places = 2 ** Math.ceil(Math.log2(Math.max(PLACES_MIN, count * ROOM * 2)));
    this.#prints = new Uint32Array(places);
    this.#times = new Float64Array(places);
    this.#mask = places - 1;
  }

  /** Remembers a key that left. */
  add(hash: number, cost: number): void {
    this.#clock += cost;
    const first = hash & this.#mask & ~1;
    const place = (this.#times[first] ?? 0) <= (this.#times[first + 1] ?? 0) ? first : first + 1;
    this.#prints[place] = hash | 1;
    this.#times[place] = this.#clock;
  }

  /** Whether the key is remembered; then it is not any more. */
  take(hash: number): boolean {
    const first = hash & this.#mask & ~1;
    for (let place = first; place <= first + 1; place++) {
      if (this.#prints[place] !== (hash | 1) >>> 0) continue;
      this.#prints[place] = NO_GHOST;
      return this.#clock - (this.#times[place] ?? 0) <= this.#capacity;
    }
    return false;
  }
}
