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
}

/** More comes than can be served: the queue grows for as long as that lasts. */
export interface Unstable {
  readonly kind: "unstable";
  readonly utilisation: number;
  /** By how much the queue grows. */
  readonly growthRps: number;
}

/** `Unstable` for these numbers, or undefined when there is a steady state. */
export function unstable(rateRps: number, serviceMs: number, servers: number): Unstable | undefined {
  const utilisation = (rateRps * serviceMs) / 1000 / servers;
  if (utilisation < 1) return undefined;
  return { kind: "unstable", utilisation, growthRps: Math.max(0, rateRps - (servers * 1000) / serviceMs) };
}

/** When an empty queue with room for `queueMax` is full, ms; Infinity when it does not grow. */
export function fullAfterMs({ growthRps }: Unstable, queueMax: number): number {
  return growthRps === 0 ? Infinity : (queueMax / growthRps) * 1000;
}
