import { describe, expect, test } from "bun:test";
import { distanceBetween, greatCircleKm } from "./distance.ts";
import { type Decision, type EdgeHealth, explainSteering, Steering } from "./steer.ts";
import { world } from "./testing.ts";

/** Where a client is sent while these edges are unhealthy. */
function decide(
  client: string,
  ill: readonly string[] = [],
  changes: Parameters<typeof world>[0] = {},
): Decision {
  const health = (edge: string): EdgeHealth => (ill.includes(edge) ? "unhealthy" : "healthy");
  const decision = new Steering(world(changes)).decide(client, health);
  if (decision === undefined) throw new Error("no address");
  return decision;
}

const names = ({ edges }: Decision): string[] => edges.map(({ name }) => name);

describe("distance", () => {
  test("is by great circle what an atlas says", () => {
    // Frankfurt to Ashburn and to Narita.
    expect(greatCircleKm([50.1, 8.7], [39, -77.5])).toBeCloseTo(6560, -2);
    expect(greatCircleKm([50.1, 8.7], [35.8, 140.4])).toBeCloseTo(9350, -2);
    expect(greatCircleKm([0, 0], [0, 180])).toBeCloseTo(20_015, 0);
    expect(greatCircleKm([10, 20], [10, 20])).toBe(0);
  });

  test("is what was measured, either way, else reckoned; none within a region", () => {
    const config = world();
    expect(distanceBetween(config, "us", "eu")).toEqual({ ms: 90, how: "round-trip" });
    expect(distanceBetween(config, "ap", "eu")).toMatchObject({
      how: "great-circle",
      ms: expect.closeTo(140, -1),
    });
    expect(distanceBetween(config, "eu", "eu")).toEqual({ ms: 0, how: "same-region" });
  });
});

describe("a client is sent", () => {
  test("to the nearest edge", () => {
    expect([decide("10.0.0.1"), decide("10.1.0.1"), decide("10.2.0.1")].map(names)).toEqual([
      ["fra"],
      ["iad"],
      ["nrt"],
    ]);
  });

  test("to the next one while the nearest is unhealthy, and to the one after", () => {
    expect([names(decide("10.0.0.1", ["fra"])), decide("10.0.0.1", ["fra"]).reason]).toEqual([
      ["iad"],
      "next",
    ]);
    expect(names(decide("10.0.0.1", ["fra", "iad"]))).toEqual(["nrt"]);
  });

  test("to all when none is well, the nearest first", () => {
    const decision = decide("10.2.0.1", ["fra", "iad", "nrt"]);
    expect([decision.reason, names(decision)]).toEqual(["fail-open", ["nrt", "fra", "iad"]]);
  });

  test("to those that are equally near together", () => {
    const edges = {
      b: { region: "eu", addresses: "192.0.2.5" },
      a: { region: "eu", addresses: "192.0.2.4" },
      c: { region: "us", addresses: "192.0.2.6" },
    };
    expect(names(decide("10.0.0.1", [], { edges }))).toEqual(["a", "b"]);
    expect([
      names(decide("10.0.0.1", ["a"], { edges })),
      decide("10.0.0.1", ["a"], { edges }).reason,
    ]).toEqual([["b"], "nearest"]);
  });

  test("from the fallback where no prefix has it: the first region, or the one that is named", () => {
    expect([names(decide("192.168.0.1")), names(decide("192.168.0.1", [], { fallback: "ap" }))]).toEqual([
      ["fra"],
      ["nrt"],
    ]);
  });

  test("as if well before it was checked", () => {
    const decision = new Steering(world()).decide("10.0.0.1", () => "unknown");
    expect(decision?.reason).toBe("nearest");
  });
});

test("a decision says region, prefix, distances, health and the choice", () => {
  expect(explainSteering(decide("10.0.0.1", ["fra"]))).toEqual([
    "10.0.0.1 is in region eu (prefix 10.0.0.0/8); the same holds for its /16",
    "   fra in eu: the same region, unhealthy",
    "-> iad in us: 90 ms, by roundTrips, healthy",
    expect.stringMatching(/^ {3}nrt in ap: about 14\d ms, by 9\d{3} km of great circle, healthy$/),
    "answer: iad (192.0.2.2): the nearest that is well: nearer ones are unhealthy",
  ]);
  expect(explainSteering(decide("8.8.8.8"))[0]).toContain("(no prefix has it: the fallback)");
});
