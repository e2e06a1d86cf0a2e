/**
 * What is said about a part or a group: its availability, its options.
 *
 *   99.95 | 99.95% | 0.9995 | mtbf=30d mttr=1h | common=5% | failover=30s failovers=4/year | price=40/month
 *
 * Availability is read digit by digit into its complement: 1 - 0.9999 in binary is not quite 0.0001, and where there are
 * many nines that error is as large as the downtime itself.
 */
import { explainDuration, parseDurationMs } from "../../base/index.ts";
import { nearest } from "../../config/index.ts";
import { parseShare } from "../quantity.ts";
import { type ExpressionProblem, problemAt, type Token } from "./tokens.ts";

/** What was said; a key is absent when nothing was, or when that was wrong. */
export interface Settings {
  unavailability?: number;
  mtbfMs?: number;
  mttrMs?: number;
  commonShare?: number;
  failoverMs?: number;
  failoversPerYear?: number;
  pricePerMonth?: number;
}

/** The name of an option. */
export type OptionName = "mtbf" | "mttr" | "common" | "failover" | "failovers" | "price";

/** Why something cannot be read, and its mend. */
export interface Refusal {
  readonly what: string;
  readonly mend: string;
}

interface OptionRow {
  readonly key: keyof Settings;
  readonly read: (value: string) => number | Refusal;
}

/** Below a percentage and above a share nobody can tell which was meant. */
const PERCENT_MIN = 50;

/** More digits than a double holds say nothing. */
const DIGITS_MAX = 30;

const AMOUNT = /^(\d+(?:\.\d+)?)(?:\/(\w+))?$/;

const PER_YEAR: Readonly<Record<string, number>> = { year: 1, month: 12, week: 365 / 7, day: 365 };

const PER_MONTH: Readonly<Record<string, number>> = { month: 1, year: 1 / 12 };

/** Options of the language. */
const OPTIONS: Readonly<Record<OptionName, OptionRow>> = {
  mtbf: { key: "mtbfMs", read: readMtbf },
  mttr: { key: "mttrMs", read: readDuration },
  common: { key: "commonShare", read: readCommon },
  failover: { key: "failoverMs", read: readDuration },
  failovers: { key: "failoversPerYear", read: (value) => readPer(value, PER_YEAR, "4/year") },
  price: { key: "pricePerMonth", read: readPrice },
};

/** Reads what follows a name or a bracket; `allowed` are the settings that make sense there. */
export function readSettings(
  tokens: readonly Token[],
  allowed: readonly (OptionName | "value")[],
  problems: ExpressionProblem[],
): Settings {
  const settings: Settings = {};
  for (const token of tokens) {
    const row = rowOf(token, allowed);
    if ("what" in row) {
      problems.push(problemAt(token, row.what, row.mend));
      continue;
    }
    const value = row.read(token.kind === "option" ? token.value : token.text);
    if (typeof value !== "number") problems.push(problemAt(token, value.what, value.mend));
    else if (settings[row.key] !== undefined)
      problems.push(problemAt(token, "says again what is said already", "keep one of them"));
    else settings[row.key] = value;
  }
  return settings;
}

/** Money a month, of "40", "40/month" or "480/year". A bare price is a month's: so machines are rented out. */
export function readPrice(value: string): number | Refusal {
  return readPer(/^[\d.]+$/.test(value) ? `${value}/month` : value, PER_MONTH, "40/month");
}

function rowOf({ kind, name, text }: Token, allowed: readonly (OptionName | "value")[]): OptionRow | Refusal {
  const options = allowed.filter((option) => option !== "value");
  if (kind !== "option")
    return allowed.includes("value")
      ? { key: "unavailability", read: complement }
      : {
          what: "is not expected behind a bracket",
          mend: 'write "," or ")", or an option such as common=5%',
        };
  if (!isOption(name)) return { what: "is no option", mend: optionMend(name) };
  if (options.includes(name)) return OPTIONS[name];
  return options.length === 0
    ? { what: "makes no sense for a series", mend: "give it to one of the parts inside" }
    : { what: "makes no sense for a group", mend: `give ${text} to the parts inside` };
}

function optionMend(name: string): string {
  const names = Object.keys(OPTIONS);
  const near = nearest(name, names);
  return near === undefined ? `there are ${names.join(", ")}` : `did you mean ${near}=…?`;
}

function isOption(name: string): name is OptionName {
  return Object.hasOwn(OPTIONS, name);
}

/** 1 - A of "99.95", "99.95%" or "0.9995", to the last digit. */
function complement(text: string): number | Refusal {
  const [, whole = "", fraction = "", sign = ""] = /^(\d*)(?:\.(\d+))?\s*(%?)$/.exec(text) ?? [];
  if (whole + fraction === "" || text.length > DIGITS_MAX)
    return {
      what: "is no availability",
      mend: "write a percentage such as 99.95, a share such as 0.9995, or mtbf=30d mttr=1h",
    };
  const value = Number(`${whole}.${fraction}`);
  if (value > 100) return { what: "is more than 100 %", mend: "write a percentage such as 99.95" };
  const percent = sign === "%" || value >= PERCENT_MIN;
  if (!percent && value > 1)
    return {
      what: "is neither a share nor a likely percentage",
      mend: `write ${text}% if so little is meant`,
    };
  const places = fraction.length + (percent ? 2 : 0);
  const missing = 10n ** BigInt(places) - BigInt(`${whole}${fraction}`);
  return Number(`${missing}e-${places}`);
}

function readDuration(value: string): number | Refusal {
  const ms = parseDurationMs(value);
  if (ms !== undefined && Number.isFinite(ms)) return ms;
  const [what = "", mend = ""] = explainDuration(value).split(": ");
  return { what: what.replace(/^".*" /, ""), mend };
}

function readMtbf(value: string): number | Refusal {
  const ms = readDuration(value);
  return ms === 0 ? { what: "is always failing", mend: "write the time between failures, such as 30d" } : ms;
}

function readCommon(value: string): number | Refusal {
  return parseShare(value) ?? { what: "is no share", mend: "write one such as common=5%" };
}

function readPer(value: string, units: Readonly<Record<string, number>>, example: string): number | Refusal {
  const [, amount = "", unit = ""] = AMOUNT.exec(value) ?? [];
  const number = Object.hasOwn(units, unit) ? Number(amount) * (units[unit] ?? Number.NaN) : Number.NaN;
  if (Number.isFinite(number)) return number;
  const what = amount !== "" && unit === "" ? "does not say per what" : "is no amount in a span of time";
  return { what, mend: `write one such as ${example}` };
}
