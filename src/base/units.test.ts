import { describe, expect, test } from "bun:test";
import { seededRandom } from "./random.ts";
import {
  explainBytes,
  explainDuration,
  formatBytes,
  formatDuration,
  parseBytes,
  parseDurationMs,
} from "./units.ts";

describe("durations", () => {
  test.each([
    ["0", 0],
    ["0s", 0],
    ["500us", 0.5],
    ["250ms", 250],
    ["1.5s", 1500],
    ["30s", 30_000],
    ["5m", 300_000],
    ["1h", 3_600_000],
    ["1h30m", 5_400_000],
    ["1d", 86_400_000],
    [" 30s ", 30_000],
  ])("%p is %p ms", (text, ms) => {
    expect(parseDurationMs(text)).toBe(ms);
  });

  test.each(["", "30", "s", "-5s", "5 s", "5S", "1,5s", "1e3ms", "5s!", "5sec", "1h30", ".5s", "5.s"])(
    "%p is refused",
    (text) => {
      expect(parseDurationMs(text)).toBeUndefined();
    },
  );

  test("a bare number is answered with its two likely readings", () => {
    expect(explainDuration("30")).toBe('"30" has no unit: write "30ms" or "30s"');
    expect(explainDuration("soon")).toContain("write a number and a unit");
  });

  test.each([
    [0, "0s"],
    [0.25, "250us"],
    [0.9996, "1ms"],
    [12.34, "12.3ms"],
    [999.6, "1s"],
    [1500, "1.5s"],
    [59_990, "1m"],
    [90_000, "1m30s"],
    [3_571_000, "59m31s"],
    [3_599_700, "1h"],
    [5_400_000, "1h30m"],
    [86_400_000, "1d"],
    [100_800_000, "1d4h"],
    [-1500, "-1.5s"],
  ])("%p ms is written %p", (ms, text) => {
    expect(formatDuration(ms)).toBe(text);
  });

  test("what is written parses back to within 1 % below a minute and 5 % above", () => {
    const random = seededRandom(1);
    for (let i = 0; i < 5000; i++) {
      const ms = 10 ** (random() * 12 - 3);
      const error = Math.abs((parseDurationMs(formatDuration(ms)) ?? Number.NaN) - ms) / ms;
      expect(error).toBeLessThan(ms < 60_000 ? 0.01 : 0.05);
    }
  });
});

describe("sizes", () => {
  test.each([
    ["0", 0],
    ["512", 512],
    ["512B", 512],
    ["64KiB", 65_536],
    ["64 kib", 65_536],
    ["1.5MiB", 1_572_864],
    ["10MB", 10_000_000],
    ["10kB", 10_000],
    ["2GiB", 2_147_483_648],
    ["1TB", 1e12],
  ])("%p is %p bytes", (text, bytes) => {
    expect(parseBytes(text)).toBe(bytes);
  });

  test.each(["", "KiB", "-1", "1K", "10m", "1e3", "1,5MB", "64 K iB", "9000TiB!", "9999999TiB"])(
    "%p is refused",
    (text) => {
      expect(parseBytes(text)).toBeUndefined();
    },
  );

  test("a bare letter is answered with both units that it may mean", () => {
    expect(explainBytes("10m")).toBe(
      '"10m" does not say which unit: write "10MiB" (1024s) or "10MB" (1000s)',
    );
    expect(explainBytes("big")).toContain('such as "64KiB" or "10MB"');
  });

  test.each([
    [0, "0B"],
    [512, "512B"],
    [1023, "1023B"],
    [1024, "1KiB"],
    [65_536, "64KiB"],
    [1_048_575, "1MiB"],
    [1_572_864, "1.5MiB"],
    [5 * 2 ** 40, "5TiB"],
    [4096 * 2 ** 40, "4096TiB"],
    [-2048, "-2KiB"],
  ])("%p bytes are written %p", (bytes, text) => {
    expect(formatBytes(bytes)).toBe(text);
  });

  test("what is written parses back to within 1 %", () => {
    const random = seededRandom(2);
    for (let i = 0; i < 5000; i++) {
      const bytes = Math.ceil(2 ** (random() * 50));
      const error = Math.abs((parseBytes(formatBytes(bytes)) ?? Number.NaN) - bytes) / bytes;
      expect(error).toBeLessThan(0.01);
    }
  });
});
