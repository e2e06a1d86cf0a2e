import { describe, expect, test } from "bun:test";
import { unavailabilityOf } from "../availability/index.ts";
import { DEFAULT_FACTS } from "./facts.ts";
import { crossingCores, downtimeCostOfCrossing, LARGEST_CORES, one, several } from "./prices.ts";
import { CHOICES } from "./questions.ts";

const facts = DEFAULT_FACTS;

test("a core costs the same up to 32, and what was said in the largest machine", () => {
  const core = (cores: number) => one(cores * 0.7, facts).price / cores;
  expect(core(4)).toBeCloseTo(30, 9);
  expect(core(32)).toBeCloseTo(30, 9);
  expect(core(64)).toBeGreaterThan(30);
  expect(core(LARGEST_CORES)).toBeCloseTo(75, 6);
  expect(one(LARGEST_CORES, facts).price).toBe(Infinity);
});

test("several are 70 % busy, one of ten to spare, with two gateways and the work", () => {
  expect(several(30, facts)).toMatchObject({ machines: 7, spare: 1, price: 30 * (56 + 4) + 400 });
  expect(several(30, { ...facts, state: "none" }).price).toBe(1800);
  expect(several(560, facts)).toMatchObject({ machines: 110, spare: 10 });
});

test("the downtime of several is that of availability's k of n with a common cause", () => {
  const options = { commonShare: 0.05, failoverMs: 0, failoversPerYear: 0 };
  const alike = { name: "x", unavailability: 0.001, needed: 6, copies: 7, shared: false };
  const system = { kind: "component", ...alike, options } as const;
  expect(several(30, facts).unavailability).toBeCloseTo(unavailabilityOf(system), 15);
});

describe("the crossing", () => {
  const cores = crossingCores(facts);

  test("is where both cost the same, and several cost less ever after", () => {
    expect(cores).toBeCloseTo(63.17, 1);
    for (let more = cores + 0.01; more < LARGEST_CORES * 0.7; more += 1)
      expect(several(more, facts).total).toBeLessThanOrEqual(one(more, facts).total);
    expect(one(cores - 0.01, facts).total).toBeLessThan(several(cores - 0.01, facts).total);
  });

  test("comes sooner where downtime costs something, and never where large machines are not dearer", () => {
    expect(crossingCores({ ...facts, downtimeCost: 1000 })).toBeLessThan(cores);
    expect(crossingCores({ ...facts, bigCorePrice: 1 })).toBe(LARGEST_CORES * 0.7);
  });

  test("is at 0 where downtime costs more than anything", () => {
    expect(crossingCores({ ...facts, downtimeCost: 1e6 })).toBe(0);
  });

  test("of downtime is the cost of an hour at which both totals meet", () => {
    const downtimeCost = downtimeCostOfCrossing(30, facts);
    const at = { ...facts, downtimeCost };
    expect(one(30, at).total).toBeCloseTo(several(30, at).total, 6);
  });
});

test("the plot shows both curves on both sides of the crossing", () => {
  const plot = CHOICES["scaling"]!.sections!(facts).find(({ kind }) => kind === "plot");
  if (plot?.kind !== "plot") throw new Error();
  const [single, many] = plot.series;
  const difference = single!.points.map(([, y], index) => y - many!.points[index]![1]);
  expect(Math.min(...difference)).toBeLessThan(0);
  expect(Math.max(...difference)).toBeGreaterThan(0);
});
