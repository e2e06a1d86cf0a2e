/** What an estimate costs by the month, by a price table. */
import type { Bandwidth } from "./bandwidth.ts";
import type { Databases } from "./databases.ts";
import type { Prices } from "./prices.ts";
import type { Servers } from "./servers.ts";
import { MONTH_DAYS } from "./spans.ts";
import type { Storage } from "./storage.ts";
import type { Workload } from "./workload.ts";

/** Prices are by the decimal gigabyte. */
const GB = 1e9;

/** By the month, in the table's currency, at the end of the first year. */
export interface Costs {
  readonly servers: number;
  readonly databases: number;
  readonly balancer: number;
  readonly memory: number;
  readonly disk: number;
  readonly objects: number;
  readonly cdn: number;
  readonly egress: number;
  readonly total: number;
}

/** What is paid for. */
interface Paid {
  readonly storage: Storage;
  readonly bandwidth: Bandwidth;
  readonly cacheBytes: number;
  readonly servers: Servers;
  readonly databases: Databases;
}

/** Each part, and their sum. */
export function costsOf(
  { storage, bandwidth, cacheBytes, servers, databases }: Paid,
  { coresPerServer, copies }: Workload,
  prices: Prices,
): Costs {
  const parts = {
    servers: servers.withSpare * coresPerServer * prices.corePerMonth,
    databases: databases.primaries * (1 + databases.replicas) * prices.databasePerMonth,
    balancer: prices.balancerPerMonth,
    memory: (cacheBytes / GB) * prices.memoryGbPerMonth,
    disk: ((storage.rowsPerYear * copies) / GB) * prices.diskGbPerMonth,
    // The price of an object store has its copies in it.
    objects: (storage.filesPerYear / GB) * prices.objectGbPerMonth,
    cdn: ((bandwidth.cdnPerDay * MONTH_DAYS) / GB) * prices.cdnPerGb,
    egress: ((bandwidth.originPerDay * MONTH_DAYS) / GB) * prices.egressPerGb,
  };
  return { ...parts, total: Object.values(parts).reduce((total, part) => total + part, 0) };
}
