/** From a workload to what it needs: rates, storage, bandwidth, memory, servers, money. Plain arithmetic. */
import { type Bandwidth, bandwidthOf } from "./bandwidth.ts";
import { type Costs, costsOf } from "./costs.ts";
import { type Databases, databasesOf } from "./databases.ts";
import type { Prices } from "./prices.ts";
import { type Rates, ratesOf } from "./rates.ts";
import { type Servers, serversOf } from "./servers.ts";
import { type Storage, storageOf } from "./storage.ts";
import { loadsOf, type Workload } from "./workload.ts";

/** Everything that is estimated. */
export interface Estimate {
  readonly rates: Rates;
  readonly storage: Storage;
  readonly bandwidth: Bandwidth;
  /** The hot part of a day's rows. */
  readonly cacheBytes: number;
  readonly servers: Servers;
  readonly databases: Databases;
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
  const databases = databasesOf(rates, storage, workload);
  const costs = costsOf({ storage, bandwidth, cacheBytes, servers, databases }, workload, prices);
  return { rates, storage, bandwidth, cacheBytes, servers, databases, costs };
}
