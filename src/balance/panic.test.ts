import { expect, test } from "bun:test";
import { usableTargets } from "./panic.ts";

test("healthy targets are used while their share is at or above the threshold", () => {
  expect(usableTargets([true, false, true, false], 0.5)).toEqual({
    usable: [0, 2],
    panic: false,
    reason: "healthy-share-suffices",
  });
});

test("below the threshold all are used, health ignored", () => {
  expect(usableTargets([true, false, false], 0.5)).toEqual({
    usable: [0, 1, 2],
    panic: true,
    reason: "healthy-share-below-threshold",
  });
});

test("all are used when none is healthy", () => {
  expect(usableTargets([false, false], 0.01).usable).toEqual([0, 1]);
});

test("a threshold of 0 never panics, even with none healthy", () => {
  expect(usableTargets([false, false], 0)).toEqual({
    usable: [],
    panic: false,
    reason: "none-healthy-panic-off",
  });
});

test("all healthy is no panic, whatever the threshold", () => {
  expect(usableTargets([true, true], 1)).toEqual({ usable: [0, 1], panic: false, reason: "all-healthy" });
});

test("a group without targets says so", () => {
  expect(usableTargets([], 0.5)).toEqual({ usable: [], panic: false, reason: "no-targets" });
});
