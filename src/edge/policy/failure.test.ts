import { expect, test } from "bun:test";
import { afterFailure, type FallbackRefusal, isFailure } from "./failure.ts";
import { FLAG } from "./stored-meta.ts";
import { policyWith, SECOND, stored, T0 } from "./testing.ts";

const HOUR = 3600;

const fallback = (cacheControl: string, seconds: number, allTargetsDown = false): string => {
  const meta = stored({ "Cache-Control": cacheControl, ETag: '"a"' });
  return afterFailure(meta, policyWith({}), T0 + seconds * SECOND, { allTargetsDown }).reason;
};

test.each<[string, number, boolean, "stale-if-error" | "grace" | FallbackRefusal]>([
  ["max-age=2", 1, false, "stale-if-error"],
  ["max-age=2", 3, false, "stale-if-error"],
  ["max-age=2", 61, false, "stale-if-error"],
  ["max-age=2", 62, false, "too-stale"],
  ["max-age=2", 62, true, "grace"],
  ["max-age=2", 24 * HOUR + 1, true, "grace"],
  ["max-age=2", 24 * HOUR + 2, true, "too-stale"],
  ["max-age=2, stale-if-error=600", 601, false, "stale-if-error"],
  ["max-age=2, stale-if-error=0", 3, false, "too-stale"],
  ["max-age=2, must-revalidate", 3, true, "must-revalidate"],
  ["max-age=2, must-revalidate, stale-if-error=60", 3, true, "must-revalidate"],
  ["max-age=2, proxy-revalidate", 3, true, "must-revalidate"],
  ["max-age=2, s-maxage=2", 3, true, "must-revalidate"],
  ["s-maxage=2, stale-if-error=60", 3, false, "stale-if-error"],
  ["max-age=2, no-cache", 0, true, "no-cache"],
  ["max-age=2, must-revalidate", 1, false, "stale-if-error"],
])("%s after %d s, all targets down %p: %s", (cacheControl, seconds, allTargetsDown, reason) => {
  expect(fallback(cacheControl, seconds, allTargetsDown)).toBe(reason);
});

test("nothing stands in when nothing is stored, or what is was changed by an unsafe request", () => {
  const upstream = { allTargetsDown: true };
  expect(afterFailure(undefined, policyWith({}), T0, upstream)).toEqual({ kind: "no", reason: "absent" });
  const meta = { ...stored({ "Cache-Control": "max-age=9" }), flags: FLAG.invalidated };
  expect(afterFailure(meta, policyWith({}), T0, upstream)).toEqual({ kind: "no", reason: "invalidated" });
});

test("500, 502, 503 and 504 are failures, other statuses are answers", () => {
  expect([200, 404, 429, 500, 501, 502, 503, 504, 505].filter(isFailure)).toEqual([500, 502, 503, 504]);
});
