import { expect, test } from "bun:test";
import { clientFields, notModifiedFields, storedFields } from "./fields.ts";
import { date, linesOf, policyWith, T0 } from "./testing.ts";

const names = (lines: readonly (readonly [string, string])[]): string[] => lines.map(([name]) => name);

test("fields of the connection are not stored, nor those that Connection or a directive names", () => {
  const lines = linesOf({
    Connection: "a, B",
    A: "1",
    b: "2",
    c: "3",
    D: "4",
    "Keep-Alive": "5",
    "Proxy-Authenticate": "x",
    "Proxy-Authentication-Info": "x",
    "Proxy-Authorization": "x",
    "Proxy-Connection": "x",
    TE: "x",
    Trailer: "x",
    "Transfer-Encoding": "chunked",
    Upgrade: "x",
    Age: "3",
    Date: date(0),
    "Set-Cookie": ["a=b", "c=d"],
  });
  expect(names(storedFields(lines, ["d"], T0))).toEqual(["c", "Date", "Set-Cookie", "Set-Cookie"]);
});

test("a response without Date gets the one of its arrival", () => {
  expect(storedFields([], [], T0)).toEqual([["Date", "Thu, 26 Nov 2026 12:00:00 GMT"]]);
});

test("clients do not see what was meant for caches, another cache of ours does", () => {
  const lines = linesOf({
    "Cache-Tag": "a",
    "Surrogate-Key": "b",
    "Tenfold-CDN-Cache-Control": "c",
    "CDN-Cache-Control": "d",
  });
  expect(names(clientFields(lines, policyWith({})))).toEqual(["CDN-Cache-Control"]);
  expect(clientFields(lines, policyWith({ keepInternalFields: true }))).toEqual(lines);
});

test("the rule may give clients another Cache-Control, which then stands alone", () => {
  const lines = linesOf({ "cache-control": "s-maxage=9", Expires: date(9), Pragma: "x", ETag: '"a"' });
  expect(clientFields(lines, policyWith({ browserCacheControl: "no-cache" }))).toEqual([
    ["ETag", '"a"'],
    ["Cache-Control", "no-cache"],
  ]);
});

test("a 304 has all fields but those of the body, and the date only for want of a tag", () => {
  const fields = {
    "Content-Type": "text/html",
    "Content-Length": "3",
    "Content-Encoding": "br",
    "Content-Language": "de",
    "Content-Location": "/a",
    "Content-Security-Policy": "x",
    Date: date(0),
    Vary: "a",
    "Cache-Control": "max-age=1",
    Expires: date(1),
    "Access-Control-Allow-Origin": "*",
    "Last-Modified": date(-1),
  };
  const kept = names(notModifiedFields(linesOf(fields)));
  expect(kept).toEqual(Object.keys(fields).slice(4));
  expect(names(notModifiedFields(linesOf({ ...fields, ETag: '"a"' })))).toEqual([
    ...kept.slice(0, -1),
    "ETag",
  ]);
});
