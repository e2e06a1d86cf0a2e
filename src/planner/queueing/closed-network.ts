/**
 * Closed networks, exactly: so many users, each of whom thinks, asks and waits for the answer.
 *
 * Mean value analysis (Reiser & Lavenberg 1980) gives the queue of a station with one server from the queue of a
 * network with one user fewer. With several servers it also needs the shares of time at which some are idle, and the
 * usual way to these, 1 minus the others, is known to lose all its digits in a full station (Chandy & Sauer 1980;
 * Reiser 1981). So throughput comes by convolution here (Buzen 1973), written for the ratios
 *
 *   s(n) = G(n) / G(n-1) = 1 / throughput of n users
 *
 * of its constants, which neither overflow nor subtract. Users who think, and delays, are s(n) = Z/n. Then
 *
 *   one server of demand D      G'(n) = G(n) + D G'(n-1)
 *   m servers of demand D       one server of demand D/m, and G'(n) = sum over j < m of D^j/j! (1 - j/m) G(n-j)
 *
 * which multiply by the generating functions 1/(1 - Dz) and, since (1 - Dz/m) times that of m servers is a polynomial
 * with positive coefficients, by that polynomial. Time O(users x stations) with one server each, and
 * O(users x servers x multi-server stations) beside it for those that have more.
 */
import {
  type NetworkResult,
  requestMs,
  type Station,
  type StationResult,
  stationUtilisation,
} from "./station.ts";

/** Sums are scaled down by this, both sides of a ratio alike, before they overflow. */
const RESCALE_AT = 1e200;

/** A station with several servers that can all be busy: whole demand, and servers. */
interface Multiple {
  readonly demandMs: number;
  readonly servers: number;
}

/** A sum as `value` x RESCALE_AT^`scale`, and the mean of its index. */
interface WeighedSum {
  readonly value: number;
  readonly scale: number;
  readonly meanIndex: number;
}

/** A closed network with at least one user. Where nobody thinks and nothing takes time throughput is Infinity. */
export function closedNetwork(users: number, thinkMs: number, stations: readonly Station[]): NetworkResult {
  const base = baseTimes(users, thinkMs, stations);
  const perRequestMs = withMultiples(base, multiplesOf(users, stations));
  const rateRps = 1000 / (perRequestMs[users] ?? Infinity);
  const results = stations.map((station, k): StationResult => {
    const inSystem = meanAt(station, users, perRequestMs, () =>
      withMultiples(base, multiplesOf(users, stations.toSpliced(k, 1))),
    );
    const throughputRps = rateRps * station.visits;
    return {
      name: station.name,
      utilisation: stationUtilisation(station, rateRps),
      throughputRps,
      responseMs: throughputRps === 0 ? station.serviceMs : (inSystem / throughputRps) * 1000,
      inSystem,
    };
  });
  return {
    kind: "steady",
    throughputRps: rateRps,
    responseMs: requestMs(stations, results),
    stations: results,
  };
}

/** Throughput of 1 .. `users` users, at their index; index 0 is 0. As costly as `closedNetwork` of the most. */
export function closedThroughputsRps(
  users: number,
  thinkMs: number,
  stations: readonly Station[],
): Float64Array {
  const perRequestMs = withMultiples(baseTimes(users, thinkMs, stations), multiplesOf(users, stations));
  return perRequestMs.map((ms, n) => (n === 0 ? 0 : 1000 / ms));
}

/** Multiplications that `closedNetwork` takes, so that whoever asks can refuse what would take hours. */
export function closedNetworkWork(users: number, stations: readonly Station[]): number {
  const multiples = multiplesOf(users, stations);
  const servers = multiples.reduce((sum, multiple) => sum + multiple.servers, 0);
  return users * (stations.length + servers * Math.max(1, multiples.length));
}

/** s(n) with every delay, one-server station and one-server part of the others; index 0 is unused. */
function baseTimes(users: number, thinkMs: number, stations: readonly Station[]): Float64Array {
  const apart = stations.filter(({ servers }) => isDelay(servers, users));
  const delayMs = apart.reduce((sum, { visits, serviceMs }) => sum + visits * serviceMs, thinkMs);
  const times = Float64Array.from({ length: users + 1 }, (_, n) => (n === 0 ? 0 : delayMs / n));
  for (const { visits, serviceMs, servers } of stations) {
    if (isDelay(servers, users) || visits * serviceMs === 0) continue;
    const demandMs = (visits * serviceMs) / servers;
    let idle = 1;
    for (let n = 1; n <= users; n++) {
      const before = idle * (times[n] ?? 0);
      times[n] = before + demandMs;
      idle = before / (before + demandMs);
    }
  }
  return times;
}

/** A station that can serve all users at once has no queue. */
function isDelay(servers: number, users: number): boolean {
  return servers >= users;
}

function multiplesOf(users: number, stations: readonly Station[]): Multiple[] {
  return stations
    .filter(
      ({ servers, visits, serviceMs }) => servers > 1 && !isDelay(servers, users) && visits * serviceMs > 0,
    )
    .map(({ servers, visits, serviceMs }) => ({ servers, demandMs: visits * serviceMs }));
}

function withMultiples(base: Float64Array, multiples: readonly Multiple[]): Float64Array {
  let times = base;
  for (const multiple of multiples) {
    let last = polynomial(multiple, times, 0);
    times = times.map((ms, n) => {
      if (n === 0) return 0;
      const next = polynomial(multiple, times, n);
      const grown = (next.value / last.value) * RESCALE_AT ** (next.scale - last.scale);
      last = next;
      return ms * grown;
    });
  }
  return times;
}

/** Sum over j < m of D^j/j! (1 - j/m) G(n-j)/G(n). */
function polynomial({ demandMs, servers }: Multiple, times: Float64Array, n: number): WeighedSum {
  let [term, value, weighed, scale] = [1, 1, 0, 0];
  for (let j = 1; j < servers && j <= n; j++) {
    term *= demandMs / j / (times[n - j + 1] ?? Infinity);
    const part = term * (1 - j / servers);
    value += part;
    weighed += j * part;
    if (value < RESCALE_AT) continue;
    [term, value, weighed] = [term / RESCALE_AT, value / RESCALE_AT, weighed / RESCALE_AT];
    scale++;
  }
  return { value, scale, meanIndex: weighed / value };
}

/** Mean number at a station: `times` is s(n) of the whole, `others` without the station's polynomial. */
function meanAt(station: Station, users: number, times: Float64Array, others: () => Float64Array): number {
  const { servers } = station;
  const demandMs = station.visits * station.serviceMs;
  if (demandMs === 0) return 0;
  if (isDelay(servers, users)) return demandMs / (times[users] ?? Infinity);
  let queued = 0;
  for (let n = 1; n <= users; n++) queued = (demandMs / servers / (times[n] ?? Infinity)) * (1 + queued);
  return servers === 1 ? queued : queued + polynomial({ demandMs, servers }, others(), users).meanIndex;
}
