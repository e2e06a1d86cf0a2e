/** What no closed system exceeds, whatever its distributions: asymptotic bounds (Denning & Buzen 1978). */
import type { Station } from "./station.ts";

/** Bounds on throughput and time. */
export interface Bounds {
  /** Throughput is at most this, however many users. */
  readonly throughputMaxRps: number;
  /** …and at most this with these users. */
  readonly throughputRps: number;
  /** Time is at least this. */
  readonly responseMs: number;
  /** Users at which queues must begin: (D + Z) / Dmax. */
  readonly kneeUsers: number;
  /** The station that bounds it; absent when nothing but delays is there. */
  readonly bottleneck?: string;
}

/** Asymptotic bounds for this number of users. */
export function asymptoticBounds(users: number, thinkMs: number, stations: readonly Station[]): Bounds {
  const wholeMs = stations.reduce((sum, { visits, serviceMs }) => sum + visits * serviceMs, 0);
  const [most] = stations
    .map(({ name, visits, serviceMs, servers }) => ({ name, demandMs: (visits * serviceMs) / servers }))
    .toSorted((a, b) => b.demandMs - a.demandMs);
  const demandMs = most?.demandMs ?? 0;
  const throughputMaxRps = demandMs === 0 ? Infinity : 1000 / demandMs;
  const aloneRps = wholeMs + thinkMs === 0 ? Infinity : (users * 1000) / (wholeMs + thinkMs);
  return {
    throughputMaxRps,
    throughputRps: Math.min(throughputMaxRps, aloneRps),
    responseMs: Math.max(wholeMs, users * demandMs - thinkMs),
    kneeUsers: demandMs === 0 ? Infinity : (wholeMs + thinkMs) / demandMs,
    ...(most === undefined || demandMs === 0 ? {} : { bottleneck: most.name }),
  };
}
