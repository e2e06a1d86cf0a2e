/**
 * M/M/c/K: at most K in the system, the rest is turned away; so there is a steady state at any load (Kleinrock I, 3.6).
 */

/** What comes, how long one takes, how many servers, how many fit in (those being served included). */
export interface MmckInput {
  readonly rateRps: number;
  readonly serviceMs: number;
  readonly servers: number;
  readonly capacity: number;
}

/** Its steady state. Times are those of who was let in. */
export interface Mmck {
  readonly kind: "bounded";
  readonly utilisation: number;
  /** Share that is turned away. */
  readonly refusedShare: number;
  readonly emptyShare: number;
  readonly throughputRps: number;
  readonly waitMs: number;
  readonly responseMs: number;
  readonly queued: number;
  readonly inSystem: number;
}

/** Sums are scaled down by this before they overflow. */
const RESCALE_AT = 1e200;

/** Sums over n of p(n)/p(0) and of its multiples, all divided by the same power of `RESCALE_AT`. */
interface Sums {
  readonly empty: number;
  readonly full: number;
  readonly all: number;
  readonly busy: number;
  readonly waiting: number;
}

/** The steady state. O(capacity); nothing is subtracted, so that no overload costs a digit. */
export function mmck(input: MmckInput): Mmck {
  const { rateRps, serviceMs, servers } = input;
  const { empty, full, all, busy, waiting } = sumsOf(input);
  const [serving, queued] = [busy / all, waiting / all];
  const throughputRps = (serving * 1000) / serviceMs;
  const waitMs = serving === 0 ? 0 : (queued / serving) * serviceMs;
  return {
    kind: "bounded",
    utilisation: serving / servers,
    refusedShare: full / all,
    emptyShare: empty / all,
    throughputRps: Math.min(rateRps, throughputRps),
    waitMs,
    responseMs: waitMs + serviceMs,
    queued,
    inSystem: serving + queued,
  };
}

/** p(n) = p(n-1) x load / min(n, servers). */
function sumsOf({ rateRps, serviceMs, servers, capacity }: MmckInput): Sums {
  const load = (rateRps * serviceMs) / 1000;
  let [empty, term, all, busy, waiting] = [1, 1, 1, 0, 0];
  for (let n = 1; n <= capacity; n++) {
    const serving = Math.min(n, servers);
    term *= load / serving;
    all += term;
    busy += serving * term;
    waiting += (n - serving) * term;
    if (all < RESCALE_AT) continue;
    empty /= RESCALE_AT;
    term /= RESCALE_AT;
    all /= RESCALE_AT;
    busy /= RESCALE_AT;
    waiting /= RESCALE_AT;
  }
  return { empty, full: term, all, busy, waiting };
}
