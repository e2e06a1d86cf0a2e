/**
 * Numbers as people write them in a plan: "10M" users, "99.95%", "30/h", "5k rps", "500 B", "250ms".
 *
 * Readers push problems to a place, as the config's readers do, and answer undefined; whoever asked decides at the
 * end. A word that could mean two things is refused with both spellings: 10M is ten million users but no size.
 */
import { explainBytes, explainDuration, parseBytes, parseDurationMs } from "../base/index.ts";
import type { Problem } from "../config/index.ts";

/** Where a quantity stands, and where its problems go. */
export interface QuantityPlace {
  readonly path: string;
  readonly problems: Problem[];
}

/** Bounds of a number; both inclusive. */
export interface Bounds {
  readonly min: number;
  readonly max: number;
}

/** Nothing that is planned is larger: a hundred billion people with ten million things each. */
export const COUNT_MAX = 1e18;

const COUNT =
  /^(\d{1,3}(?:,\d{3})+|\d+)?(\.\d+)?(e\d{1,2})? ?(k|m|b|bn|million|billion|thousand|t|trillion)?$/i;

const COUNT_WORDS: Readonly<Record<string, number>> = {
  k: 1e3,
  thousand: 1e3,
  m: 1e6,
  million: 1e6,
  b: 1e9,
  bn: 1e9,
  billion: 1e9,
  t: 1e12,
  trillion: 1e12,
};

const RATE = /^(.+?) ?(?:\/|per )? ?(s|sec|second|rps|qps|min|minute|h|hour|d|day)$/i;

const RATE_SECONDS: Readonly<Record<string, number>> = {
  s: 1,
  sec: 1,
  second: 1,
  rps: 1,
  qps: 1,
  min: 60,
  minute: 60,
  h: 3600,
  hour: 3600,
  d: 86_400,
  day: 86_400,
};

/** "10", "1,000", "1.5M", "100k", "1e9", "2 billion"; undefined when it is no count. */
export function parseCount(text: string): number | undefined {
  const trimmed = text.trim();
  const [, whole = "", fraction = "", exponent = "", word = ""] = COUNT.exec(trimmed) ?? [];
  if (whole === "" && fraction === "") return undefined;
  return (
    Number(`${whole.replaceAll(",", "")}${fraction}${exponent}`) * (COUNT_WORDS[word.toLowerCase()] ?? 1)
  );
}

/** Per second, of "100/s", "5k rps", "30/h", "1e9/day"; undefined without a unit of time. */
export function parseRate(text: string): number | undefined {
  const [, amount = "", unit = ""] = RATE.exec(text.trim()) ?? [];
  const count = parseCount(amount);
  const seconds = RATE_SECONDS[unit.toLowerCase()];
  return count === undefined || seconds === undefined ? undefined : count / seconds;
}

/** 0..1 of "99.95%" or "99.95 %"; of a bare number only when it cannot be misread: "0.9995". */
export function parseShare(text: string): number | undefined {
  const trimmed = text.trim();
  const [, percent] = /^(\d+(?:\.\d+)?|\.\d+) ?%$/.exec(trimmed) ?? [];
  const bare = /^(?:0?\.\d+|0|1|1\.0+)$/.test(trimmed) ? Number(trimmed) : undefined;
  const share = percent === undefined ? bare : Number(percent) / 100;
  return share !== undefined && share <= 1 ? share : undefined;
}

/** A count within bounds, or a problem. */
export function readCount(place: QuantityPlace, text: string, bounds: Bounds): number | undefined {
  const value = parseCount(text);
  if (value !== undefined) return within(place, value, text, bounds);
  return refuse(place, `is "${text}"`, 'write a number, such as "250", "10k" or "1.5M"');
}

/** A whole number within bounds, or a problem. */
export function readWhole(place: QuantityPlace, text: string, bounds: Bounds): number | undefined {
  const value = readCount(place, text, bounds);
  if (value === undefined || Number.isInteger(value)) return value;
  return refuse(place, `is ${value}`, "write a whole number");
}

/** A rate in 1/s within bounds, or a problem. A bare number is refused: per second or per day is a factor of 86,400. */
export function readRate(place: QuantityPlace, text: string, bounds: Bounds): number | undefined {
  const value = parseRate(text);
  if (value !== undefined) return within(place, value, text, bounds);
  const bare = parseCount(text);
  return bare === undefined
    ? refuse(place, `is "${text}"`, 'write a rate, such as "100/s", "30/h" or "1M/day"')
    : refuse(
        place,
        `is "${text}", which does not say per what`,
        `write "${text.trim()}/s" or "${text.trim()}/day"`,
      );
}

/** A share 0..1, or a problem. */
export function readShare(
  place: QuantityPlace,
  text: string,
  bounds: Bounds = { min: 0, max: 1 },
): number | undefined {
  const value = parseShare(text);
  if (value !== undefined) return within(place, value, text, bounds);
  const trimmed = text.trim();
  if (trimmed.startsWith("-") || Number(trimmed.replace(/ ?%$/, "")) > 100)
    return refuse(place, `is "${trimmed}"`, 'write a share from "0%" to "100%"');
  return /^\d+(\.\d+)?$/.test(trimmed)
    ? refuse(place, `is "${trimmed}", which may mean ${trimmed} or ${trimmed} %`, `write "${trimmed}%"`)
    : refuse(place, `is "${trimmed}"`, 'write a share, such as "99.95%" or "0.9995"');
}

/** Milliseconds within bounds, or a problem. */
export function readDuration(place: QuantityPlace, text: string, bounds: Bounds): number | undefined {
  const value = parseDurationMs(text);
  if (value !== undefined) return within(place, value, text, bounds);
  place.problems.push({ path: place.path, what: "cannot be read", mend: explainDuration(text) });
  return undefined;
}

/** Bytes within bounds, or a problem. */
export function readBytes(place: QuantityPlace, text: string, bounds: Bounds): number | undefined {
  const value = parseBytes(text);
  if (value !== undefined) return within(place, value, text, bounds);
  place.problems.push({ path: place.path, what: "cannot be read", mend: explainBytes(text) });
  return undefined;
}

function within(place: QuantityPlace, value: number, text: string, { min, max }: Bounds): number | undefined {
  if (value >= min && value <= max) return value;
  return refuse(place, `is "${text.trim()}"`, `write a value from ${min} to ${max}`);
}

function refuse(place: QuantityPlace, what: string, mend: string): undefined {
  place.problems.push({ path: place.path, what, mend });
  return undefined;
}
