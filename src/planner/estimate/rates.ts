/** Requests a second: on average, at the peak, and past a CDN. */
import { DAY_S } from "./spans.ts";
import { type Load, sumOf, type Workload } from "./workload.ts";

/** Requests, of the first year. */
export interface Rates {
  readonly readsPerDay: number;
  readonly writesPerDay: number;
  readonly readRps: number;
  readonly writeRps: number;
  readonly peakReadRps: number;
  readonly peakWriteRps: number;
  /** Reads at the peak that no CDN answers. */
  readonly originReadRps: number;
  /** Reads and writes at the peak that reach the servers. */
  readonly originRps: number;
  /** CPU of one of those, on average. */
  readonly cpuMs: number;
  /** The traffic after all years over that of the first. */
  readonly grown: number;
}

/** The rates of a day's actions. */
export function ratesOf(loads: readonly Load[], { peak, cpuMs, growth, years }: Workload): Rates {
  const reads = loads.filter(({ kind }) => kind === "read");
  const writes = loads.filter(({ kind }) => kind === "write");
  const [readsPerDay, writesPerDay] = [sumOf(reads, one), sumOf(writes, one)];
  const atPeak = (perDay: number): number => (perDay / DAY_S) * peak;
  const originReadRps = atPeak(sumOf(reads, notByCdn));
  const originRps = originReadRps + atPeak(sumOf(writes, notByCdn));
  const busyMs = atPeak(sumOf(loads, (load) => notByCdn(load) * load.cpuMs));
  return {
    readsPerDay,
    writesPerDay,
    readRps: readsPerDay / DAY_S,
    writeRps: writesPerDay / DAY_S,
    peakReadRps: atPeak(readsPerDay),
    peakWriteRps: atPeak(writesPerDay),
    originReadRps,
    originRps,
    cpuMs: originRps > 0 ? busyMs / originRps : cpuMs,
    grown: (1 + growth) ** years,
  };
}

function one(): number {
  return 1;
}

function notByCdn({ cdnShare }: Load): number {
  return 1 - cdnShare;
}
