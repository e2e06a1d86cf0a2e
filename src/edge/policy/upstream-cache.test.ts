import { expect, test } from "bun:test";
import { cameStale } from "./upstream-cache.ts";

const says = (status: string | undefined): boolean =>
  cameStale({ status: 200, bodyBytes: 0, field: (name) => (name === "cache-status" ? status : undefined) });

test("a response is stale when the nearest cache had it stored and past its time", () => {
  expect(says("tenfold-s1; hit; ttl=-5; detail=stale-if-error")).toBe(true);
  expect(says("far; fwd=uri-miss; stored, tenfold-s1; hit; ttl=-1")).toBe(true);
});

test("it is not when that cache says otherwise, whatever a farther one says", () => {
  for (const status of [
    undefined,
    "",
    "tenfold-s1; hit; ttl=0",
    "tenfold-s1; hit",
    "far; hit; ttl=-5, tenfold-s1; fwd=uri-miss; stored",
    "tenfold-s1; fwd=stale; fwd-status=304; ttl=-5",
    "tenfold-s1; hit=?0; ttl=-5",
    "tenfold-s1; hit; ttl=-5.5",
    "no list; ; hit; ttl=-5",
  ])
    expect([status, says(status)]).toEqual([status, false]);
});
