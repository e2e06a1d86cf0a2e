import { expect, test } from "bun:test";
import { templateOf } from "./template.ts";

test.each([
  ["SELECT f(1), 'a' FROM T", "select  f($1) /* x */, E'b' from t"],
  ["SELECT f(1) WHERE x IN (1, 2, 3)", "SELECT f(2) WHERE x IN ($1)"],
])("%p and %p are one statement", (one, other) => {
  expect(templateOf(one)).toBe(templateOf(other));
});

test.each([
  ["SELECT f(1)", "SELECT g(1)"],
  ['SELECT "A"', 'SELECT "a"'],
  ["SELECT a - 1", "SELECT a, 1"],
])("%p and %p are two", (one, other) => {
  expect(templateOf(one)).not.toBe(templateOf(other));
});
