/**
 * Durations and sizes as people write them: "250ms", "1h30m", "64KiB".
 *
 * Parsing answers undefined for what it cannot read; `explainDuration` and `explainBytes` then say what is wrong and
 * how to write it. Formatting is for people, to about three digits, and what it prints can be parsed again.
 */

const SECOND_MS = 1000;
const MINUTE_MS = 60 * SECOND_MS;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;

const DURATION_UNITS_MS: Readonly<Record<string, number>> = {
  us: 0.001,
  ms: 1,
  s: SECOND_MS,
  m: MINUTE_MS,
  h: HOUR_MS,
  d: DAY_MS,
};

/** Keys in lower case: "64KiB", "64kib" and "64 KiB" are the same size. */
const BYTE_UNITS: Readonly<Record<string, number>> = {
  "": 1,
  b: 1,
  kb: 1e3,
  mb: 1e6,
  gb: 1e9,
  tb: 1e12,
  kib: 2 ** 10,
  mib: 2 ** 20,
  gib: 2 ** 30,
  tib: 2 ** 40,
};

const DURATION = /^(\d+(\.\d+)?(us|ms|s|m|h|d))+$/;
const DURATION_PART = /(\d+(?:\.\d+)?)(us|ms|s|m|h|d)/g;
const BYTES = /^(\d+(?:\.\d+)?) ?([a-z]*)$/;

/**
 * Milliseconds of "250ms", "1.5s", "5m", "1h30m", "1d"; undefined when it is no duration. A unit is required, but for
 * "0": a bare number would leave the reader to guess.
 */
export function parseDurationMs(text: string): number | undefined {
  const trimmed = text.trim();
  if (trimmed === "0") return 0;
  if (!DURATION.test(trimmed)) return undefined;
  let totalMs = 0;
  for (const [, amount, unit = ""] of trimmed.matchAll(DURATION_PART)) {
    totalMs += Number(amount) * (DURATION_UNITS_MS[unit] ?? 0);
  }
  return totalMs;
}

/** Bytes of "512", "64KiB" (1024s), "10MB" (1000s); whole and at most 2^53 - 1, else undefined. */
export function parseBytes(text: string): number | undefined {
  const [, amount, unit = ""] = BYTES.exec(text.trim().toLowerCase()) ?? [];
  const scale = BYTE_UNITS[unit];
  if (amount === undefined || scale === undefined) return undefined;
  const bytes = Math.round(Number(amount) * scale);
  return Number.isSafeInteger(bytes) ? bytes : undefined;
}

/** What is wrong with a duration that did not parse, and how to mend it. */
export function explainDuration(text: string): string {
  const trimmed = text.trim();
  return /^\d+(\.\d+)?$/.test(trimmed)
    ? `"${trimmed}" has no unit: write "${trimmed}ms" or "${trimmed}s"`
    : `"${trimmed}" is not a duration: write a number and a unit, such as "250ms", "30s", "5m", "1h" or "1d"`;
}

/** What is wrong with a size that did not parse, and how to mend it. */
export function explainBytes(text: string): string {
  const trimmed = text.trim();
  const [, bare = ""] = /^(\d+(?:\.\d+)? ?[kmgt])i?$/i.exec(trimmed) ?? [];
  const prefixed = bare.toUpperCase();
  return prefixed === ""
    ? `"${trimmed}" is not a size: write bytes ("512"), or a number and a unit, such as "64KiB" or "10MB"`
    : `"${trimmed}" does not say which unit: write "${prefixed}iB" (1024s) or "${prefixed}B" (1000s)`;
}

/** "250us", "12.5ms", "30s", "1h30m": three digits below a minute, two units from there. */
export function formatDuration(ms: number): string {
  if (ms < 0) return `-${formatDuration(-ms)}`;
  const rounded = threeDigits(ms);
  if (rounded < 1) return rounded === 0 ? "0s" : `${threeDigits(ms * 1000)}us`;
  if (rounded < SECOND_MS) return `${rounded}ms`;
  if (rounded < MINUTE_MS) return `${rounded / SECOND_MS}s`;
  return formatLong(Math.round(ms / SECOND_MS) * SECOND_MS);
}

/** "512B", "64KiB", "1.5GiB": in 1024s, three digits. */
export function formatBytes(bytes: number): string {
  if (bytes < 0) return `-${formatBytes(-bytes)}`;
  const units = ["B", "KiB", "MiB", "GiB", "TiB"];
  let scaled = bytes;
  let unit = 0;
  while (Math.round(scaled) >= 1024 && unit < units.length - 1) {
    scaled /= 1024;
    unit++;
  }
  return `${scaled < 1000 ? threeDigits(scaled) : Math.round(scaled)}${units[unit]}`;
}

/** Whole units of the two largest that fit. */
function formatLong(ms: number): string {
  if (ms >= DAY_MS) return pair(ms, DAY_MS, "d", HOUR_MS, "h");
  if (ms >= HOUR_MS) return pair(ms, HOUR_MS, "h", MINUTE_MS, "m");
  return pair(ms, MINUTE_MS, "m", SECOND_MS, "s");
}

function pair(ms: number, largeMs: number, large: string, smallMs: number, small: string): string {
  const rounded = Math.round(ms / smallMs) * smallMs;
  const rest = (rounded % largeMs) / smallMs;
  return `${Math.floor(rounded / largeMs)}${large}${rest === 0 ? "" : `${rest}${small}`}`;
}

function threeDigits(value: number): number {
  return Number(value.toPrecision(3));
}
