/** From a workload to what it needs: rates, storage, bandwidth, memory, servers, money. Plain arithmetic. */
import type { Prices } from "./prices.ts";
import type { Action, Workload } from "./workload.ts";

const DAY_S = 86_400;
const YEAR_DAYS = 365;
const MONTH_DAYS = 30;
const BITS = 8;
const GB = 1e9;

/** Everything that is estimated. Rates per second, sizes in bytes. */
export interface Estimate {
  readonly readsPerDay: number;
  readonly writesPerDay: number;
  readonly readRps: number;
  readonly writeRps: number;
  readonly peakReadRps: number;
  readonly peakWriteRps: number;
  /** Reads and writes that reach the servers at the peak, the CDN's share taken off. */
  readonly originPeakRps: number;
  readonly textPerDay: number;
  readonly filesPerDay: number;
  readonly textPerYear: number;
  readonly filesPerYear: number;
  /** One copy, after all years, growth included. */
  readonly textKept: number;
  readonly filesKept: number;
  /** All copies. */
  readonly kept: number;
  readonly textEgressBps: number;
  readonly fileEgressBps: number;
  readonly egressPerDay: number;
  readonly cacheBytes: number;
  readonly servers: Servers;
  readonly costs: Costs;
}

/** Three answers to "how many servers": the textbook's, one with room to breathe, one that may lose a server. */
export interface Servers {
  readonly cores: number;
  /** All cores 100 % busy: a floor, with queues without end. */
  readonly floor: number;
  /** At the busy target. */
  readonly target: number;
  readonly withSpare: number;
}

/** By the month, in the table's currency. */
export interface Costs {
  readonly servers: number;
  readonly memory: number;
  readonly disk: number;
  readonly objects: number;
  readonly traffic: number;
  readonly total: number;
}

/** The servers for this rate of requests. */
export function serversFor(
  rps: number,
  { cpuMs, coresPerServer, busyTarget, spareServers }: Workload,
): Servers {
  const cores = (rps * cpuMs) / 1000;
  const count = (of: number): number => Math.ceil(Number(of.toPrecision(12)));
  const target = Math.max(1, count(cores / (coresPerServer * busyTarget)));
  return {
    cores,
    floor: Math.max(1, count(cores / coresPerServer)),
    target,
    withSpare: target + spareServers,
  };
}

/** Years of a traffic that grows, in years of the first. */
function grownYears(years: number, growth: number): number {
  return growth === 0 ? years : ((1 + growth) ** years - 1) / growth;
}

/** The estimate. */
export function estimate(workload: Workload, prices: Prices): Estimate {
  const { actions, peak, copies, years, growth, hotShare, cdnShare } = workload;
  const perDay = (kind: Action["kind"]): number =>
    actions.reduce((sum, action) => sum + (action.kind === kind ? action.perDay : 0), 0);
  const sum = (bytes: (action: Action) => number): number =>
    actions.reduce((total, action) => total + action.perDay * bytes(action), 0);
  const fileBytes = ({ attachment }: Action): number =>
    attachment === undefined ? 0 : attachment.share * attachment.bytes;
  const [readsPerDay, writesPerDay] = [perDay("read"), perDay("write")];
  const textPerDay = sum((action) => action.storedBytes);
  const filesPerDay = sum((action) => (action.kind === "write" ? fileBytes(action) : 0));
  const span = grownYears(years, growth) * YEAR_DAYS;
  const textEgress = sum((action) => action.answerBytes);
  const fileEgress = sum((action) => (action.kind === "read" ? fileBytes(action) : 0));
  const originPeakRps = ((readsPerDay * (1 - cdnShare) + writesPerDay) / DAY_S) * peak;
  const servers = serversFor(originPeakRps, workload);
  const cacheBytes = hotShare * textPerDay;
  const kept = { text: textPerDay * span, files: filesPerDay * span };
  const traffic = ((textEgress + fileEgress) * MONTH_DAYS) / GB;
  const costs = {
    servers: servers.withSpare * workload.coresPerServer * prices.corePerMonth,
    memory: (cacheBytes / GB) * prices.memoryGbPerMonth,
    disk: ((textPerDay * YEAR_DAYS * copies) / GB) * prices.diskGbPerMonth,
    objects: ((filesPerDay * YEAR_DAYS * copies) / GB) * prices.objectGbPerMonth,
    traffic: traffic * (cdnShare * prices.cdnPerGb + (1 - cdnShare) * prices.egressPerGb),
  };
  return {
    readsPerDay,
    writesPerDay,
    readRps: readsPerDay / DAY_S,
    writeRps: writesPerDay / DAY_S,
    peakReadRps: (readsPerDay / DAY_S) * peak,
    peakWriteRps: (writesPerDay / DAY_S) * peak,
    originPeakRps,
    textPerDay,
    filesPerDay,
    textPerYear: textPerDay * YEAR_DAYS,
    filesPerYear: filesPerDay * YEAR_DAYS,
    textKept: kept.text,
    filesKept: kept.files,
    kept: (kept.text + kept.files) * copies,
    textEgressBps: (textEgress * BITS) / DAY_S,
    fileEgressBps: (fileEgress * BITS) / DAY_S,
    egressPerDay: textEgress + fileEgress,
    cacheBytes,
    servers,
    costs: { ...costs, total: Object.values(costs).reduce((total, cost) => total + cost, 0) },
  };
}

/** A number as one reckons in one's head: one digit and a power of ten. */
export function inHead(value: number): number {
  if (value === 0 || !Number.isFinite(value)) return value;
  return Number(value.toPrecision(1));
}

/** Seconds of a day as one reckons in one's head. */
export const DAY_S_IN_HEAD = 100_000;
