/** What a cache's traffic is paid by: a price table of its own, to be replaced by the rows of a bill. */
import { PRICES } from "../estimate/index.ts";
import type { Outcome } from "../outcome.ts";
import { readPriceTable } from "../price-table.ts";

/** Prices of an edge cache and of what stands behind it. */
export interface CachePrices {
  readonly currency: string;
  /** When these held. */
  readonly asOf: string;
  /** What the edge sends to clients. */
  readonly edgeGb: number;
  /** What a shield sends to the edge. */
  readonly shieldGb: number;
  /** What the origin sends: to the edge, and to clients where there is none. */
  readonly originGb: number;
  /** A million requests at the edge. */
  readonly edgeMillionRequests: number;
  /** A million requests at the origin: its cores. */
  readonly originMillionRequests: number;
  /** One purged path, tag, prefix or all. */
  readonly purgePath: number;
  readonly memoryGbPerMonth: number;
}

/**
 * In the range of large clouds' list prices in the mid-2020s, and nobody's offer. A million requests of 10 ms of CPU at
 * 70 % of a core for 30 a month are 0.17.
 */
export const CACHE_PRICES: CachePrices = {
  currency: PRICES.currency,
  asOf: PRICES.asOf,
  edgeGb: PRICES.cdnPerGb,
  shieldGb: PRICES.cdnPerGb,
  originGb: PRICES.egressPerGb,
  edgeMillionRequests: 0.75,
  originMillionRequests: 0.17,
  purgePath: 0.005,
  memoryGbPerMonth: PRICES.memoryGbPerMonth,
};

/** The table with the rows that a user replaced. */
export function parseCachePrices(input: unknown): Outcome<CachePrices> {
  return readPriceTable(CACHE_PRICES, input);
}
