import { expect, test } from "bun:test";
import { formatHttpDate, parseHttpDate } from "./http-date.ts";
import { T0 } from "./testing.ts";

const AUGUST_2050 = Date.UTC(2050, 7, 18, 2, 1, 18);

test.each([
  ["Thu, 18 Aug 2050 02:01:18 GMT", AUGUST_2050],
  ["THU, 18 AUG 2050 02:01:18 gMT", AUGUST_2050],
  ["Thursday, 18-Aug-50 02:01:18 GMT", AUGUST_2050],
  ["Thu Aug 18 02:01:18 2050", AUGUST_2050],
  ["Thu Aug  8 02:01:18 2050", Date.UTC(2050, 7, 8, 2, 1, 18)],
  ["Tue, 19 Jan 2038 14:14:08 GMT", Date.UTC(2038, 0, 19, 14, 14, 8)],
  ["Sun, 21 Nov 2286 04:46:39 GMT", Date.UTC(2286, 10, 21, 4, 46, 39)],
  ["Sat, 31 Dec 2016 23:59:60 GMT", Date.UTC(2016, 11, 31, 23, 59, 59)],
  ["Thu, 29 Feb 2024 00:00:00 GMT", Date.UTC(2024, 1, 29)],
])("%j is a date", (text, wallMs) => {
  expect(parseHttpDate(text, T0)).toBe(wallMs);
});

test.each([
  "",
  "0",
  "-1",
  "foo",
  "Thu, 18 Aug 2050 02:01:18 UTC",
  "Thu, 18 Aug 2050 02:01:18 AEST",
  "Thu, 18 Aug 2050 02:01:18",
  "Thu, 18 Aug 50 02:01:18 GMT",
  "Thu 18 Aug 2050 02:01:18 GMT",
  "Thu, 18  Aug  2050 02:01:18 GMT",
  "Thu, 18-Aug-2050 02:01:18 GMT",
  "Thu, 18 Aug 2050 02.01.18 GMT",
  "Thu, 18 Aug 2050 2:01:18 GMT",
  "Thu, 18 Abc 2050 02:01:18 GMT",
  "Thu, 31 Feb 2050 02:01:18 GMT",
  "Thu, 18 Aug 2050 24:00:00 GMT",
  "Thu, 18 Aug 2050 02:60:00 GMT",
  "Thu, 18 Aug 2050 02:01:18 GMT, Thu, 18 Aug 2050 02:01:19 GMT",
  "2050-08-18T02:01:18Z",
])("%j is none", (text) => {
  expect(parseHttpDate(text, T0)).toBeUndefined();
});

test("two digits of a year mean the century in which it is at most 50 years ahead", () => {
  const yearOf = (digits: string): number =>
    new Date(parseHttpDate(`Sunday, 06-Nov-${digits} 08:49:37 GMT`, T0) ?? 0).getUTCFullYear();
  expect(["94", "77", "76", "26", "00"].map(yearOf)).toEqual([1994, 1977, 2076, 2026, 2000]);
});

test("a date is sent in the fixed form", () => {
  expect(formatHttpDate(Date.UTC(1994, 10, 6, 8, 49, 37))).toBe("Sun, 06 Nov 1994 08:49:37 GMT");
});
