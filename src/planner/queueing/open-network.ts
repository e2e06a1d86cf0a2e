/** Open networks: each station is a queue of its own, with the load that visits bring it (Jackson 1957). */
import { mmc } from "./mmc.ts";
import {
  type NetworkResult,
  requestMs,
  type Station,
  type StationResult,
  stationUtilisation,
} from "./station.ts";

/** Stations that cannot keep up, the fullest first. */
export interface NetworkUnstable {
  readonly kind: "unstable";
  readonly stations: readonly { readonly name: string; readonly utilisation: number }[];
}

/** An open network at this rate of requests. */
export function openNetwork(rateRps: number, stations: readonly Station[]): NetworkResult | NetworkUnstable {
  const results = stations.map((station) => stationAt(station, rateRps));
  const full = stations.flatMap((station, k) => (results[k] === undefined ? [station] : []));
  if (full.length > 0) return { kind: "unstable", stations: fullestFirst(full, rateRps) };
  const steady = results.filter((result) => result !== undefined);
  return {
    kind: "steady",
    throughputRps: rateRps,
    responseMs: requestMs(stations, steady),
    stations: steady,
  };
}

function fullestFirst(stations: readonly Station[], rateRps: number): NetworkUnstable["stations"] {
  return stations
    .map((station) => ({ name: station.name, utilisation: stationUtilisation(station, rateRps) }))
    .toSorted((a, b) => b.utilisation - a.utilisation);
}

/** Undefined when it cannot keep up. */
function stationAt(station: Station, rateRps: number): StationResult | undefined {
  const { name, visits, serviceMs, servers } = station;
  const throughputRps = rateRps * visits;
  const queue = servers === Infinity ? undefined : mmc({ rateRps: throughputRps, serviceMs, servers });
  if (queue?.kind === "unstable") return undefined;
  const responseMs = queue?.responseMs ?? serviceMs;
  return {
    name,
    utilisation: stationUtilisation(station, rateRps),
    throughputRps,
    responseMs,
    inSystem: (throughputRps * responseMs) / 1000,
  };
}
