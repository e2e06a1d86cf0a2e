/** Numbers that everybody who estimates should have at hand: powers of two, and how long things take. */

/** A power of two, beside the power of ten that it is near. */
export interface PowerOfTwo {
  readonly exponent: number;
  readonly value: number;
  readonly near: string;
  readonly bytes: string;
}

/** The powers that people reckon with. */
export const POWERS_OF_TWO: readonly PowerOfTwo[] = [
  { exponent: 10, value: 2 ** 10, near: "1 thousand", bytes: "1 KiB" },
  { exponent: 20, value: 2 ** 20, near: "1 million", bytes: "1 MiB" },
  { exponent: 30, value: 2 ** 30, near: "1 billion", bytes: "1 GiB" },
  { exponent: 32, value: 2 ** 32, near: "4 billion", bytes: "4 GiB" },
  { exponent: 40, value: 2 ** 40, near: "1 trillion", bytes: "1 TiB" },
  { exponent: 50, value: 2 ** 50, near: "1 quadrillion", bytes: "1 PiB" },
];

/** What can be measured on this machine, by the name that a published row has. */
export type Measurable = "l1" | "ram" | "ram-mb" | "disk-write" | "disk-read" | "loopback";

/** How long something takes, as published; ms. A range where editions differ. */
export interface LatencyNumber {
  readonly what: string;
  readonly fromMs: number;
  readonly toMs: number;
  readonly year: string;
  readonly key?: Measurable;
}

const NS = 1e-6;
const US = 1e-3;

/** Jeff Dean's list of about 2009, Peter Norvig's of 2001 and Colin Scott's of 2020 span these ranges. */
export const LATENCY_NUMBERS: readonly LatencyNumber[] = [
  { what: "L1 cache", fromMs: 0.5 * NS, toMs: 1 * NS, year: "2009-2020", key: "l1" },
  { what: "L2 cache", fromMs: 4 * NS, toMs: 7 * NS, year: "2009-2020" },
  { what: "mutex lock", fromMs: 17 * NS, toMs: 25 * NS, year: "2009-2020" },
  { what: "main memory", fromMs: 100 * NS, toMs: 100 * NS, year: "2009-2020", key: "ram" },
  { what: "1 MB from memory", fromMs: 3 * US, toMs: 250 * US, year: "2009-2020", key: "ram-mb" },
  { what: "random read, SSD", fromMs: 16 * US, toMs: 150 * US, year: "2012-2020", key: "disk-read" },
  { what: "1 MB from SSD", fromMs: 50 * US, toMs: 1, year: "2012-2020" },
  { what: "write and sync a file", fromMs: 0.1, toMs: 10, year: "2020", key: "disk-write" },
  { what: "round trip, this machine", fromMs: 0.02, toMs: 0.1, year: "2020", key: "loopback" },
  { what: "round trip, same data centre", fromMs: 0.5, toMs: 0.5, year: "2009-2020" },
  { what: "disk seek", fromMs: 2, toMs: 10, year: "2009-2020" },
  { what: "round trip, California to Europe", fromMs: 150, toMs: 150, year: "2009-2020" },
];
