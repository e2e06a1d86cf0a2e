import { expect, test } from "bun:test";
import { findCookie } from "./cookies.ts";

const find = (value: string, name: string): string | undefined =>
  findCookie(Buffer.from(value, "latin1"), 0, value.length, name);

test.each([
  ["sid=1", "sid", "1"],
  ["a=b; sid=1; c=d", "sid", "1"],
  ["a=b;sid=1;c=d", "sid", "1"],
  ["a=b; \tsid=1 ; c=d", "sid", "1"],
  ["sid=", "sid", ""],
  ['sid="a b"', "sid", "a b"],
  ['sid="', "sid", '"'],
  ["sid=a=b", "sid", "a=b"],
  ["sid=1; sid=2", "sid", "1"],
  ["=x; sid=1", "sid", "1"],
  [";;sid=1", "sid", "1"],
  ["sid; sid=1", "sid", "1"],
])("%j holds %s with the value %j", (value, name, found) => {
  expect(find(value, name)).toBe(found);
});

test.each(["", "sid", "xsid=1", "sidx=1", "a=sid=1", "SID=1", "a=b; sid", "a= sid"])(
  "%j holds no cookie sid",
  (value) => {
    expect(find(value, "sid")).toBeUndefined();
  },
);

test("a cookie is looked for in its field alone", () => {
  const bytes = Buffer.from("x; a=1; sid=2");
  expect(findCookie(bytes, 3, 6, "a")).toBe("1");
  expect(findCookie(bytes, 3, 6, "sid")).toBeUndefined();
  expect(findCookie(bytes, 3, 5, "a")).toBe("");
});
