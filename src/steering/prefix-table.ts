/**
 * Which region an address is in: the longest prefix that has it, and how far around the address that holds.
 *
 * The prefixes, which may lie within each other, are laid out flat once: ranges of addresses that follow each other, each
 * with the prefix that counts there. A search is binary. The scope of an answer (RFC 7871 §7.2.1) is the largest block
 * around the address in which every address is of the same region, so that a resolver never keeps an answer for too many.
 */
import { type IpAddress, parseCidr, parseIp } from "../base/index.ts";
import type { SteeringRegion } from "../config/index.ts";

const BITS = 128;
/** IPv4 addresses are kept as IPv4-mapped ones, ::ffff:0:0/96. */
const MAPPED_BITS = 96;
const MAPPED_FIRST = 0xffffn << 32n;
const MAPPED_LAST = MAPPED_FIRST + 0xffff_ffffn;

/** A place in the table. */
export interface Found {
  /** Undefined when no prefix has the address. */
  readonly region: string | undefined;
  /** The prefix that counts, as it was written. */
  readonly prefix: string | undefined;
  /** Bits of the address for which the same holds: 0 to 32 of IPv4, to 128 of IPv6. */
  readonly scope: number;
}

interface Prefix {
  readonly region: string;
  readonly text: string;
  readonly first: bigint;
  readonly last: bigint;
}

interface Range {
  readonly first: bigint;
  readonly last: bigint;
  readonly prefix: Prefix | undefined;
  /** The ranges of the same region beside it, this one included. */
  readonly runFirst: bigint;
  readonly runLast: bigint;
}

/** All prefixes of all regions. */
export class PrefixTable {
  readonly #v4: readonly Range[];
  readonly #v6: readonly Range[];

  /** O(n log n) in prefixes. */
  constructor(regions: readonly Pick<SteeringRegion, "name" | "prefixes">[]) {
    const prefixes = regions.flatMap(({ name, prefixes: texts }) =>
      texts.flatMap((text) => prefixOf(name, text)),
    );
    const isV4 = ({ first, last }: Prefix): boolean => first >= MAPPED_FIRST && last <= MAPPED_LAST;
    this.#v4 = rangesOf(prefixes.filter(isV4), MAPPED_FIRST, MAPPED_LAST);
    // An IPv4 address is in no IPv6 block, ::/0 among them.
    this.#v6 = rangesOf(
      prefixes.filter((prefix) => !isV4(prefix)),
      0n,
      (1n << BigInt(BITS)) - 1n,
    );
  }

  /** Where an address is; undefined when the text is none. O(log n). */
  find(ip: string): Found | undefined {
    const address = parseIp(ip);
    if (address === undefined) return undefined;
    const value = numberOf(address);
    const isV4 = value >= MAPPED_FIRST && value <= MAPPED_LAST;
    const range = rangeAt(isV4 ? this.#v4 : this.#v6, value);
    return {
      region: range.prefix?.region,
      prefix: range.prefix?.text,
      scope: scopeOf(value, range, isV4 ? MAPPED_BITS : 0) - (isV4 ? MAPPED_BITS : 0),
    };
  }
}

function numberOf(address: IpAddress): bigint {
  return address.reduce((value, word) => (value << 32n) | BigInt(word >>> 0), 0n);
}

function prefixOf(region: string, text: string): Prefix[] {
  const block = parseCidr(text);
  if (block === undefined) return [];
  const first = numberOf(block.network);
  return [{ region, text, first, last: first | hostMask(block.prefixBits) }];
}

/** Ones where a prefix of so many bits says nothing. */
function hostMask(prefixBits: number): bigint {
  return (1n << BigInt(BITS - prefixBits)) - 1n;
}

/** Lays prefixes out flat between `low` and `high`. */
function rangesOf(prefixes: readonly Prefix[], low: bigint, high: bigint): readonly Range[] {
  const sorted = prefixes.toSorted((a, b) => compare(a.first, b.first) || compare(b.last, a.last));
  const flat: Omit<Range, "runFirst" | "runLast">[] = [];
  const open: { readonly last: bigint; readonly prefix: Prefix | undefined }[] = [
    { last: high, prefix: undefined },
  ];
  let at = low;
  const upTo = (last: bigint): void => {
    if (last >= at) flat.push({ first: at, last, prefix: open.at(-1)?.prefix });
    if (last >= at) at = last + 1n;
  };
  const closeBefore = (first: bigint): void => {
    for (let top = open.at(-1); top !== undefined && top.last < first; top = open.at(-1)) {
      upTo(top.last);
      open.pop();
    }
  };
  for (const prefix of sorted) {
    closeBefore(prefix.first);
    upTo(prefix.first - 1n);
    open.push({ last: prefix.last, prefix });
  }
  closeBefore(high + 1n);
  return withRuns(flat);
}

function withRuns(flat: readonly Omit<Range, "runFirst" | "runLast">[]): readonly Range[] {
  const ranges: Range[] = [];
  for (let from = 0; from < flat.length; ) {
    let to = from;
    while (flat[to + 1] !== undefined && flat[to + 1]?.prefix?.region === flat[from]?.prefix?.region) to++;
    const run = { runFirst: flat[from]?.first ?? 0n, runLast: flat[to]?.last ?? 0n };
    for (const range of flat.slice(from, to + 1)) ranges.push({ ...range, ...run });
    from = to + 1;
  }
  return ranges;
}

function rangeAt(ranges: readonly Range[], value: bigint): Range {
  let low = 0;
  let high = ranges.length - 1;
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if ((ranges[middle]?.first ?? 0n) <= value) low = middle;
    else high = middle - 1;
  }
  const range = ranges[low];
  if (range === undefined) throw new Error("steering: the table has no ranges");
  return range;
}

/** Bits of the largest block around `value` that lies within the run of its range. */
function scopeOf(value: bigint, { runFirst, runLast }: Range, from: number): number {
  for (let bits = from; bits < BITS; bits++) {
    const mask = hostMask(bits);
    if ((value & ~mask) >= runFirst && (value | mask) <= runLast) return bits;
  }
  return BITS;
}

function compare(a: bigint, b: bigint): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}
