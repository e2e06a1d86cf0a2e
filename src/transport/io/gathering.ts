/**
 * How many arrivals a loop waits for at once. To be woken for each costs more than a send, so where they come quickly, and
 * from many sockets, the loop sleeps until some are there.
 *
 * Nobody should notice. A wait takes at most half of what an exchange takes: from a request on a connection of ours to the
 * first byte of its answer, as the median has it. While the servers have time to spare that is too short for another
 * arrival; once requests queue up before them, it costs nothing. Few clients, each of which waits for its answer, must not
 * wait for one another: only a quarter of the sockets that were heard of lately is waited for. Of a proxy's requests each
 * has two, so at least half go on meanwhile. A server that asks nobody never waits.
 */

/** Rounds between two decisions. */
const ROUNDS = 64;

/** More do not make a wake-up noticeably cheaper. */
const ARRIVALS_MAX = 16;

/** Sockets heard of, for each arrival that is waited for. */
const SOCKETS_EACH = 4;

/** Longest wait for further arrivals when there is one. */
const LONGEST_US = 400;

/** The part of an exchange that a wait may take. */
const SHARE = 1 / 2;

/** How far one exchange moves the median. Below a microsecond there is none. */
const STEP = 0.01;

/** Of a connection that is not ours, and of one of ours without a request: instead of the time of its round. */
const NOT_OURS = -1;
const NOT_ASKED = 0;

/** Sockets are told apart by so many places, a power of two: enough to see that there are 8 x 16. */
const PLACES = 256;

const US_PER_MS = 1000;

/** Counts arrivals, and says how many the next wait is for. */
export class Gathering {
  /** What the next wait is for; 1: the first arrival ends it. */
  wanted = 1;
  /** …and the longest that it takes, once the first is there. */
  withinUs = 0;
  /** When the present round began. */
  #roundMs: number;
  /** By place of a socket: the round in which it was asked what has not been answered. */
  readonly #askedMs: number[] = [];
  /** The median exchange, followed: up a little at each longer exchange, down as much at each shorter one. */
  #exchangeUs = 1;
  readonly #nowMs: () => number;
  /** By place: the stretch of rounds in which the socket was heard of last. */
  readonly #heard = new Int32Array(PLACES);
  #stretch = 1;
  #sockets = 0;
  #rounds = 0;
  #arrivals = 0;
  #sinceMs: number;

  /** `nowMs`: a monotonic clock with fractions. */
  constructor(nowMs: () => number) {
    this.#nowMs = nowMs;
    this.#roundMs = this.#sinceMs = nowMs();
  }

  /** A round begins: the wait is over. */
  begin(): void {
    this.#roundMs = this.#nowMs();
  }

  /** The socket of this place is ours from now on: what is sent asks for an answer. */
  opened(place: number): void {
    while (this.#askedMs.length <= place) this.#askedMs.push(NOT_OURS);
    this.#askedMs[place] = NOT_ASKED;
  }

  /** The socket of this place is gone. */
  closed(place: number): void {
    if (place < this.#askedMs.length) this.#askedMs[place] = NOT_OURS;
  }

  /** Something is sent. */
  sent(place: number): void {
    if (this.#askedMs[place] === NOT_ASKED) this.#askedMs[place] = this.#roundMs;
  }

  /** Something arrived at the socket of this place. */
  arrived(place: number): void {
    const askedMs = this.#askedMs[place] ?? NOT_OURS;
    if (askedMs > NOT_ASKED) this.#answered(place, (this.#roundMs - askedMs) * US_PER_MS);
    this.#arrivals++;
    const at = place & (PLACES - 1);
    if (this.#heard[at] === this.#stretch) return;
    this.#heard[at] = this.#stretch;
    this.#sockets++;
  }

  #answered(place: number, tookUs: number): void {
    this.#askedMs[place] = NOT_ASKED;
    this.#exchangeUs = Math.max(1, this.#exchangeUs * (tookUs > this.#exchangeUs ? 1 + STEP : 1 - STEP));
  }

  /** A round is over. */
  round(): void {
    if (++this.#rounds < ROUNDS) return;
    const perUs = this.#arrivals / Math.max(1, (this.#roundMs - this.#sinceMs) * US_PER_MS);
    this.withinUs = Math.min(LONGEST_US, Math.floor(this.#exchangeUs * SHARE));
    const most = Math.min(ARRIVALS_MAX, perUs * this.withinUs, this.#sockets / SOCKETS_EACH);
    this.wanted = Math.max(1, Math.floor(most));
    this.#stretch = (this.#stretch + 1) | 0;
    this.#sockets = this.#rounds = this.#arrivals = 0;
    this.#sinceMs = this.#roundMs;
  }
}
