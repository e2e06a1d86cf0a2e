/**
 * Networks of queues: open ones by each station's own load (Jackson 1957), closed ones by exact mean value analysis
 * (Reiser & Lavenberg 1980), and the bounds that need no model (Denning & Buzen 1978).
 */
import { mmc } from "./mmc.ts";

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

/** Stations that cannot keep up, the fullest first. */
export interface NetworkUnstable {
  readonly kind: "unstable";
  readonly stations: readonly { readonly name: string; readonly utilisation: number }[];
}

/** An open network at this rate of requests. */
export function openNetwork(rateRps: number, stations: readonly Station[]): NetworkResult | NetworkUnstable {
  const full = stations
    .map((station) => ({ name: station.name, utilisation: utilisationOf(station, rateRps) }))
    .filter(({ utilisation }) => utilisation >= 1)
    .toSorted((a, b) => b.utilisation - a.utilisation);
  if (full.length > 0) return { kind: "unstable", stations: full };
  const results = stations.map((station) => openStation(station, rateRps));
  return { kind: "steady", throughputRps: rateRps, responseMs: total(stations, results), stations: results };
}

function openStation({ name, visits, serviceMs, servers }: Station, rateRps: number): StationResult {
  const throughputRps = rateRps * visits;
  const queue = servers === Infinity ? undefined : mmc({ rateRps: throughputRps, serviceMs, servers });
  const responseMs = queue?.kind === "steady" ? queue.responseMs : serviceMs;
  return {
    name,
    utilisation: queue?.utilisation ?? 0,
    throughputRps,
    responseMs,
    inSystem: (throughputRps * responseMs) / 1000,
  };
}

/**
 * A closed network: so many users, each of whom thinks, then asks. Exact; O(users x stations x servers).
 *
 * A station of m servers also carries the shares of time with 0 .. m-1 requests there. The share with none is what is
 * left of one and may lose its last digits when the station is nearly always full: it is kept from falling below 0.
 */
export function closedNetwork(users: number, thinkMs: number, stations: readonly Station[]): NetworkResult {
  const idle = stations.map(({ servers }) => beginning(servers));
  const queues = new Float64Array(stations.length);
  const responses = new Float64Array(stations.length);
  let throughput = 0;
  for (let n = 1; n <= users; n++) {
    for (const [k, station] of stations.entries())
      responses[k] = visitMs(station, queues[k] ?? 0, idle[k] ?? []);
    const responseMs = stations.reduce((sum, { visits }, k) => sum + visits * (responses[k] ?? 0), 0);
    throughput = n / (thinkMs + responseMs);
    for (const [k, station] of stations.entries()) {
      queues[k] = throughput * station.visits * (responses[k] ?? 0);
      idle[k] = sharesNow(station, throughput, idle[k] ?? []);
    }
  }
  const results = stations.map((station, k) => ({
    name: station.name,
    utilisation: utilisationOf(station, throughput * 1000),
    throughputRps: throughput * 1000 * station.visits,
    responseMs: responses[k] ?? 0,
    inSystem: queues[k] ?? 0,
  }));
  return {
    kind: "steady",
    throughputRps: throughput * 1000,
    responseMs: total(stations, results),
    stations: results,
  };
}

/** Shares of time with 0 .. m-1 requests at an empty station. */
function beginning(servers: number): number[] {
  return servers === Infinity ? [] : Array.from({ length: servers }, (_, j) => (j === 0 ? 1 : 0));
}

function visitMs({ serviceMs, servers }: Station, queue: number, shares: readonly number[]): number {
  if (servers === Infinity) return serviceMs;
  const free = shares.reduce((sum, share, j) => sum + Math.max(0, servers - 1 - j) * share, 0);
  return (serviceMs / servers) * (1 + queue + free);
}

function sharesNow(
  { visits, serviceMs, servers }: Station,
  throughput: number,
  before: readonly number[],
): number[] {
  if (servers === Infinity) return [];
  const load = throughput * visits * serviceMs;
  const shares = before.map((_, j) => (j === 0 ? 0 : (load / j) * (before[j - 1] ?? 0)));
  const taken = shares.reduce((sum, share, j) => sum + (j === 0 ? 0 : (servers - j) * share), 0);
  shares[0] = Math.max(0, 1 - (load + taken) / servers);
  return shares;
}

/** What no closed system exceeds, whatever its distributions. */
export interface Bounds {
  /** Throughput is at most this, however many users. */
  readonly throughputMaxRps: number;
  /** …and at most this with these users. */
  readonly throughputRps: number;
  /** Time is at least this. */
  readonly responseMs: number;
  /** Users at which queues must begin: (D + Z) / Dmax. */
  readonly kneeUsers: number;
  readonly bottleneck: string;
}

/** Asymptotic bounds for this number of users. */
export function asymptoticBounds(users: number, thinkMs: number, stations: readonly Station[]): Bounds {
  const demands = stations.map(({ name, visits, serviceMs, servers }) => ({
    name,
    wholeMs: visits * serviceMs,
    perServerMs: servers === Infinity ? 0 : (visits * serviceMs) / servers,
  }));
  const wholeMs = demands.reduce((sum, demand) => sum + demand.wholeMs, 0);
  const most = demands.reduce((a, b) => (b.perServerMs > a.perServerMs ? b : a), {
    name: "",
    wholeMs: 0,
    perServerMs: 0,
  });
  const throughputMaxRps = most.perServerMs === 0 ? Infinity : 1000 / most.perServerMs;
  return {
    throughputMaxRps,
    throughputRps: Math.min(throughputMaxRps, (users * 1000) / (wholeMs + thinkMs)),
    responseMs: Math.max(wholeMs, users * most.perServerMs - thinkMs),
    kneeUsers: most.perServerMs === 0 ? Infinity : (wholeMs + thinkMs) / most.perServerMs,
    bottleneck: most.name,
  };
}

function utilisationOf({ visits, serviceMs, servers }: Station, rateRps: number): number {
  return servers === Infinity ? 0 : (rateRps * visits * serviceMs) / 1000 / servers;
}

function total(stations: readonly Station[], results: readonly StationResult[]): number {
  return stations.reduce((sum, { visits }, k) => sum + visits * (results[k]?.responseMs ?? 0), 0);
}
