import { expect, test } from "bun:test";
import { Patience } from "./patience.ts";

test("a rejoin that fails again and again is tried ever less often, and at once after one that worked", () => {
  const patience = new Patience();
  const failed = { kind: "failed", reason: "ENOSPC" } as const;
  const waits = Array.from({ length: 8 }, () => patience.waitAfter(failed));
  expect(waits).toEqual([250, 500, 1000, 2000, 4000, 8000, 10_000, 10_000]);
  expect([patience.waitAfter({ kind: "done" }), patience.waitAfter(failed)]).toEqual([0, 250]);
});
