/** What networks of queues are made of, and how they fare. */

/** One station: visits per request, time of one visit, servers; `servers` Infinity is a delay without a queue. */
export interface Station {
  readonly name: string;
  readonly visits: number;
  readonly serviceMs: number;
  readonly servers: number;
}

/** How a station fares. `responseMs` is of one visit. */
export interface StationResult {
  readonly name: string;
  readonly utilisation: number;
  readonly throughputRps: number;
  readonly responseMs: number;
  readonly inSystem: number;
}

/** A network's steady state. */
export interface NetworkResult {
  readonly kind: "steady";
  readonly throughputRps: number;
  readonly responseMs: number;
  readonly stations: readonly StationResult[];
}

/** Share of a station's servers that is busy at this rate of requests; a delay never fills. */
export function stationUtilisation({ visits, serviceMs, servers }: Station, rateRps: number): number {
  return servers === Infinity ? 0 : (rateRps * visits * serviceMs) / 1000 / servers;
}

/** Time of a whole request, ms: every visit to every station. */
export function requestMs(stations: readonly Station[], results: readonly StationResult[]): number {
  return stations.reduce((sum, { visits }, k) => sum + visits * (results[k]?.responseMs ?? 0), 0);
}
