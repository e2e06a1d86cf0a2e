/**
 * M/M/c: arrivals and services without memory, c servers, one queue (Erlang 1917; Kleinrock, "Queueing Systems" I, 3.5).
 * M/M/1 is c = 1.
 */
import { erlangC } from "./erlang.ts";
import { type Steady, steadyOf, type Unstable, unstable } from "./steady.ts";

/** What comes, how long one takes, how many servers. */
export interface MmcInput {
  readonly rateRps: number;
  readonly serviceMs: number;
  readonly servers: number;
}

/** The steady state of M/M/c; its whole distribution is in `tails.ts`. */
export interface Mmc extends Steady {
  /** Nobody is there. */
  readonly emptyShare: number;
  readonly input: MmcInput;
}

/** Sums are scaled down by this before they overflow. */
const RESCALE_AT = 1e200;

/** The steady state, or why there is none. O(servers). */
export function mmc(input: MmcInput): Mmc | Unstable {
  const { rateRps, serviceMs, servers } = input;
  const never = unstable(rateRps, serviceMs, servers);
  if (never !== undefined) return never;
  const load = (rateRps * serviceMs) / 1000;
  const waitShare = erlangC(servers, load);
  const waitMs = (waitShare / (1 - load / servers)) * (serviceMs / servers);
  return {
    ...steadyOf(input, { waitShare, waitMs, serviceCv: 1 }),
    emptyShare: emptyShare(servers, load),
    input,
  };
}

/** p0 = 1 / (sum of a^k/k! below c, + a^c/c! / (1 - r)), scaled down together where a large load would overflow. */
function emptyShare(servers: number, load: number): number {
  let [term, sum, one] = [1, 1, 1];
  for (let k = 1; k <= servers; k++) {
    term *= load / k;
    sum += k < servers ? term : term / (1 - load / servers);
    if (sum < RESCALE_AT) continue;
    [term, sum, one] = [term / RESCALE_AT, sum / RESCALE_AT, one / RESCALE_AT];
  }
  return one / sum;
}
