import { expect, test } from "bun:test";
import { findQuery } from "./query.ts";

const find = (query: string, name: string): string | undefined =>
  findQuery(Buffer.from(query, "latin1"), 0, query.length, name);

test.each([
  ["user=1", "user", "1"],
  ["a=b&user=1&c=d", "user", "1"],
  ["user=", "user", ""],
  ["user", "user", ""],
  ["a&user", "user", ""],
  ["user=a=b", "user", "a=b"],
  ["user=1&user=2", "user", "1"],
  ["&&user=%20+x", "user", "%20+x"],
  ["=x&user=1", "user", "1"],
])("%j holds %s with the value %j", (query, name, found) => {
  expect(find(query, name)).toBe(found);
});

test.each(["", "xuser=1", "userx=1", "a=user=1", "USER=1", "a=b", "%75ser=1"])(
  "%j holds no parameter user",
  (query) => {
    expect(find(query, "user")).toBeUndefined();
  },
);

test("a parameter is looked for in its query alone", () => {
  const bytes = Buffer.from("/?a=12&b=3");
  expect(findQuery(bytes, 2, 5, "a")).toBe("1");
  expect(findQuery(bytes, 2, 6, "b")).toBeUndefined();
});
