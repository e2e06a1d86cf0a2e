/** Requests come when and as often as their law says. */
import { describe, expect, test } from "bun:test";
import { runOf } from "./testing.ts";

/** Arrivals by second of run. */
const arrivals = (clients: object, seconds: number) =>
  runOf({
    clients: { all: { to: "away", ...clients } },
    nodes: { away: { kind: "delay", time: "0ms" } },
    run: { duration: `${seconds}s`, warmUp: "0s", window: "1s" },
  }).windows.map(({ arrivalsRps }) => arrivalsRps);

const sum = (values: readonly number[]) => values.reduce((total, value) => total + value, 0);

describe("even arrivals follow the area under their profile", () => {
  const rows: [name: string, points: [string, string][], seconds: number, counts: number[]][] = [
    [
      "steady",
      [
        ["0s", "5/s"],
        ["1s", "5/s"],
      ],
      4,
      [5, 5, 5, 5],
    ],
    [
      "rising from nothing",
      [
        ["0s", "0/s"],
        ["4s", "16/s"],
      ],
      4,
      [2, 6, 10, 14],
    ],
    [
      "falling to nothing",
      [
        ["0s", "16/s"],
        ["4s", "0/s"],
      ],
      6,
      [14, 10, 6, 2, 0, 0],
    ],
    [
      "with a pause",
      [
        ["0s", "4/s"],
        ["1s", "4/s"],
        ["1s", "0/s"],
        ["3s", "0/s"],
        ["3s", "8/s"],
        ["9s", "8/s"],
      ],
      5,
      [4, 0, 0, 8, 8],
    ],
    [
      "from hardly anything",
      [
        ["0s", "0.001/s"],
        ["2s", "0.001/s"],
        ["3s", "100/s"],
      ],
      4,
      [0, 0, 50, 100],
    ],
  ];
  for (const [name, points, seconds, counts] of rows)
    test(name, () => {
      const came = arrivals({ points, even: true }, seconds);
      // What is due at the very end of a second may count for the next one.
      for (let second = 1; second <= seconds; second++)
        expect(Math.abs(sum(came.slice(0, second)) - sum(counts.slice(0, second)))).toBeLessThanOrEqual(1);
    });
});

test("chance arrivals have the profile's mean, second by second", () => {
  const points = [
    ["0s", "0/s"],
    ["10s", "10000/s"],
    ["20s", "0/s"],
  ];
  const counts = arrivals({ points }, 20);
  for (const [second, count] of counts.entries()) {
    const expected = 10_000 - 1000 * Math.abs(second + 0.5 - 10);
    expect(Math.abs(count - expected)).toBeLessThan(5 * Math.sqrt(expected));
  }
});

test("a sine has its mean, its peak and its trough", () => {
  const counts = arrivals({ sine: { mean: "1000/s", peak: "1800/s", period: "20s" }, even: true }, 20);
  expect(sum(counts)).toBeWithin(19_980, 20_020);
  expect([Math.max(...counts), Math.min(...counts)]).toEqual([
    expect.closeTo(1800, -2),
    expect.closeTo(200, -2),
  ]);
});

test("a herd comes all at once", () => {
  expect(arrivals({ herd: { count: 700, at: "2500ms" } }, 4)).toEqual([0, 0, 700, 0]);
});
