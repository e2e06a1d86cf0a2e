/** Numbers of clients and server connections that no other worker has: the worker's, then one of its own. */

/** Those of clients are cancel keys' (32 bits). */
const OWN_BITS = 22;
const OWN_MASK = (1 << OWN_BITS) - 1;

/** The next one behind `last`, without the worker's. */
export function numberAfter(last: number): number {
  return (last + 1) & OWN_MASK;
}

/** The worker's number, then `own`. */
export function numberIn(worker: number, own: number): number {
  return (worker << OWN_BITS) | own;
}

/** Whose number it is. */
export function workerOf(number: number): number {
  return number >>> OWN_BITS;
}
