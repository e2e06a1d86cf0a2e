import { expect, test } from "bun:test";
import { afterFailure } from "../failure.ts";
import { NOW_MS, policyWith, storedWith, type TestStored } from "./testing.ts";

const POLICY = policyWith({ graceMs: 100_000 });

/** Stored for 60 seconds, and usable for 10 more when the target fails. */
function fallback(stored: TestStored | undefined, allTargetsDown: boolean): string {
  const meta = stored === undefined ? undefined : storedWith({ staleIfErrorMs: 10_000, ...stored });
  const { kind, reason } = afterFailure(meta, POLICY, NOW_MS, { allTargetsDown });
  return `${kind} ${reason}`;
}

test.each<readonly [stored: TestStored | undefined, one: string, all: string]>([
  [{ ageS: 30 }, "stale stale-if-error", "stale stale-if-error"],
  [{ ageS: 69 }, "stale stale-if-error", "stale stale-if-error"],
  [{ ageS: 70 }, "no too-stale", "stale grace"],
  [{ ageS: 159 }, "no too-stale", "stale grace"],
  [{ ageS: 160 }, "no too-stale", "no too-stale"],
  [{ flags: ["noCache", "invalidated"] }, "no invalidated", "no invalidated"],
  [{ ageS: 69, flags: ["sharedMaxAge"] }, "stale stale-if-error", "stale stale-if-error"],
  [{ ageS: 70, flags: ["sharedMaxAge"] }, "no must-revalidate", "no must-revalidate"],
  [{ ageS: 70, flags: ["proxyRevalidate"] }, "no must-revalidate", "no must-revalidate"],
  [{ ageS: 60, flags: ["mustRevalidate"], staleIfErrorMs: 0 }, "no must-revalidate", "no must-revalidate"],
  [
    { ageS: 59, flags: ["mustRevalidate"], staleIfErrorMs: 0 },
    "stale stale-if-error",
    "stale stale-if-error",
  ],
  [{ flags: ["purged"] }, "stale stale-if-error", "stale stale-if-error"],
  [{ ageS: 60, flags: ["purged"], staleIfErrorMs: 0 }, "no too-stale", "stale grace"],
])("for %j: %s when one target fails, %s when all are down (§4.2.4, RFC 5861 §4)", (stored, one, all) => {
  expect(fallback(stored, false)).toBe(one);
  expect(fallback(stored, true)).toBe(all);
});
