/**
 * M/M/c: arrivals and services without memory, c servers, one queue (Erlang 1917; Kleinrock, "Queueing Systems" I, 3.5).
 * M/M/1 is c = 1.
 */
import { bisect } from "./bisect.ts";
import { erlangB, erlangC } from "./erlang.ts";
import { logGamma } from "./log-gamma.ts";
import { type Steady, type Unstable, unstable } from "./steady.ts";

/** What comes, how long one takes, how many servers. */
export interface MmcInput {
  readonly rateRps: number;
  readonly serviceMs: number;
  readonly servers: number;
}

/** The steady state of M/M/c with its whole distribution. */
export interface Mmc extends Steady {
  /** Nobody is there. */
  readonly emptyShare: number;
  readonly input: MmcInput;
}

/** The steady state, or why there is none. O(servers). */
export function mmc(input: MmcInput): Mmc | Unstable {
  const { rateRps, serviceMs, servers } = input;
  const never = unstable(rateRps, serviceMs, servers);
  if (never !== undefined) return never;
  const load = (rateRps * serviceMs) / 1000;
  const waitShare = erlangC(servers, load);
  const spareRps = (servers * 1000) / serviceMs - rateRps;
  const waitMs = (waitShare / spareRps) * 1000;
  return {
    kind: "steady",
    utilisation: load / servers,
    waitShare,
    waitMs,
    responseMs: waitMs + serviceMs,
    queued: (rateRps * waitMs) / 1000,
    inSystem: (rateRps * (waitMs + serviceMs)) / 1000,
    emptyShare: emptyShare(servers, load),
    input,
  };
}

/** Share of requests that wait longer than `ms`: C e^-(cm - l)t. */
export function waitTail({ waitShare, input }: Mmc, ms: number): number {
  return waitShare * Math.exp(-spare(input) * ms);
}

/** Share of requests whose answer takes longer than `ms`: the service alone, or a wait and then the service. */
export function responseTail({ waitShare, input }: Mmc, ms: number): number {
  const service = 1 / input.serviceMs;
  const gap = spare(input) - service;
  const alone = (1 - waitShare) * Math.exp(-service * ms);
  // Where both rates meet the two exponentials become one with a linear factor.
  if (Math.abs(gap) < 1e-9 * service) return alone + waitShare * (1 + service * ms) * Math.exp(-service * ms);
  const both = (spare(input) * Math.exp(-service * ms) - service * Math.exp(-spare(input) * ms)) / gap;
  return alone + waitShare * both;
}

/** The wait that the share `q` of the requests does not exceed, ms. */
export function waitQuantile(queue: Mmc, q: number): number {
  return queue.waitShare <= 1 - q ? 0 : Math.log(queue.waitShare / (1 - q)) / spare(queue.input);
}

/** The time that the share `q` of the answers does not exceed, ms. Bisection on the exact tail. */
export function responseQuantile(queue: Mmc, q: number): number {
  return bisect((ms) => responseTail(queue, ms) <= 1 - q, queue.input.serviceMs);
}

/** Spare capacity per ms. */
function spare({ rateRps, serviceMs, servers }: MmcInput): number {
  return servers / serviceMs - rateRps / 1000;
}

/** p0 = 1 / (sum of a^k/k! below c, + a^c/c! / (1 - r)), in logarithms so that no factorial overflows. */
function emptyShare(servers: number, load: number): number {
  if (load === 0) return 1;
  const logTerm = servers * Math.log(load) - logGamma(servers + 1);
  const sumInTerms = 1 / erlangB(servers, load) - 1 + 1 / (1 - load / servers);
  return Math.exp(-logTerm) / sumInTerms;
}
