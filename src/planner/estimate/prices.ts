/** A price table: plain numbers that everybody should replace by those of their own bill. */
import { nearest, type Problem } from "../../config/index.ts";
import { type Outcome, ok } from "../outcome.ts";

/** Prices, each by its unit and month. */
export interface Prices {
  readonly currency: string;
  readonly corePerMonth: number;
  readonly memoryGbPerMonth: number;
  /** Fast disk for a database. */
  readonly diskGbPerMonth: number;
  /** Objects: photos, files. */
  readonly objectGbPerMonth: number;
  readonly egressPerGb: number;
  readonly cdnPerGb: number;
}

/** Round numbers of large clouds' list prices in 2025. They decide nothing; an order of magnitude is all they give. */
export const PRICES: Prices = {
  currency: "USD",
  corePerMonth: 30,
  memoryGbPerMonth: 4,
  diskGbPerMonth: 0.1,
  objectGbPerMonth: 0.023,
  egressPerGb: 0.08,
  cdnPerGb: 0.02,
};

/** The table with the rows that a user replaced. */
export function parsePrices(input: unknown): Outcome<Prices> {
  if (typeof input !== "object" || input === null || Array.isArray(input))
    return {
      kind: "problems",
      problems: [{ path: "prices", what: "are no table", mend: 'write rows such as "corePerMonth: 25"' }],
    };
  const problems: Problem[] = [];
  const rows: Record<string, unknown> = {};
  for (const [key, value] of Object.entries(input)) {
    const known = Object.hasOwn(PRICES, key) ? PRICES[key as keyof Prices] : undefined;
    if (known === undefined)
      problems.push({ path: `prices.${key}`, what: "is no row of the table", mend: mendOf(key) });
    else if (typeof value !== typeof known || (typeof value === "number" && !(value >= 0 && value < 1e9)))
      problems.push({
        path: `prices.${key}`,
        what: `is ${JSON.stringify(value)}`,
        mend: typeof known === "number" ? "write a number of 0 or above" : 'write a text such as "EUR"',
      });
    else rows[key] = value;
  }
  return problems.length > 0 ? { kind: "problems", problems } : ok({ ...PRICES, ...rows });
}

function mendOf(key: string): string {
  const near = nearest(key, Object.keys(PRICES));
  return near === undefined ? `there are ${Object.keys(PRICES).join(", ")}` : `did you mean ${near}?`;
}
