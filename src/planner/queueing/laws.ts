/** Laws that hold whatever the distributions (Little 1961; Denning & Buzen 1978, "operational analysis"). */

/** Little: what is in the system = rate x time in it. Any two give the third. */
export function inSystem(rateRps: number, timeMs: number): number {
  return (rateRps * timeMs) / 1000;
}

/** Utilisation: the share of `servers` that this rate keeps busy; above 1 they cannot keep up. */
export function utilisation(rateRps: number, serviceMs: number, servers: number): number {
  return (rateRps * serviceMs) / 1000 / servers;
}

/** Service demand from what was measured: busy share of one server / throughput, ms per request. */
export function demandMs(busyShare: number, throughputRps: number): number {
  return throughputRps === 0 ? 0 : (busyShare / throughputRps) * 1000;
}

/** Share of requests that meet at least one slow answer when they need `parts` of them (Dean & Barroso 2013). */
export function slowShareOfFanOut(slowShare: number, parts: number): number {
  return -Math.expm1(parts * Math.log1p(-slowShare));
}
