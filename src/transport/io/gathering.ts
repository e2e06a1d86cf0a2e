/**
 * How many arrivals a loop waits for at once. To be woken for each costs as much as a send, so where they come quickly, and
 * from many sockets, the loop sleeps until some are there.
 *
 * Few clients, each of which waits for its answer, must not wait for one another: only an eighth of the sockets that were
 * heard of lately is waited for. Of a proxy's requests each has two, so at least three in four go on meanwhile.
 */

/** Rounds between two looks at the clock. */
const ROUNDS = 64;

/** More do not make a wake-up noticeably cheaper. */
const ARRIVALS_MAX = 16;

/** Sockets heard of, for each arrival that is waited for. */
const SOCKETS_EACH = 8;

/** Sockets are told apart by so many places, a power of two: enough to see that there are 8 x 16. */
const PLACES = 256;

const US_PER_MS = 1000;

/** Counts arrivals, and says how many the next wait is for. */
export class Gathering {
  /** What the next wait is for; 1: the first arrival ends it. */
  wanted = 1;
  readonly #withinUs: number;
  readonly #nowMs: () => number;
  /** By place: the stretch of rounds in which the socket was heard of last. */
  readonly #heard = new Int32Array(PLACES);
  #stretch = 1;
  #sockets = 0;
  #rounds = 0;
  #arrivals = 0;
  #sinceMs: number;

  /** `withinUs`: what comes within this time is worth waiting for. `nowMs`: a monotonic clock with fractions. */
  constructor(withinUs: number, nowMs: () => number) {
    this.#withinUs = withinUs;
    this.#nowMs = nowMs;
    this.#sinceMs = nowMs();
  }

  /** Something arrived at the socket of this place. */
  arrived(place: number): void {
    this.#arrivals++;
    const at = place & (PLACES - 1);
    if (this.#heard[at] === this.#stretch) return;
    this.#heard[at] = this.#stretch;
    this.#sockets++;
  }

  /** A round is over. */
  round(): void {
    if (++this.#rounds < ROUNDS) return;
    const nowMs = this.#nowMs();
    const perUs = this.#arrivals / Math.max(1, (nowMs - this.#sinceMs) * US_PER_MS);
    const most = Math.min(ARRIVALS_MAX, perUs * this.#withinUs, this.#sockets / SOCKETS_EACH);
    this.wanted = Math.max(1, Math.floor(most));
    this.#stretch = (this.#stretch + 1) | 0;
    this.#sockets = this.#rounds = this.#arrivals = 0;
    this.#sinceMs = nowMs;
  }
}
