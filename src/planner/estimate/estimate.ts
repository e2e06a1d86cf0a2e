/** From a workload to what it needs: rates, storage, bandwidth, memory, servers, money. Plain arithmetic. */
import { type Bandwidth, bandwidthOf } from "./bandwidth.ts";
import { type Costs, costsOf } from "./costs.ts";
import type { Prices } from "./prices.ts";
import { type Rates, ratesOf } from "./rates.ts";
import { type Servers, serversOf } from "./servers.ts";
import { type Storage, storageOf } from "./storage.ts";
import { loadsOf, type Workload } from "./workload.ts";

/** What one machine of a database carries: beyond either, the data is divided. */
export const ONE_PRIMARY = {
  /** Statements a second that one well-kept primary writes, batched, on a machine of 16 cores. */
  writeRps: 5000,
  /** Data that one machine still backs up and restores within a night. */
  bytes: 10e12,
} as const;

/** Everything that is estimated. */
export interface Estimate {
  readonly rates: Rates;
  readonly storage: Storage;
  readonly bandwidth: Bandwidth;
  /** The hot part of a day's rows. */
  readonly cacheBytes: number;
  readonly servers: Servers;
  /** Machines that the rows and writes have to be divided over, copies not counted; 1 needs no shards. */
  readonly primaries: number;
  readonly costs: Costs;
}

/** The estimate. */
export function estimate(workload: Workload, prices: Prices): Estimate {
  const loads = loadsOf(workload);
  const rates = ratesOf(loads, workload);
  const storage = storageOf(loads, workload);
  const bandwidth = bandwidthOf(loads, workload);
  const cacheBytes = workload.hotShare * storage.rowsPerDay;
  const servers = serversOf(rates.originRps, { ...workload, cpuMs: rates.cpuMs });
  const primaries = primariesOf(rates.peakWriteRps * Math.max(1, rates.grown), storage.rowsKept);
  const costs = costsOf({ storage, bandwidth, cacheBytes, servers, primaries }, workload, prices);
  return { rates, storage, bandwidth, cacheBytes, servers, primaries, costs };
}

function primariesOf(peakWriteRps: number, rowsKept: number): number {
  return Math.max(1, Math.ceil(peakWriteRps / ONE_PRIMARY.writeRps), Math.ceil(rowsKept / ONE_PRIMARY.bytes));
}
