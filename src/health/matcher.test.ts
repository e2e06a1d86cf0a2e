import { expect, test } from "bun:test";
import { statusPasses } from "./matcher.ts";

test("a status passes within a closed range, its ends included", () => {
  expect([199, 200, 399, 400].map((status) => statusPasses(status, [[200, 399]]))).toEqual([
    false,
    true,
    true,
    false,
  ]);
});

test("any of several ranges is enough, and a range may be one status", () => {
  const ranges = [
    [204, 204],
    [401, 403],
  ] as const;
  expect([200, 204, 402, 404].map((status) => statusPasses(status, ranges))).toEqual([
    false,
    true,
    true,
    false,
  ]);
});

test("without ranges nothing passes", () => {
  expect(statusPasses(200, [])).toBe(false);
});
