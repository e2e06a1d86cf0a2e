/** Prices that are given beside an expression: "app=40", "db=300/month". */
import { nearest, type Problem } from "../../config/index.ts";
import { type Outcome, ok } from "../outcome.ts";
import { withPrices } from "./dominance.ts";
import { readPrice } from "./settings.ts";
import { namesOf, type System } from "./system.ts";

/** The system with the prices of those rows, or all that is wrong with them. */
export function readPrices(rows: readonly string[], system: System): Outcome<System> {
  const problems: Problem[] = [];
  const prices = new Map<string, number>();
  const names = namesOf(system);
  for (const row of rows) {
    const [name = "", value = ""] = row.split(/=(.*)/s);
    const price = readPrice(value.trim());
    const path = `--price ${row}`;
    if (!names.includes(name.trim()))
      problems.push({ path, what: "is of no part", mend: nameMend(name.trim(), names) });
    else if (typeof price === "number") prices.set(name.trim(), price);
    else problems.push({ path, ...price });
  }
  return problems.length > 0 ? { kind: "problems", problems } : ok(withPrices(system, prices));
}

function nameMend(name: string, names: readonly string[]): string {
  const near = nearest(name, names);
  return near === undefined ? `write NAME=PRICE with one of ${names.join(", ")}` : `did you mean ${near}?`;
}
