/** Availability against published figures, and against counting every state. */
import { describe, expect, test } from "bun:test";
import { seededRandom } from "../../base/index.ts";
import { allowedReport } from "./downtime.ts";
import { systemReport } from "./report.ts";
import { YEAR_MS } from "./system.ts";
import { countedUnavailability, drawSystem, system } from "./testing.ts";
import { unavailabilityOf } from "./unavailability.ts";

const unavailability = (text: string): number => unavailabilityOf(system(text));
const YEAR_MIN = YEAR_MS / 60_000;

describe("the exercises", () => {
  const rows: [text: string, printed: number, digits: number][] = [
    ["series(lb 99.99, app 99.95, db 99.99)", 0.99930011, 9],
    ["series(lb 99.99, 2x app 99.95, db 99.99)", 0.99979976, 9],
    ["series(lb 99.99, 2x app 99.95 common=1%, db 99.99)", 0.99979477, 8],
    ["series(lb 99.99, 2x app 99.95 common=10%, db 99.99)", 0.99974982, 8],
    ["2x app 99.95", 0.99999975, 9],
    ["2of3(node 99.95)", 0.99999925, 8],
    ["20of20 web 99.95", 0.990047, 6],
    ["20of21 web 99.95", 0.99994783, 8],
    ["20of22 web 99.95", 0.99999981, 8],
    ["db mtbf=30d mttr=1h", 720 / 721, 12],
    ["app 0.9995", 0.9995, 12],
    ["app 99.95 %", 0.9995, 12],
    ["parallel(a 99, b 90%)", 0.999, 12],
    [
      "2of3(a 99, b 98, c 97)",
      0.99 * 0.98 * 0.97 + 0.01 * 0.98 * 0.97 + 0.99 * 0.02 * 0.97 + 0.99 * 0.98 * 0.03,
      12,
    ],
    ["3x(series(app 99, cache 99))", 1 - (1 - 0.9801) ** 3, 12],
  ];
  for (const [text, printed, digits] of rows)
    test(`${text} is ${printed}`, () => expect(1 - unavailability(text)).toBeCloseTo(printed, digits));

  const minutes: [text: string, perYear: number, per30Days: number, secondsPerDay: number][] = [
    ["series(lb 99.99, app 99.95, db 99.99)", 367.9, 30.24, 60.5],
    ["series(lb 99.99, 2x app 99.95, db 99.99)", 105.2, 8.65, 17.3],
  ];
  for (const [text, perYear, per30Days, secondsPerDay] of minutes)
    test(`${text} is down ${perYear} min a year, ${per30Days} a month, ${secondsPerDay} s a day`, () => {
      expect(unavailability(text) * YEAR_MIN).toBeCloseTo(perYear, 1);
      expect(unavailability(text) * 30 * 1440).toBeCloseTo(per30Days, 2);
      expect(unavailability(text) * 86_400).toBeCloseTo(secondsPerDay, 1);
    });

  test("a common cause adds its share: 107.9 and 131.5 min a year", () => {
    const down = (share: string) =>
      unavailability(`series(lb 99.99, 2x app 99.95 common=${share}, db 99.99)`) * YEAR_MIN;
    expect(down("1%")).toBeCloseTo(107.9, 1);
    expect(down("10%")).toBeCloseTo(131.5, 1);
  });
});

describe("failovers", () => {
  const rows: [text: string, minutes: number][] = [
    ["2x db 100 failover=30s failovers=4/year", 2],
    ["2x db 100 failover=30s failovers=1/month", 6],
    ["2of3(a 100, b 100, c 100) failover=30s failovers=4/year", 2],
    // Nobody is there to fail over to.
    ["db 100 failover=30s failovers=4/year", 0],
    ["3of3 db 100 failover=30s failovers=4/year", 0],
  ];
  for (const [text, minutes] of rows)
    test(`${text}: ${minutes} min a year`, () =>
      expect(unavailability(text) * YEAR_MIN).toBeCloseTo(minutes, 9));

  test("are as many as failures where the mtbf is known", () => {
    const known = unavailability("2x db mtbf=7300h mttr=0 failover=60s");
    expect(known * YEAR_MIN).toBeCloseTo(365 / (7300 / 24), 9);
  });
});

describe("nines keep their digits", () => {
  const rows: [text: string, expected: number][] = [
    ["a 99.999999999", 1e-11],
    ["a 0.99999999999999", 1e-14],
    ["series(a 99.9999999, b 99.9999999)", 2e-9],
    ["3x a 99.9", 1e-9],
    ["5x a 99.9", 1e-15],
    ["8of10 a 99.9", 120 * 1e-9 * 0.999 ** 7 + 210 * 1e-12 * 0.999 ** 6 + 252e-15],
  ];
  for (const [text, expected] of rows)
    test(`${text} is down ${expected} of the time`, () =>
      expect(Math.abs(unavailability(text) / expected - 1)).toBeLessThan(2e-7));

  test("and are never printed as 100 %", () => {
    expect(systemReport(system("5x a 99.9"), "").answer[0]).toStartWith("99.9999999999999 % available");
    expect(systemReport(system("9x a 99.9"), "").answer[0]).toStartWith("more than 99.9999999999999 %");
    expect(systemReport(system("a 100"), "").answer[0]).toStartWith("100 % available: down 0 ms");
  });
});

test("random systems, with parts that stand in several places, agree with counting every state", () => {
  const random = seededRandom(11);
  let counted = 0;
  while (counted < 150) {
    const tree = drawSystem(random, 3, ["x", "yy"]);
    const expected = countedUnavailability(tree, 10);
    if (expected === undefined) continue;
    expect(unavailabilityOf(tree)).toBeCloseTo(expected, 12);
    counted++;
  }
});

test("a beta factor of 1 makes any number of copies one, and certain failure stays certain", () => {
  expect(unavailability("5x a 99 common=100%")).toBeCloseTo(0.01, 15);
  expect(unavailability("series(a 0, b 99)")).toBe(1);
  expect(unavailability("500of1000 a 0%")).toBe(1);
});

test("the table of nines is the published one", () => {
  const { sections } = allowedReport(0.001);
  const rows = sections.flatMap((one) => (one.kind === "table" && one.title === "Nines" ? one.rows : []));
  expect(rows).toEqual([
    ["90 %", "36.5 d", "3 d", "16.8 h", "2.4 h"],
    ["99 %", "3.65 d", "7.2 h", "100.8 min", "14.4 min"],
    ["99.9 %", "8.76 h", "43.2 min", "10.08 min", "86.4 s"],
    ["99.95 %", "4.38 h", "21.6 min", "5.04 min", "43.2 s"],
    ["99.99 %", "52.56 min", "4.32 min", "60.48 s", "8.64 s"],
    ["99.999 %", "5.256 min", "25.92 s", "6.048 s", "864 ms"],
    ["99.9999 %", "31.54 s", "2.592 s", "604.8 ms", "86.4 ms"],
  ]);
});
