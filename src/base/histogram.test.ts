import { describe, expect, test } from "bun:test";
import {
  count,
  countUpTo,
  HISTOGRAM_SIZE,
  type HistogramCells,
  merge,
  quantile,
  record,
  sum,
} from "./histogram.ts";
import { seededRandom } from "./random.ts";

const random = seededRandom(11);
const QUANTILES = [0, 0.01, 0.1, 0.5, 0.9, 0.99, 0.999, 1];

/** Ways to draw latencies in microseconds. */
const DISTRIBUTIONS: Record<string, () => number> = {
  uniform: () => random() * 1e6,
  exponential: () => -Math.log(1 - random()) * 5000,
  "heavy-tailed (Pareto)": () => 100 / (1 - random()) ** (1 / 1.1),
  "log-normal": () =>
    Math.exp(8 + 2 * Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random())),
  "two humps": () => (random() < 0.9 ? 200 + random() * 50 : 4e7 + random() * 1e6),
  "up to 19 hours": () => 2 ** (random() * 36),
  constant: () => 12_345,
};

function recorded(values: readonly number[]): HistogramCells {
  const cells = new Uint32Array(HISTOGRAM_SIZE);
  for (const value of values) record(cells, 0, value);
  return cells;
}

describe.each(Object.entries(DISTRIBUTIONS))("values that are %s", (_, draw) => {
  const values = Array.from({ length: 20_000 }, () => Math.min(2 ** 36 - 1, Math.max(1, Math.round(draw()))));
  const sorted = values.toSorted((a, b) => a - b);
  const cells = recorded(values);

  test("every quantile is within 1.6 % of the sorted samples'", () => {
    for (const q of QUANTILES) {
      const exact = sorted[Math.max(1, Math.ceil(q * sorted.length)) - 1]!;
      expect(Math.abs(quantile(cells, 0, q) - exact) / exact).toBeLessThanOrEqual(0.016);
    }
  });

  test("the sum is within 1.6 % of the samples'", () => {
    const exact = values.reduce((total, value) => total + value, 0);
    expect(Math.abs(sum(cells, 0) - exact) / exact).toBeLessThanOrEqual(0.016);
  });
});

test("every power of two and its neighbours come back within 1.6 %", () => {
  for (let exponent = 0; exponent < 36; exponent++) {
    for (const value of [2 ** exponent - 1, 2 ** exponent, 2 ** exponent + 1]) {
      expect(Math.abs(quantile(recorded([value]), 0, 0.5) - value)).toBeLessThanOrEqual(value * 0.016);
    }
  }
});

test("values below 64 us are exact", () => {
  for (let value = 0; value < 64; value++) expect(quantile(recorded([value]), 0, 1)).toBe(value);
});

test("what is no latency counts at the nearest end, never outside the histogram", () => {
  const cells = new Uint32Array(3 * HISTOGRAM_SIZE);
  for (const value of [-1, Number.NaN, 2 ** 36, 1e300, Number.POSITIVE_INFINITY]) {
    record(cells, HISTOGRAM_SIZE, value);
  }
  expect(count(cells, HISTOGRAM_SIZE)).toBe(5);
  expect(count(cells, 0) + count(cells, 2 * HISTOGRAM_SIZE)).toBe(0);
  expect(cells[HISTOGRAM_SIZE]).toBe(2);
  expect(cells[2 * HISTOGRAM_SIZE - 1]).toBe(3);
});

test("a quantile is the least value that enough of the values do not exceed", () => {
  const cells = recorded([10, 20, 30]);
  expect([0, 0.33, 0.34, 0.5, 0.66, 0.67, 1].map((q) => quantile(cells, 0, q))).toEqual([
    10, 10, 20, 20, 20, 30, 30,
  ]);
});

test("an empty histogram has quantile 0", () => {
  expect(quantile(recorded([]), 0, 0.99)).toBe(0);
});

test("cumulative counts grow to the total and respect the limit", () => {
  const cells = recorded([1, 10, 50, 1000, 1_000_000]);
  expect([-1, 1, 10, 49, 50, 1100, 2 ** 40].map((limit) => countUpTo(cells, 0, limit))).toEqual([
    0, 1, 2, 2, 3, 4, 5,
  ]);
});

test("merging two histograms equals recording into one, also across kinds of array", () => {
  const [few, many] = [[5, 70, 9000], Array.from({ length: 500 }, () => random() * 1e7)];
  const into = new Float64Array(HISTOGRAM_SIZE + 8);
  for (const value of few) record(into, 8, value);
  merge(into, 8, recorded(many), 0);
  expect(Array.from(into.subarray(8))).toEqual(Array.from(recorded([...few, ...many])));
});
