/**
 * Shapes of single values: numbers in a range, words of a list, durations, sizes, names, addresses, CIDR blocks.
 *
 * Durations and sizes have two spellings: `interval: "1s"` (text with its unit) and `intervalMs: 1000` (a number whose
 * key carries the unit); `headMax: "32KiB"` and `headBytesMax: 32768`.
 */
import {
  CIDR_MEND,
  explainBytes,
  explainDuration,
  formatBytes,
  formatDuration,
  parseBytes,
  parseCidr,
  parseDurationMs,
  parseIp,
} from "../base/index.ts";
import { type AddressFault, parseAddress } from "./address.ts";
import type { Address } from "./config.ts";
import { choice, nearest } from "./nearest.ts";
import { type Place, report } from "./problem.ts";
import { bySort, leaf, mapped, quote, type Shape } from "./shape.ts";

/** Closed range of a number, and why it ends where it does, when that surprises. */
export interface Range {
  readonly min: number;
  readonly max: number;
  readonly why?: string;
}

/** The longest wait: a week. More than that is a mistyped unit, and 2^31 ms is where timers overflow. */
const WAIT_MS_MAX = 7 * 24 * 3_600_000;

/** A whole number in `range`. */
export function integer(range: Range): Shape<number> {
  return ranged("a whole number", range, Number.isInteger);
}

/** A number in `range`, fractions allowed. */
export function number(range: Range): Shape<number> {
  return ranged("a number", range, Number.isFinite);
}

function ranged(noun: string, { min, max, why }: Range, isNumber: (value: number) => boolean): Shape<number> {
  const expected = `${noun} from ${min} to ${max}${why === undefined ? "" : ` (${why})`}`;
  return leaf(expected, "number", (value: number) =>
    isNumber(value) && value >= min && value <= max ? value : undefined,
  );
}

/** true or false. */
export const flag: Shape<boolean> = leaf("true or false", "boolean", (value: boolean) => value);

