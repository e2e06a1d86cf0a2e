/**
 * The units of the planner's numbers: how each is printed. Adding one is adding a row.
 *
 * Internally times are milliseconds, sizes bytes, shares 0..1 and rates per second, whatever is printed.
 */

/** How one unit is printed. */
export interface UnitRow {
  /** What the number counts, for JSON readers and `--explain`. */
  readonly about: string;
  /** Significant digits unless a figure says otherwise. */
  readonly digits: number;
  readonly print: (value: number, digits: number) => string;
}

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;

/** From this on a number is easier read as "1.2 M" than with all its digits. */
const LONG = 1e9;

/** A unit's name. */
export type Unit =
  | "count"
  | "ratio"
  | "share"
  | "availability"
  | "perSecond"
  | "perDay"
  | "ms"
  | "bytes"
  | "bytesPerDay"
  | "bytesPerYear"
  | "bitsPerSecond"
  | "cores"
  | "money"
  | "moneyPerMonth";

/** Every unit by its name. */
export const UNITS: Readonly<Record<Unit, UnitRow>> = {
  /** Things: users, requests, servers. */
  count: { about: "a number of things", digits: 6, print: (value, digits) => grouped(value, digits) },
  /** A number without a unit: a factor, a load in erlangs. */
  ratio: { about: "a plain number", digits: 4, print: (value, digits) => grouped(value, digits) },
  /** 0..1, printed as a percentage. */
  share: {
    about: "a share of 1",
    digits: 4,
    print: (value, digits) => `${significant(value * 100, digits)} %`,
  },
  /** 0..1, printed as a percentage to six places, so that nines can be counted. */
  availability: {
    about: "a share of 1",
    digits: 8,
    print: (value, digits) => `${significant(value * 100, digits)} %`,
  },
  perSecond: { about: "per second", digits: 6, print: (value, digits) => `${grouped(value, digits)}/s` },
  perDay: { about: "per day", digits: 6, print: (value, digits) => `${grouped(value, digits)}/day` },
  ms: { about: "milliseconds", digits: 4, print: duration },
  bytes: { about: "bytes", digits: 4, print: (value, digits) => scaled(value, digits, "B") },
  bytesPerDay: {
    about: "bytes per day",
    digits: 4,
    print: (value, digits) => `${scaled(value, digits, "B")}/day`,
  },
  bytesPerYear: {
    about: "bytes per year",
    digits: 4,
    print: (value, digits) => `${scaled(value, digits, "B")}/year`,
  },
  bitsPerSecond: {
    about: "bits per second",
    digits: 4,
    print: (value, digits) => scaled(value, digits, "bit/s"),
  },
  cores: { about: "CPU cores", digits: 4, print: (value, digits) => grouped(value, digits) },
  money: {
    about: "in the price table's currency",
    digits: 6,
    print: (value, digits) => grouped(value, digits),
  },
  moneyPerMonth: {
    about: "in the price table's currency, per month",
    digits: 6,
    print: (value, digits) => `${grouped(value, digits)}/month`,
  },
};

/** The number in its unit, to `digits` significant digits (the unit's own unless given). Infinity is "unbounded". */
export function formatNumber(value: number, unit: Unit, digits: number = UNITS[unit].digits): string {
  if (!Number.isFinite(value)) return value > 0 ? "unbounded" : "none";
  return UNITS[unit].print(value, digits);
}

/** "1,234,567", "0.0474", "1.2 x 10^11" from a billion on when it is not whole. */
function grouped(value: number, digits: number): string {
  if (Math.abs(value) >= LONG) return scaled(value, Math.min(digits, 4), "").trimEnd();
  return withThousands(significant(value, digits));
}

/** Decimal prefixes, as disks and networks are sold: 500 GB, 1.85 Tbit/s. */
function scaled(value: number, digits: number, unit: string): string {
  const prefixes = ["", "k", "M", "G", "T", "P", "E"];
  let amount = value;
  let prefix = 0;
  while (Math.abs(Number(significant(amount, digits))) >= 1000 && prefix < prefixes.length - 1) {
    amount /= 1000;
    prefix++;
  }
  return `${withThousands(significant(amount, digits))} ${prefixes[prefix]}${unit}`;
}

function duration(ms: number, digits: number): string {
  const size = Math.abs(ms);
  const rows: readonly (readonly [number, number, string])[] = [
    [DAY_MS, DAY_MS, "d"],
    [2 * HOUR_MS, HOUR_MS, "h"],
    [2 * MINUTE_MS, MINUTE_MS, "min"],
    [1000, 1000, "s"],
    [1, 1, "ms"],
    [1e-3, 1e-3, "us"],
  ];
  const [, scale, name] =
    rows.find(([from]) => size >= from) ?? (size === 0 ? [0, 1, "ms"] : [0, 1e-6, "ns"]);
  return `${withThousands(significant(ms / scale, digits))} ${name}`;
}

/** At most `digits` significant digits, but never fewer than the whole part has; no zeros at the end of a fraction. */
function significant(value: number, digits: number): string {
  const whole = Math.trunc(Math.abs(value)).toString().length;
  if (whole >= digits) return Math.round(value).toString();
  return Number(value.toPrecision(digits)).toString();
}

function withThousands(text: string): string {
  const [whole = "", fraction] = text.split(".");
  if (/e/.test(text)) return text;
  const parts = whole.replace(/\B(?=(\d{3})+$)/g, ",");
  return fraction === undefined ? parts : `${parts}.${fraction}`;
}
