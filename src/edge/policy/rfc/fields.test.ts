import { expect, test } from "bun:test";
import { clientFields, notModifiedFields, storedFields } from "../fields.ts";
import type { FieldLine } from "../message.ts";
import { dateAt, NOW_MS, policyWith } from "./testing.ts";

/** Lines with these names, each with the value "v". */
function linesOf(...names: string[]): FieldLine[] {
  return names.map((name) => [name, "v"]);
}

function namesOf(lines: readonly FieldLine[]): string[] {
  return lines.map(([name]) => name);
}

test("fields of the connection, Age, and what is new in each response are not stored (§3.1)", () => {
  const hop = [
    "Connection",
    "Keep-Alive",
    "Proxy-Authenticate",
    "Proxy-Authentication-Info",
    "TE",
    "Trailer",
  ];
  const more = [
    "Proxy-Authorization",
    "Proxy-Connection",
    "Transfer-Encoding",
    "Upgrade",
    "AGE",
    "X-Request-Id",
  ];
  const lines = linesOf("Date", ...hop, "X-A", ...more, "ETag");
  expect(namesOf(storedFields(lines, [], NOW_MS))).toEqual(["Date", "X-A", "ETag"]);
});

test("fields that Connection names, and withheld ones, are not stored", () => {
  const lines: FieldLine[] = [
    ["connection", "X-A, close"],
    ["Connection", "x-b"],
    ...linesOf("X-a", "X-B", "X-C", "X-D", "Date"),
  ];
  expect(namesOf(storedFields(lines, ["x-d"], NOW_MS))).toEqual(["X-C", "Date"]);
});

test("a response without Date gets when it came (RFC 9110 §6.6.1)", () => {
  expect(storedFields(linesOf("DATE"), [], NOW_MS)).toEqual(linesOf("DATE"));
  expect(storedFields([["Connection", "date"], ...linesOf("Date")], [], NOW_MS)).toEqual([
    ["Date", dateAt(0)],
  ]);
});

const INTERNAL = [
  "Cache-Tag",
  "Edge-Cache-Tag",
  "Surrogate-Control",
  "Surrogate-Key",
  "Tenfold-CDN-Cache-Control",
];

test("what is for caches alone stays here, unless another cache of ours is next", () => {
  const lines = linesOf("A", ...INTERNAL, "CDN-Cache-Control", "Cache-Groups");
  expect(namesOf(clientFields(lines, policyWith()))).toEqual(["A", "CDN-Cache-Control", "Cache-Groups"]);
  expect(clientFields(lines, policyWith({ keepInternalFields: true }))).toEqual(lines);
});

test("a rule's own Cache-Control takes the place of all that says how long", () => {
  const policy = policyWith({ browserCacheControl: "no-cache" });
  const lines = linesOf("CACHE-CONTROL", "A", "Expires", "Pragma", "Cache-Control");
  expect(clientFields(lines, policy)).toEqual([...linesOf("A"), ["Cache-Control", "no-cache"]]);
});

test("a 304 has what a 200 would have, but no metadata of a body (RFC 9110 §15.4.5)", () => {
  const kept = linesOf("Date", "ETAG", "Vary", "Cache-Control", "Expires", "Content-Location", "Set-Cookie");
  const body = linesOf(
    "Content-Type",
    "content-length",
    "Content-Encoding",
    "Content-Language",
    "Content-Range",
  );
  const digests = linesOf("Accept-Ranges", "Content-Digest", "Repr-Digest", "Digest", "Content-MD5");
  expect(notModifiedFields([...body, ...kept, ...digests, ...linesOf("Last-Modified")])).toEqual(kept);
});

test("a 304 has Last-Modified only where it has no entity tag", () => {
  expect(notModifiedFields(linesOf("Last-Modified"))).toEqual(linesOf("Last-Modified"));
});
