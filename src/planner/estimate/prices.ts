/** A price table: plain numbers that everybody should replace by those of their own bill. */
import { nearest, type Problem } from "../../config/index.ts";
import { type Outcome, ok } from "../outcome.ts";

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

/** Nothing is dearer; a higher number is a mistyped unit. */
const PRICE_MAX = 1e9;
const TEXT_MAX = 20;

/** The table with the rows that a user replaced. */
export function parsePrices(input: unknown): Outcome<Prices> {
  if (typeof input !== "object" || input === null || Array.isArray(input))
    return {
      kind: "problems",
      problems: [{ path: "prices", what: "are no table", mend: 'write rows such as "corePerMonth: 25"' }],
    };
  const problems = [
    ...Object.entries(input).flatMap(([key, value]) => problemsOfRow(key, value)),
    ...mixedCurrencies(input),
  ];
  return problems.length > 0 ? { kind: "problems", problems } : ok({ ...PRICES, ...input });
}

/** Rows that were left out are in the currency of this table, and would be added up as if they were in the other. */
function mixedCurrencies(input: object): Problem[] {
  const currency = "currency" in input ? input.currency : PRICES.currency;
  const missing = Object.keys(PRICES).filter(
    (key) => isPrice(PRICES[key as keyof Prices]) && !(key in input),
  );
  if (currency === PRICES.currency || missing.length === 0) return [];
  return [
    {
      path: "prices.currency",
      what: `is ${JSON.stringify(currency)}, and some rows are still in ${PRICES.currency}`,
      mend: `write ${missing.join(", ")} as well`,
    },
  ];
}

function problemsOfRow(key: string, value: unknown): Problem[] {
  const path = `prices.${key}`;
  if (!Object.hasOwn(PRICES, key)) return [{ path, what: "is no row of the table", mend: mendOf(key) }];
  const isText = typeof PRICES[key as keyof Prices] === "string";
  if (isText ? isShortText(value) : isPrice(value)) return [];
  const mend = isText
    ? 'write a short text in quotes, such as "EUR"'
    : `write a number from 0 to ${PRICE_MAX}`;
  return [{ path, what: `is ${JSON.stringify(value)}`, mend }];
}

function isPrice(value: unknown): boolean {
  return typeof value === "number" && value >= 0 && value <= PRICE_MAX;
}

function isShortText(value: unknown): boolean {
  return typeof value === "string" && value !== "" && value.length <= TEXT_MAX;
}

function mendOf(key: string): string {
  const near = nearest(key, Object.keys(PRICES));
  return near === undefined ? `there are ${Object.keys(PRICES).join(", ")}` : `did you mean ${near}?`;
}
