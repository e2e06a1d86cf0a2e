import { expect, test } from "bun:test";
import { equalConstantTime } from "./compare.ts";

test.each([
  ["secret", "secret", true],
  ["secret", "secreT", false],
  ["secret", "Secret", false],
  ["secret", "secre", false],
  ["secret", "secrets", false],
  ["secret", "", false],
  ["", "secret", false],
  ["", "", true],
  ["ab", "abab", false],
  ["a", "a\0", false],
  ["schlüssel🔑", "schlüssel🔑", true],
])("%p against %p is %p", (secret, candidate, equal) => {
  expect(equalConstantTime(secret, candidate)).toBe(equal);
});