/** A field name, a method or a product name: `token` of RFC 9110, section 5.6.2. */
export const TOKEN: RegExp = /^[!#$%&'*+.^_`|~0-9a-z-]+$/i;

/** Any text up to `max` characters that is not empty. */
export function text(expected: string, max: number): Shape<string> {
  return leaf(expected, "string", (value: string) =>
    value !== "" && value.length <= max ? value : undefined,
  );
}

/** One word of `words`. `later` words are known, and refused as not available yet. */
export function word<const W extends string>(
  words: readonly W[],
  later: readonly string[] = [],
  expected: string = choice(words.map((known) => JSON.stringify(known))),
): Shape<W> {
  return leaf(expected, "string", (value: string, place) => {
    const known = words.find((candidate) => candidate === value);
    if (known !== undefined) return known;
    if (later.includes(value))
      return report(place, `${quote(value)} is not available in this version`, `write ${expected}`);
    const near = nearest(value, words);
    return near === undefined
      ? near
      : report(place, `is the string ${quote(value)}`, `did you mean "${near}"?`);
  });
}

/** Names go into file names, metric labels and URLs, and are typed by people: 63 plain characters, as in DNS. */
export const name: Shape<string> = leaf(
  'a name such as "web" (letters, digits, "-" and "_", at most 63)',
  "string",
  (value: string, place) =>
    /^[a-z0-9][a-z0-9_-]{0,62}$/i.test(value)
      ? value
      : report(place, `is no name: ${quote(value)}`, 'use letters, digits, "-" and "_", at most 63'),
);

/** Milliseconds; its other spelling is a text such as "30s", under the key without "Ms". */
export function duration(minMs: number, maxMs: number = WAIT_MS_MAX): Shape<number> {
  const range = `from ${formatDuration(minMs)} to ${formatDuration(maxMs)}`;
  const inText = leaf(`a duration such as "250ms", "30s" or "5m"`, "string", (value: string, place) => {
    const ms = parseDurationMs(value);
    if (ms === undefined) return reportUnread(explainDuration(value), place);
    if (ms >= minMs && ms <= maxMs) return ms;
    return report(place, `is ${formatDuration(ms)}`, `write a duration ${range}`);
  });
  return {
    ...number({ min: minMs, max: maxMs, why: "milliseconds" }),
    spelling: { keyOf: (key) => key.replace(/Ms$/, ""), shape: orBareNumber(inText, ["ms", "Ms"]) },
  };
}

/** Bytes; its other spelling is a text such as "64KiB", under the key without "Bytes". */
export function bytes(min: number, max: number): Shape<number> {
  const range = `from ${formatBytes(min)} to ${formatBytes(max)}`;
  const inText = leaf(`a size such as "64KiB" or "10MB"`, "string", (value: string, place) => {
    const size = parseBytes(value);
    if (size === undefined) return reportUnread(explainBytes(value), place);
    if (size >= min && size <= max) return size;
    return report(place, `is ${formatBytes(size)}`, `write a size ${range}`);
  });
  return {
    ...integer({ min, max, why: "bytes" }),
    spelling: { keyOf: (key) => key.replace("Bytes", ""), shape: orBareNumber(inText, ["B", "Bytes"]) },
  };
}

/** base explains in one sentence, "what: write …". */
function reportUnread(explanation: string, place: Place): undefined {
  const mend = explanation.lastIndexOf(": write ");
  return report(place, explanation.slice(0, mend), explanation.slice(mend + 2));
}

/** A number under the key of the text: the commonest slip, so it gets both ways out. */
function orBareNumber(inText: Shape<number>, [unit, suffix]: readonly [string, string]): Shape<number> {
  const bare = leaf<number>(inText.expected, "number", (value: number, place: Place) => {
    const key = place.path.slice(place.path.lastIndexOf(".") + 1);
    const inKey = key.endsWith("Max") ? `${key.slice(0, -3)}${suffix}Max` : `${key}${suffix}`;
    return report(place, `is ${value} without a unit`, `write "${value}${unit}", or ${inKey}: ${value}`);
  });
  return bySort({ string: inText, number: bare }, inText.expected);
}

const ADDRESS_EXPECTED = 'an address such as "127.0.0.1:8080"';

const ADDRESS_FAULTS: Readonly<Record<AddressFault, readonly [what: string, mend: string]>> = {
  scheme: ["holds a scheme or a path", `write the host and port alone: ${ADDRESS_EXPECTED}`],
  "no-port": ["has no port", `write ${ADDRESS_EXPECTED}`],
  port: ["has no valid port", "use a port from 1 to 65535"],
  brackets: ["has more than one colon", 'write an IPv6 host in brackets: "[::1]:8080"'],
  host: ["has no valid host", `write ${ADDRESS_EXPECTED}`],
};

/** "host:port", "[::1]:80", or a port alone, which gets `defaultHost`. Port 0 lets the system choose, where allowed. */
export function address(defaultHost: string, portMin: 0 | 1): Shape<Address> {
  const parse = (value: string, place: Place): Address | undefined => {
    const parsed = parseAddress(value, defaultHost);
    if (typeof parsed === "object" && parsed.port >= portMin) return parsed;
    const [what, mend] = ADDRESS_FAULTS[typeof parsed === "object" ? "port" : parsed];
    return report(place, `${quote(value)} ${what}`, mend);
  };
  return bySort(
    {
      string: leaf(ADDRESS_EXPECTED, "string", parse),
      number: leaf(ADDRESS_EXPECTED, "number", (port: number, place) => parse(String(port), place)),
    },
    ADDRESS_EXPECTED,
  );
}

/** A CIDR block or a single address, as text that `parseCidr` of base reads. */
export const cidr: Shape<string> = leaf("a CIDR block", "string", (value: string, place) => {
  const block = parseCidr(value);
  if (!block) return report(place, `${quote(value)} is no CIDR block`, CIDR_MEND);
  const written = parseIp(value.replace(/\/.*/, ""));
  if (block.network.every((part, index) => part === written?.[index])) return value;
  return report(
    place,
    `${quote(value)} has bits set behind its prefix`,
    "clear them, or lengthen the prefix",
  );
});

/** Text of a number, of a truth value or of itself: what an environment variable can hold. */
export const scalarText: Shape<string> = bySort<string>(
  {
    string: leaf("a string", "string", (value: string) => value),
    number: mapped(number({ min: -Number.MAX_VALUE, max: Number.MAX_VALUE }), String),
    boolean: mapped(flag, String),
  },
  "a string",
);
