import { expect, test } from "bun:test";
import { type Directives, DURATION_MAX_S, noDirectives } from "../cache-control.ts";
import { controlOf } from "../targeted.ts";
import { responseWith } from "./testing.ts";

const NAMES = ["tenfold-cdn-cache-control", "cdn-cache-control"];

test.each<readonly [string, Partial<Directives>]>([
  ["max-age=60", { maxAgeS: 60 }],
  ["max-age=-60", { maxAgeS: 0 }],
  ["max-age=999999999999999", { maxAgeS: DURATION_MAX_S }],
  ["max-age=1, max-age=2", { maxAgeS: 2 }],
  ["no-store, no-cache=?0", { noStore: true }],
  ['private="a, B"', { fields: ["a", "b"] }],
  ["max-age=60;x=1", { maxAgeS: 60 }],
  ["x=1.5, y=(a b), constructor, max-age=60", { maxAgeS: 60 }],
])("%j replaces Cache-Control (RFC 9213 §2.1)", (value, said) => {
  const response = responseWith({ "cdn-cache-control": value, "cache-control": "public, max-age=9" });
  const { directives, isTargeted } = controlOf(response, NAMES);
  expect(isTargeted).toBe(true);
  expect(directives).toEqual({ ...noDirectives(), ...said });
});

test.each(["max-age=60,", "max-age=60; max age", "max-age=60.0", "max-age=(60)", "no-cache=token"])(
  "%j is as good as absent (RFC 9213 §2.1)",
  (value) => {
    const response = responseWith({ "cdn-cache-control": value, "cache-control": "max-age=9" });
    const { directives, isTargeted } = controlOf(response, NAMES);
    expect(isTargeted).toBe(false);
    expect(directives.maxAgeS).toBe(9);
  },
);

test("of the targeted fields the first valid one counts (RFC 9213 §2.2)", () => {
  const both = { "tenfold-cdn-cache-control": "max-age=1", "cdn-cache-control": "max-age=2" };
  expect(controlOf(responseWith(both), NAMES).directives.maxAgeS).toBe(1);
  const broken = { ...both, "tenfold-cdn-cache-control": "max-age=?" };
  expect(controlOf(responseWith(broken), NAMES).directives.maxAgeS).toBe(2);
  expect(controlOf(responseWith(both), []).isTargeted).toBe(false);
});
