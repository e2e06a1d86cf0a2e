import { describe, expect, test } from "bun:test";
import { formatNumber, UNITS, type Unit } from "./unit.ts";

describe("a number is printed in its unit", () => {
  const rows: [value: number, unit: Unit, text: string][] = [
    [11_574.074, "perSecond", "11,574.1/s"],
    [1_157_407.4, "perSecond", "1,157,407/s"],
    [0, "count", "0"],
    [1e11, "count", "100 G"],
    [0.0474123, "ratio", "0.04741"],
    [0.99930011, "availability", "99.930011 %"],
    [0.99979976, "availability", "99.979976 %"],
    [0.5, "share", "50 %"],
    [1.85e12, "bitsPerSecond", "1.85 Tbit/s"],
    [5e11, "bytesPerDay", "500 GB/day"],
    [999_999, "bytes", "1 MB"],
    [0.0042, "ms", "4.2 us"],
    [2.5, "ms", "2.5 ms"],
    [1500, "ms", "1.5 s"],
    [105.2 * 60_000, "ms", "105.2 min"],
    [6.131 * 3_600_000, "ms", "6.131 h"],
    [0, "ms", "0 ms"],
    [1234.5, "moneyPerMonth", "1,234.5/month"],
    [Infinity, "ms", "unbounded"],
    [-Infinity, "ms", "none"],
    [-12_345.6, "count", "-12,345.6"],
  ];
  for (const [value, unit, text] of rows) {
    test(`${value} as ${unit}: ${text}`, () => expect(formatNumber(value, unit)).toBe(text));
  }
});

test("digits are significant ones, and the whole part is never cut", () => {
  expect(formatNumber(123_456, "count", 2)).toBe("123,456");
  expect(formatNumber(0.123456, "ratio", 2)).toBe("0.12");
});

test("every unit says what it counts", () => {
  for (const { about } of Object.values(UNITS)) expect(about).not.toBe("");
});
