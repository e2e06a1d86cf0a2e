/**
 * How long things take, as published: the well-known list in three of its editions.
 *
 * None of them is a measurement of your machine. 2010: J. Dean's talks of that year (keynote at SoCC, and at Stanford);
 * his talks up to early 2009 said 100 ns for the mutex and 10 us for the compression, and the list goes back to
 * P. Norvig's of 2001. 2012: the same with SSDs, as it has gone round among programmers since. 2020: C. Scott's "Latency
 * Numbers Every Programmer Should Know", which does not measure either but extrapolates by yearly rates.
 */

/** Whose number it is; its key is the year. */
export const EDITIONS = {
  2010: "J. Dean, keynote at SoCC 2010",
  2012: "the same with SSDs, as it has gone round since",
  2020: "C. Scott, extrapolated by yearly rates",
} as const;

/** An edition's year. */
export type Edition = keyof typeof EDITIONS;

/** What can be measured on a machine. */
export type Measurable = "l1" | "ram" | "ramMegabyte" | "diskRead" | "diskSync" | "loopback";

/** How long one thing takes; ms by edition. */
export interface LatencyNumber {
  readonly what: string;
  readonly published: Readonly<Partial<Record<Edition, number>>>;
  readonly measurable?: Measurable;
}

const NS = 1e-6;
const US = 1e-3;

/** In ascending order of the oldest number. */
export const LATENCY_NUMBERS: readonly LatencyNumber[] = [
  { what: "L1 cache", published: all(0.5 * NS, 0.5 * NS, 1 * NS), measurable: "l1" },
  { what: "branch mispredicted", published: all(5 * NS, 5 * NS, 3 * NS) },
  { what: "L2 cache", published: all(7 * NS, 7 * NS, 4 * NS) },
  { what: "mutex lock and unlock", published: all(25 * NS, 25 * NS, 17 * NS) },
  { what: "main memory", published: all(100 * NS, 100 * NS, 100 * NS), measurable: "ram" },
  { what: "1 kB compressed (Zippy)", published: all(3 * US, 3 * US, 2 * US) },
  { what: "round trip on this machine, TCP", published: {}, measurable: "loopback" },
  { what: "4 KiB read at random, SSD", published: { 2012: 150 * US, 2020: 16 * US }, measurable: "diskRead" },
  {
    what: "1 MB in a row, memory",
    published: all(250 * US, 250 * US, 3 * US),
    measurable: "ramMegabyte",
  },
  { what: "round trip, same data centre", published: all(0.5, 0.5, 0.5) },
  { what: "1 MB in a row, SSD", published: { 2012: 1, 2020: 49 * US } },
  { what: "4 KiB written and synced", published: {}, measurable: "diskSync" },
  { what: "seek, spinning disk", published: all(10, 10, 2) },
  { what: "1 MB in a row, spinning disk", published: all(20, 20, 0.825) },
  { what: "round trip, California to the Netherlands", published: all(150, 150, 150) },
];

function all(dean: number, copied: number, scott: number): LatencyNumber["published"] {
  return { 2010: dean, 2012: copied, 2020: scott };
}
