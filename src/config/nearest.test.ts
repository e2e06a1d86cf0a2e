import { describe, expect, test } from "bun:test";
import { editDistance, nearest } from "./nearest.ts";

describe("editDistance", () => {
  test.each([
    ["", "", 0],
    ["abc", "", 3],
    ["kitten", "sitting", 3],
    ["forward", "forwrad", 1],
    ["ca", "abc", 3],
    ["rules", "rule", 1],
  ])("%p and %p are %p apart", (a, b, distance) => {
    expect(editDistance(a, b)).toBe(distance);
    expect(editDistance(b, a)).toBe(distance);
  });
});

describe("nearest", () => {
  test("case and word marks cost nothing", () => {
    expect(nearest("access_log", ["accessLog", "accessKey"])).toBe("accessLog");
  });

  test("a word of another balancer finds ours, where ours is known", () => {
    expect(nearest("proxy_pass", ["match", "forward"])).toBe("forward");
    expect(nearest("proxy_pass", ["match"])).toBeUndefined();
  });

  test("a name that is mostly wrong has no nearest", () => {
    expect(nearest("zzz", ["gateway", "admin"])).toBeUndefined();
    expect(nearest("a", ["b"])).toBeUndefined();
  });

  test("an absurdly long name is not compared", () => {
    expect(nearest("x".repeat(100_000), ["x".repeat(100_000)])).toBeUndefined();
  });
});
