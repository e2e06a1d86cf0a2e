import { expect, test } from "bun:test";
import { failureOf, withoutSecrets } from "./failure.ts";

test.each([
  ["connect postgres://me:hunter2@db:5432/x", "connect postgres://me:[redacted]@db:5432/x"],
  ["password=hunter2&user=ann", "password=[redacted]&user=ann"],
  ['{"apiKey": "hunter2", "id": 7}', '{"apiKey": [redacted], "id": 7}'],
  ["authorization: Bearer hunter2", "authorization: [redacted]"],
  ["cacheKey=user:7 failed", "cacheKey=user:7 failed"],
])("%s", (text, expected) => {
  expect(withoutSecrets(text)).toBe(expected);
});

test("an error is bounded, and keeps its name and code", () => {
  const error = Object.assign(new RangeError("x".repeat(10_000)), { code: "22003" });
  const { name, message, code, stack } = failureOf(error);
  expect([name, message.length, code]).toEqual(["RangeError", 500, "22003"]);
  expect(stack?.length).toBeLessThanOrEqual(2000);
  expect(failureOf("text").message).toBe("text");
});
