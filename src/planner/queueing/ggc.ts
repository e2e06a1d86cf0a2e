/**
 * Queues whose times have a memory: M/G/1 exactly, G/G/c by a good approximation.
 *
 * cv is a coefficient of variation, standard deviation over mean: 0 constant, 1 exponential.
 */
import { mmc } from "./mmc.ts";
import { type Steady, steadyOf, type Unstable } from "./steady.ts";

/** What comes and how unevenly, how long one takes and how unevenly, how many servers. */
export interface GgcInput {
  readonly rateRps: number;
  readonly serviceMs: number;
  readonly servers: number;
  readonly arrivalCv: number;
  readonly serviceCv: number;
}

/** Its steady state; `exact` says whether the means are. Quantiles are exact for M/M/c alone. */
export interface Ggc extends Steady {
  readonly exact: boolean;
}

/** M/G/1: Wq = r/(1-r) x S x (1 + cv^2)/2 (Pollaczek 1930, Khinchine 1932). */
export function mg1(input: Omit<GgcInput, "servers" | "arrivalCv">): Ggc | Unstable {
  return ggc({ ...input, servers: 1, arrivalCv: 1 });
}

/**
 * G/G/c: the wait of M/M/c times (ca^2 + cs^2)/2 (Allen & Cunneen 1978; for one server Kingman 1961). Exact for M/M/c
 * and for M/G/1, an approximation otherwise.
 */
export function ggc(input: GgcInput): Ggc | Unstable {
  const { servers, arrivalCv, serviceCv } = input;
  const markov = mmc(input);
  if (markov.kind === "unstable") return markov;
  const waitMs = (markov.waitMs * (arrivalCv ** 2 + serviceCv ** 2)) / 2;
  return {
    ...steadyOf(input, { waitShare: waitMs === 0 ? 0 : markov.waitShare, waitMs, serviceCv }),
    exact: arrivalCv === 1 && (servers === 1 || serviceCv === 1),
  };
}
