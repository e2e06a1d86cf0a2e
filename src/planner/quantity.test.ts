import { describe, expect, test } from "bun:test";
import type { Problem } from "../config/index.ts";
import {
  COUNT_MAX,
  parseCount,
  parseRate,
  parseShare,
  readBytes,
  readCount,
  readDuration,
  readRate,
  readShare,
} from "./quantity.ts";

const EVERY = { min: 0, max: COUNT_MAX };

/** What a reader makes of a text: its value, or its problem as one line. */
function read(reader: typeof readCount, text: string, bounds = EVERY): unknown {
  const problems: Problem[] = [];
  const value = reader({ path: "it", problems }, text, bounds);
  return value ?? problems.map(({ what, mend }) => `${what}; ${mend}`).join();
}

describe("what people write is read", () => {
  const rows: [name: string, read: number | undefined, value: number | undefined][] = [
    ["10", parseCount("10"), 10],
    ["1,000,000", parseCount("1,000,000"), 1e6],
    ["1.5M", parseCount("1.5M"), 1.5e6],
    [".5", parseCount(".5"), 0.5],
    ["1e9", parseCount("1e9"), 1e9],
    ["2 billion", parseCount("2 billion"), 2e9],
    ["1,00", parseCount("1,00"), undefined],
    ["-3", parseCount("-3"), undefined],
    ["NaN", parseCount("NaN"), undefined],
    ["", parseCount(""), undefined],
    ["100/s", parseRate("100/s"), 100],
    ["5k rps", parseRate("5k rps"), 5000],
    ["30/h", parseRate("30/h"), 30 / 3600],
    ["1e9/day", parseRate("1e9/day"), 1e9 / 86_400],
    ["6 per min", parseRate("6 per min"), 0.1],
    ["100", parseRate("100"), undefined],
    ["99.95%", parseShare("99.95%"), 0.9995],
    ["0.9995", parseShare("0.9995"), 0.9995],
    ["99.95", parseShare("99.95"), undefined],
    ["101%", parseShare("101%"), undefined],
  ];
  for (const [name, got, value] of rows) test(`"${name}" is ${value}`, () => expect(got).toBe(value));
});

describe("what could mean two things, or nothing, is refused with the mend", () => {
  const rows: [read: unknown, line: string][] = [
    [read(readCount, "ten"), 'is "ten"; write a number, such as "250", "10k" or "1.5M"'],
    [read(readCount, "5k", { min: 1, max: 100 }), 'is "5k"; write a value from 1 to 100'],
    [read(readRate, "100"), 'is "100", which does not say per what; write "100/s" or "100/day"'],
    [read(readRate, "fast"), 'is "fast"; write a rate, such as "100/s", "30/h" or "1M/day"'],
    [
      read(readBytes, "10M"),
      'cannot be read; "10M" does not say which unit: write "10MiB" (1024s) or "10MB" (1000s)',
    ],
    [read(readDuration, "50"), 'cannot be read; "50" has no unit: write "50ms" or "50s"'],
    [read(readShare, "99.95"), 'is "99.95", which may mean 99.95 or 99.95 %; write "99.95%"'],
    [read(readShare, "150%"), 'is "150%"; write a share from "0%" to "100%"'],
    [read(readShare, "-5%"), 'is "-5%"; write a share from "0%" to "100%"'],
  ];
  for (const [got, line] of rows) test(line, () => expect(got).toBe(line));
});
