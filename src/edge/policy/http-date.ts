/**
 * Dates of HTTP (RFC 9110 §5.6.7): the fixed form of today and the two obsolete ones.
 *
 * The case of letters is ignored, all else is strict: "0", two blanks or "UTC" are no date. An Expires that is no
 * date means "already expired", so what we would guess here we would serve too long.
 */

import { memoized } from "../../base/index.ts";

const MONTHS = "jan feb mar apr may jun jul aug sep oct nov dec".split(" ");

const TODAY = /^[a-z]{3}, ([0-9]{2}) ([a-z]{3}) ([0-9]{4}) ([0-9]{2}):([0-9]{2}):([0-9]{2}) gmt$/;
const RFC_850 = /^[a-z]{6,9}, ([0-9]{2})-([a-z]{3})-([0-9]{2}) ([0-9]{2}):([0-9]{2}):([0-9]{2}) gmt$/;
const ASCTIME = /^[a-z]{3} ([a-z]{3}) ([ 0-9][0-9]) ([0-9]{2}):([0-9]{2}):([0-9]{2}) ([0-9]{4})$/;

/** A date with a year of two digits that would lie further ahead than this lies in the past (RFC 9110 §5.6.7). */
const CENTURY_AHEAD_YEARS = 50;

/** The wall milliseconds of a date, or undefined. `nowMs` decides which century two digits mean. */
export function parseHttpDate(text: string, nowMs: number): number | undefined {
  const today = ofToday(text);
  return Number.isNaN(today) ? ofOldForm(text.toLowerCase(), nowMs) : today;
}

/** Dates that are remembered: one a second, those of files, and whatever Expires says. */
const REMEMBERED = 256;

/** A date in the form of today; NaN when it is not of that form. */
const ofToday: (text: string) => number | undefined = memoized(REMEMBERED, (text) => {
  const today = TODAY.exec(text.toLowerCase());
  return today === null ? Number.NaN : instant(today.slice(1, 4), today.slice(4));
});

function ofOldForm(folded: string, nowMs: number): number | undefined {
  const asctime = ASCTIME.exec(folded);
  if (asctime !== null) {
    const [, month = "", day = "", hour = "", minute = "", second = "", year = ""] = asctime;
    return instant([day, month, year], [hour, minute, second]);
  }
  const [, day = "", month = "", year, ...time] = RFC_850.exec(folded) ?? [];
  if (year === undefined) return undefined;
  const inYear = (full: number): number | undefined => instant([day, month, String(full)], time);
  const now = new Date(nowMs);
  const full = now.getUTCFullYear() - (now.getUTCFullYear() % 100) + Number(year);
  const wallMs = inYear(full);
  const isAhead =
    wallMs !== undefined && wallMs > now.setUTCFullYear(now.getUTCFullYear() + CENTURY_AHEAD_YEARS);
  return isAhead ? inYear(full - 100) : wallMs;
}

/** The date as it is sent. */
export function formatHttpDate(wallMs: number): string {
  return new Date(wallMs).toUTCString();
}

function instant(date: readonly string[], time: readonly string[]): number | undefined {
  const [day = 0, month = 0, year = 0] = date.map((part) => MONTHS.indexOf(part) + 1 || Number(part));
  const [hour = 0, minute = 0, second = 0] = time.map(Number);
  // A leap second is counted as the last one before it.
  const seconds = (hour * 60 + minute) * 60 + Math.min(second, 59);
  const wallMs = new Date(0).setUTCFullYear(year, month - 1, day) + seconds * 1000;
  const exists = hour < 24 && minute < 60 && second <= 60 && new Date(wallMs).getUTCDate() === day;
  return exists && MONTHS.includes(date[1] ?? "") ? wallMs : undefined;
}
