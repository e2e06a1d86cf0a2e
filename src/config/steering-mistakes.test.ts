import { describe, expect, test } from "bun:test";
import { DEFAULTS } from "./defaults.ts";
import type { SteeringConfig } from "./steering.ts";
import { good, lines } from "./testing.ts";
import type { UserSteering } from "./user-steering.ts";

const GOOD: UserSteering = {
  zone: "cdn.example",
  nameservers: { "ns1.cdn.example": "192.0.2.53" },
  edges: { fra: { region: "eu", addresses: "192.0.2.1" } },
  regions: { eu: { prefixes: "10.0.0.0/8", at: [50, 8] }, us: { at: [39, -77] } },
};

const steering = (changes: object = {}): { steering: UserSteering } => ({
  steering: { ...GOOD, ...changes },
});

const configOf = (changes: object = {}): SteeringConfig => good(steering(changes)).steering!;

describe("steering", () => {
  test("is a config of its own, with its defaults", () => {
    expect(configOf()).toMatchObject({ ...DEFAULTS.steering, zone: "cdn.example", fallback: "eu" });
    expect(configOf().edges).toEqual([
      { name: "fra", region: "eu", addresses: ["192.0.2.1"], health: DEFAULTS.edgeHealth },
    ]);
  });

  test("takes names in small letters without a dot at the end, and durations in both spellings", () => {
    const config = configOf({
      zone: "CDN.Example.",
      names: "WWW",
      ttl: "5s",
      roundTrips: { eu: { us: "90ms" } },
    });
    expect([config.zone, config.names, config.ttlMs, config.roundTrips]).toEqual([
      "cdn.example",
      ["www"],
      5000,
      [{ from: "eu", to: "us", ms: 90 }],
    ]);
  });
});

/** The one line that each mistake gets. */
const MISTAKES: readonly (readonly [line: string, changes: object])[] = [
  ['steering: has no zone; write zone: a zone such as "cdn.example"', { zone: undefined }],
  [
    'steering.zone: is the string "cdn..example"; write a zone such as "cdn.example"',
    { zone: "cdn..example" },
  ],
  [
    'steering.edges: is empty: there is nothing to steer to; write edges: { fra: { region: "eu", addresses } }',
    { edges: {} },
  ],
  [
    'steering.edges.fra.region: no region is called "ue"; did you mean "eu"?',
    { edges: { fra: { region: "ue", addresses: "192.0.2.1" } } },
  ],
  [
    'steering.edges.fra.addresses: "192.0.2.256" is no IP address; write one such as "192.0.2.1" or "2001:db8::1"',
    { edges: { fra: { region: "eu", addresses: "192.0.2.256" } } },
  ],
  ['steering.fallback: no region is called "mars"; known: eu, us', { fallback: "mars" }],
  [
    "steering.regions.us.prefixes[0]: 10.0.0.0/8 is in region eu already; take it out of one of them",
    { regions: { ...GOOD.regions, us: { prefixes: "10.0.0.0/8", at: [39, -77] } } },
  ],
  [
    'steering.regions.us: nothing says how far eu is, where there is an edge; write roundTrips: { us: { eu: "90ms" } }, or `at` of both',
    { regions: { ...GOOD.regions, us: {} } },
  ],
  [
    "steering.regions.us.at: is a list; write latitude and longitude, such as [50.1, 8.7]",
    { regions: { ...GOOD.regions, us: { at: [91, 0] } } },
  ],
  [
    'steering.nameservers.ns1.cdn.example: has no address; write one such as "192.0.2.53"',
    { nameservers: { "ns1.cdn.example": [] } },
  ],
  ['steering.names: is the string "a..b"; write "@", "*" or a name such as "www"', { names: "a..b" }],
];

describe("a mistake under steering gets one line that mends it", () => {
  for (const [line, changes] of MISTAKES) {
    test(line, () => {
      expect(lines(steering(changes))).toEqual([line]);
    });
  }

  test("a name server of another zone needs no address", () => {
    expect(lines(steering({ nameservers: { "ns.elsewhere.example": [] } }))).toEqual([]);
  });
});
