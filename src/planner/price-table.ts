/** Price tables: plain numbers, of which a user replaces some or all by those of a bill. */
import { nearest, type Problem } from "../config/index.ts";
import { type Outcome, ok } from "./outcome.ts";

/** What every table has beside its prices. */
interface Dated {
  readonly currency: string;
  /** When these held. */
  readonly asOf: string;
}

/** Nothing is dearer; a higher number is a mistyped unit. */
const PRICE_MAX = 1e9;
const TEXT_MAX = 20;

/** The table `known` with the rows that a user replaced. */
export function readPriceTable<T extends Dated>(known: T, input: unknown): Outcome<T> {
  if (typeof input !== "object" || input === null || Array.isArray(input)) {
    const [first = ""] = Object.keys(known).filter((key) => isPrice(rowOf(known, key)));
    const mend = `write rows such as "${first}: 25"`;
    return { kind: "problems", problems: [{ path: "prices", what: "are no table", mend }] };
  }
  const problems = [
    ...Object.entries(input).flatMap(([key, value]) => problemsOfRow(known, key, value)),
    ...mixedCurrencies(known, input),
  ];
  return problems.length > 0 ? { kind: "problems", problems } : ok({ ...known, ...input });
}

function rowOf(table: object, key: string): unknown {
  return (table as Readonly<Record<string, unknown>>)[key];
}

/** Rows that were left out are in the currency of this table, and would be added up as if they were in the other. */
function mixedCurrencies(known: Dated, input: object): Problem[] {
  const currency = "currency" in input ? input.currency : known.currency;
  const missing = Object.keys(known).filter((key) => isPrice(rowOf(known, key)) && !(key in input));
  if (currency === known.currency || missing.length === 0) return [];
  return [
    {
      path: "prices.currency",
      what: `is ${JSON.stringify(currency)}, and some rows are still in ${known.currency}`,
      mend: `write ${missing.join(", ")} as well`,
    },
  ];
}

function problemsOfRow(known: Dated, key: string, value: unknown): Problem[] {
  const path = `prices.${key}`;
  if (!Object.hasOwn(known, key)) return [{ path, what: "is no row of the table", mend: mendOf(known, key) }];
  const isText = typeof rowOf(known, key) === "string";
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

function mendOf(known: Dated, key: string): string {
  const near = nearest(key, Object.keys(known));
  return near === undefined ? `there are ${Object.keys(known).join(", ")}` : `did you mean ${near}?`;
}
