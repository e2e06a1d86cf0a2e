import { expect, test } from "bun:test";
import { seededRandom } from "../../../base/index.ts";
import { below } from "../../../base/testing.ts";
import { formatHttpDate, parseHttpDate } from "../http-date.ts";
import { NOW_MS } from "./testing.ts";

const BIRTH = Date.UTC(1994, 10, 6, 8, 49, 37);

test.each([
  "Sun, 06 Nov 1994 08:49:37 GMT",
  "Sunday, 06-Nov-94 08:49:37 GMT",
  "Sun Nov  6 08:49:37 1994",
  "sun, 06 NOV 1994 08:49:37 gmt",
])("%j is a date (RFC 9110 §5.6.7)", (text) => {
  expect(parseHttpDate(text, NOW_MS)).toBe(BIRTH);
});

test.each([
  "784111777",
  "Sun, 06 Nov 1994 08:49:37 +0000",
  "Sun, 6 Nov 1994 08:49:37 GMT",
  " Sun, 06 Nov 1994 08:49:37 GMT",
  "Sun, 00 Nov 1994 08:49:37 GMT",
  "Sun, 31 Nov 1994 08:49:37 GMT",
  "Sun, 29 Feb 2023 08:49:37 GMT",
  "Sun, 06 Nov 1994 08:49:61 GMT",
  "Sun, 06 11 1994 08:49:37 GMT",
  "Sun, 06 Nov 1994 08:49:37 GMT, Sun, 06 Nov 1994 08:49:37 GMT",
])("%j is none", (text) => {
  expect(parseHttpDate(text, NOW_MS)).toBeUndefined();
});

test.each([
  ["Tuesday, 01-Jan-30 00:00:00 GMT", Date.UTC(2030, 0, 1)],
  ["Tuesday, 01-Jan-76 00:00:00 GMT", Date.UTC(2076, 0, 1)],
  ["Tuesday, 31-Dec-76 00:00:00 GMT", Date.UTC(1976, 11, 31)],
  ["Tuesday, 01-Jan-77 00:00:00 GMT", Date.UTC(1977, 0, 1)],
  ["Tuesday, 01-Jan-00 00:00:00 GMT", Date.UTC(2000, 0, 1)],
])("%j, in two digits, is at most 50 years ahead", (text, wallMs) => {
  expect(parseHttpDate(text, NOW_MS)).toBe(wallMs);
});

test("a year is the one that is written, however early", () => {
  expect(parseHttpDate("Sun, 06 Nov 0094 08:49:37 GMT", NOW_MS)).toBeLessThan(Date.UTC(1000, 0, 1));
});

test("what is formatted reads back", () => {
  const random = seededRandom(1);
  for (let i = 0; i < 500; i++) {
    const wallMs = below(random, Date.UTC(2400, 0, 1) / 1000) * 1000;
    expect(parseHttpDate(formatHttpDate(wallMs), NOW_MS)).toBe(wallMs);
  }
});
