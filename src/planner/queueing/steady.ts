/** What a queue settles to, or that it never settles: the answer of every open model. */

/** A queue that has a steady state. Means; times in ms. */
export interface Steady {
  readonly kind: "steady";
  /** Share of the servers that is busy. */
  readonly utilisation: number;
  /** Share of the arrivals that wait. */
  readonly waitShare: number;
  readonly waitMs: number;
  readonly responseMs: number;
  /** Mean number that wait, and that are in the system. */
  readonly queued: number;
  readonly inSystem: number;
  /** The service's mean and coefficient of variation, which shape the tail. */
  readonly serviceMs: number;
  readonly serviceCv: number;
}

/** More comes than can be served: the queue grows for as long as that lasts. */
export interface Unstable {
  readonly kind: "unstable";
  readonly utilisation: number;
  /** By how much the queue grows. */
  readonly growthRps: number;
}

/** As full as this is full: what is missing is the rounding of 0.3 / 0.1, and the wait would be made of it. */
const FULL = 1 - 1e-12;

/** `Unstable` for these numbers, or undefined when there is a steady state. */
export function unstable(rateRps: number, serviceMs: number, servers: number): Unstable | undefined {
  const utilisation = (rateRps * serviceMs) / 1000 / servers;
  if (utilisation < FULL) return undefined;
  const growthRps = utilisation <= 2 - FULL ? 0 : rateRps - (servers * 1000) / serviceMs;
  return { kind: "unstable", utilisation, growthRps };
}

/** When an empty queue with room for `queueMax` is full, ms; Infinity when it does not grow. */
export function fullAfterMs({ growthRps }: Unstable, queueMax: number): number {
  return growthRps === 0 ? Infinity : (queueMax / growthRps) * 1000;
}

/** Mean values from a wait, by Little's law. */
export function steadyOf(
  { rateRps, serviceMs, servers }: { rateRps: number; serviceMs: number; servers: number },
  { waitShare, waitMs, serviceCv }: Pick<Steady, "waitShare" | "waitMs" | "serviceCv">,
): Steady {
  return {
    kind: "steady",
    utilisation: (rateRps * serviceMs) / 1000 / servers,
    waitShare,
    waitMs,
    responseMs: waitMs + serviceMs,
    queued: (rateRps * waitMs) / 1000,
    inSystem: (rateRps * (waitMs + serviceMs)) / 1000,
    serviceMs,
    serviceCv,
  };
}
