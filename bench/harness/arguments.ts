/** The few options that benches share, read from the command line: `--name value`. */
import { parseArgs } from "node:util";

/** Options with their defaults; a number where the default is one. Unknown options are errors. */
export function options<T extends Record<string, string | number>>(defaults: T): T {
  const known = Object.keys(defaults).map((name) => [name, { type: "string" as const }] as const);
  const { values } = parseArgs({ options: Object.fromEntries(known) });
  const chosen: Record<string, string | number> = { ...defaults };
  for (const [name, value] of Object.entries(defaults)) {
    const given = values[name];
    if (typeof given === "string") chosen[name] = typeof value === "number" ? toNumber(name, given) : given;
  }
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- same keys, same types, only the values differ
  return chosen as T;
}

function toNumber(name: string, text: string): number {
  const value = Number(text);
  if (!Number.isFinite(value)) throw new Error(`--${name} must be a number, not "${text}"`);
  return value;
}
