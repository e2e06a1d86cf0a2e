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

/** Terms below this, relative to the largest, are taken as none: they are below a double's last bit. */
const RESCALE_AT = 1e200;

/** The steady state. O(capacity). */
export function mmck({ rateRps, serviceMs, servers, capacity }: MmckInput): Mmck {
  const load = (rateRps * serviceMs) / 1000;
  let term = 1;
  let [sum, people, waiting, empty] = [1, 0, 0, 1];
  for (let n = 1; n <= capacity; n++) {
    term *= load / Math.min(n, servers);
    sum += term;
    people += n * term;
    waiting += Math.max(0, n - servers) * term;
    if (sum < RESCALE_AT) continue;
    [term, sum, people, waiting, empty] = [term, sum, people, waiting, empty].map(
      (value) => value / RESCALE_AT,
    ) as [number, number, number, number, number];
  }
  const refusedShare = term / sum;
  const throughputRps = rateRps * (1 - refusedShare);
  const perRequest = throughputRps === 0 ? 0 : 1000 / throughputRps;
  return {
    kind: "bounded",
    utilisation: (throughputRps * serviceMs) / 1000 / servers,
    refusedShare,
    emptyShare: empty / sum,
    throughputRps,
    waitMs: (waiting / sum) * perRequest,
    responseMs: (people / sum) * perRequest,
    queued: waiting / sum,
    inSystem: people / sum,
  };
}
