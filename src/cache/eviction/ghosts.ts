/**
 * Keys that left of late, as fingerprints: 4 bytes a place, no key and no node kept.
 *
 * A clock counts the cost of what left; a ghost is remembered while less than `capacity` has left since. Two places per
 * bucket, of which the older is overwritten. So some ghosts are forgotten early, and one key in thousands is taken for a ghost: that
 * costs a place in the main queue and nothing else. Each key that enters or leaves comes by here, at random places: the
 * fewer bytes, the more of them are in the processor's cache.
 */

/** Places per ghost that is to be remembered. */
const ROOM = 2;
const PLACES_MIN = 64;
const NO_GHOST = 0;
/** A place: 16 bits of fingerprint above 16 bits of time. */
const HALF = 16;
const TIME_MASK = 0xffff;
/** Steps of time in `capacity`. The time comes round after 16 of those, when nearly all places have been overwritten. */
const STEPS = 2 ** 12;

/** What left, by hash of the key. */
export class Ghosts {
  readonly #step: number;
  #places: Uint32Array = new Uint32Array(0);
  #mask = 0;
  #clock = 0;

  /** Remembers what costs so much together. */
  constructor(capacity: number) {
    this.#step = capacity / STEPS;
    this.ensure(1);
  }

  /** Makes room for so many; when it grows, those remembered are forgotten. */
  ensure(count: number): void {
    if (count * ROOM <= this.#places.length) return;
    const places = 2 ** Math.ceil(Math.log2(Math.max(PLACES_MIN, count * ROOM)));
    this.#places = new Uint32Array(places);
    this.#mask = (places - 1) & ~1;
  }

  /** Remembers a key that left. */
  add(hash: number, cost: number): void {
    this.#clock += cost;
    const places = this.#places;
    const now = this.#now();
    const first = hash & this.#mask;
    const isFirstOlder = ageOf(places[first] ?? 0, now) >= ageOf(places[first + 1] ?? 0, now);
    places[isFirstOlder ? first : first + 1] = (printOf(hash) << HALF) | now;
  }

  /** Whether the key is remembered; then it is not any more. */
  take(hash: number): boolean {
    const places = this.#places;
    const print = printOf(hash);
    const first = hash & this.#mask;
    for (let place = first; place <= first + 1; place++) {
      const ghost = places[place] ?? NO_GHOST;
      if (ghost >>> HALF !== print) continue;
      places[place] = NO_GHOST;
      return ageOf(ghost, this.#now()) <= STEPS;
    }
    return false;
  }

  /** The clock in steps. */
  #now(): number {
    return Math.floor(this.#clock / this.#step) & TIME_MASK;
  }
}

/** Never 0, which is no ghost's. From the bits that do not name the bucket, unless there are very many. */
function printOf(hash: number): number {
  return (hash >>> HALF) | 1;
}

function ageOf(ghost: number, now: number): number {
  return ghost === NO_GHOST ? TIME_MASK : (now - ghost) & TIME_MASK;
}
