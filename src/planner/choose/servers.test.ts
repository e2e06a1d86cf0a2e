import { describe, expect, test } from "bun:test";
import { uslAt } from "../queueing/index.ts";
import { figuresOf } from "../report/report.ts";
import { serversForChallenge, serversReport } from "./index.ts";

const QUESTION = { rateRps: 100_000, objectiveMs: 50, serverRps: 5000, serverP99Ms: 30 };

describe("100,000/s at p99 < 50 ms from servers of 5,000/s at 30 ms", () => {
  const found = serversForChallenge(QUESTION);
  const reading = (name: string) => found.readings.find((one) => one.name.startsWith(name))!;

  test("needs 30", () => expect(found.answer).toBe(30));

  const rows: [name: string, perServer: number | undefined, servers: number, withOneLost?: number][] = [
    ["naive", 5000, 20, 21],
    ["1 worker", 5061, 20, 21],
    ["16 workers", 5076, 20, 21],
    ["32 workers", 5251, 20, 21],
    ["50 workers", 7561, 14, 15],
    ["70 % headroom", 3500, 29, 30],
    ["lose 1 of 3", 5000, 30, 30],
    ["load + 1 ", undefined, 24],
    ["load + 2 ", undefined, 29],
    ["load + 3 ", undefined, 33],
    ["0.1 % done", undefined, 21],
    ["0.5 % done", undefined, 23],
    ["1 % done", undefined, 25],
    ["2 % done one after the other (USL)", undefined, 33],
    ["4 % done", undefined, 96],
    ["5 % done", undefined, Infinity],
    ["2 % done one after the other, 0.05 % agreed", undefined, Infinity],
  ];
  for (const [name, perServer, servers, withOneLost] of rows) {
    test(`${name}: ${servers}`, () => {
      const { perServerRps, ...counts } = reading(name);
      expect(perServerRps === undefined ? undefined : Math.round(perServerRps)).toBe(perServer);
      expect([counts.servers, counts.withOneLost]).toEqual([servers, withOneLost]);
    });
  }

  test("the fits are as busy as their service times say", () => {
    expect(found.fits.map(({ workers, busy }) => [workers, Math.round(busy * 100)])).toEqual([
      [1, 97],
      [4, 97],
      [16, 97],
      [32, 93],
      [50, 65],
    ]);
  });

  test("with one lost the p99 is 2.7 to 30 ms", () => {
    expect(found.p99Ms.oneLost.best).toBeCloseTo(2.7, 1);
    expect(found.p99Ms.oneLost.worst).toBeCloseTo(30, 0);
  });

  test("one queue of twenty has a p99 of 1.7 ms, twenty queues 30 ms", () => {
    expect(found.queues.shared).toBeCloseTo(1.7, 1);
    expect(found.queues.apart).toBeCloseTo(30, 6);
  });

  test("holds up to the contention at which 29 servers just suffice", () => {
    expect(found.contentionMax).toBeCloseTo(0.0161, 4);
    expect(uslAt([found.contentionMax, 0, 5000], 29)).toBeCloseTo(100_000, 6);
  });
});

test("by the law the number found suffices, and one fewer does not", () => {
  for (const { name, servers } of serversForChallenge(QUESTION).readings) {
    const contention = Number(/^([\d.]+) % done one after the other \(/.exec(name)?.[1] ?? Number.NaN) / 100;
    if (!(contention > 0) || servers === Infinity) continue;
    expect(uslAt([contention, 0, 5000], servers)).toBeGreaterThanOrEqual(100_000 * (1 - 1e-12));
    expect(uslAt([contention, 0, 5000], servers - 1)).toBeLessThan(100_000);
  }
});

describe("other questions", () => {
  const rows: [question: Partial<typeof QUESTION>, answer: number][] = [
    [{ rateRps: 100 }, 3],
    [{ rateRps: 5000 }, 3],
    [{ rateRps: 3500 }, 3],
    [{ rateRps: 1e6 }, 300],
    [{ objectiveMs: 30 }, 30],
  ];
  for (const [question, answer] of rows)
    test(`${JSON.stringify(question)}: ${answer}`, () =>
      expect(serversForChallenge({ ...QUESTION, ...question }).answer).toBe(answer));

  test("no figure is without a formula, and none but the words is endless", () => {
    for (const { formula, value } of figuresOf(serversReport({ ...QUESTION, rateRps: 1 }))) {
      expect(formula).not.toBe("");
      expect(value).toBeLessThan(Infinity);
    }
  });
});
