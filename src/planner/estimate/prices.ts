/** A price table: plain numbers that everybody should replace by those of their own bill. */
import type { Outcome } from "../outcome.ts";
import { readPriceTable } from "../price-table.ts";

/** Prices, each by its unit and month. */
export interface Prices {
  readonly currency: string;
  /** When these held. */
  readonly asOf: string;
  /** A core of a server, with its share of memory. */
  readonly corePerMonth: number;
  /** A machine of 16 cores that a primary, or a copy of it, runs on. */
  readonly databasePerMonth: number;
  readonly balancerPerMonth: number;
  readonly memoryGbPerMonth: number;
  /** Fast disk for a database. */
  readonly diskGbPerMonth: number;
  /** Objects: photos, files. The store's own copies are in the price. */
  readonly objectGbPerMonth: number;
  readonly egressPerGb: number;
  readonly cdnPerGb: number;
}

/**
 * Round numbers in the range of large clouds' list prices in the mid-2020s. They are nobody's offer: an order of
 * magnitude is all they give, and who buys as much as some of the presets pays a fraction of them.
 */
export const PRICES: Prices = {
  currency: "USD",
  asOf: "2025",
  corePerMonth: 30,
  databasePerMonth: 600,
  balancerPerMonth: 20,
  memoryGbPerMonth: 4,
  diskGbPerMonth: 0.1,
  objectGbPerMonth: 0.023,
  egressPerGb: 0.08,
  cdnPerGb: 0.02,
};

/** The table with the rows that a user replaced. */
export function parsePrices(input: unknown): Outcome<Prices> {
  return readPriceTable(PRICES, input);
}
