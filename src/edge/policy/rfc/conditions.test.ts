import { expect, test } from "bun:test";
import { METHOD } from "../../../http/index.ts";
import { type Evaluation, evaluate } from "../../evaluate.ts";
import { dateAt, NOW_MS, requestWith, storedWith, type TestFields, type TestStored } from "./testing.ts";

const BODY_BYTES = 100;

/** "whole", "not-modified", "unsatisfiable", or the part as "start-end" with the end inclusive. */
function told(evaluation: Evaluation): string {
  return evaluation.kind === "part" ? `${evaluation.first}-${evaluation.last}` : evaluation.kind;
}

function evaluated(fields: TestFields, stored: TestStored = {}, bodyBytes = BODY_BYTES): string {
  return told(evaluate(requestWith(fields), storedWith(stored), bodyBytes, NOW_MS));
}

test.each([
  ['"b", W/"a"', '"a"', "not-modified"],
  ['"x,a" ,"b"', '"a"', "whole"],
  ['"x,a" ,"b"', '"x,a"', "not-modified"],
  ['"*"', '"a"', "whole"],
  ['"a"', "", "whole"],
  ['""', "", "whole"],
  ["", '"a"', "whole"],
])("If-None-Match %s for the tag %s: %s (RFC 9110 §13.1.2)", (ifNoneMatch, etag, result) => {
  expect(evaluated({ "if-none-match": ifNoneMatch }, { etag })).toBe(result);
});

test.each<readonly [since: string, stored: TestStored, result: string]>([
  [dateAt(-10), { lastModified: dateAt(-10) }, "not-modified"],
  [dateAt(-9), { lastModified: dateAt(-10) }, "not-modified"],
  [dateAt(-11), { lastModified: dateAt(-10) }, "whole"],
  [dateAt(0), {}, "not-modified"],
  [dateAt(-1), {}, "whole"],
  [dateAt(-1), { dateMs: NOW_MS - 1000 }, "not-modified"],
  ["yesterday", { lastModified: dateAt(-10) }, "whole"],
  ["", { lastModified: dateAt(-10) }, "whole"],
])("If-Modified-Since %j for %j: %s (RFC 9110 §13.1.3, RFC 9111 §4.3.2)", (since, stored, result) => {
  expect(evaluated({ "if-modified-since": since }, stored)).toBe(result);
});

test("If-None-Match counts more than If-Modified-Since, and both more than Range (RFC 9110 §13.2.2)", () => {
  const stored = { etag: '"a"', lastModified: dateAt(-10) };
  const since = { "if-modified-since": dateAt(0) };
  expect(evaluated({ ...since, "if-none-match": '"b"' }, stored)).toBe("whole");
  expect(evaluated({ "if-modified-since": dateAt(-20), "if-none-match": '"a"' }, stored)).toBe(
    "not-modified",
  );
  expect(evaluated({ ...since, range: "bytes=0-1" }, stored)).toBe("not-modified");
  expect(evaluated({ "if-none-match": '"b"', range: "bytes=0-1" }, stored)).toBe("0-1");
});

test.each([
  ["bytes=0-9", "0-9"],
  ["Bytes=0-0", "0-0"],
  ["bytes=0-", "0-99"],
  ["bytes=90-500", "90-99"],
  ["bytes=-500", "0-99"],
  ["bytes= 0-9", "0-9"],
  [`bytes=0-${"9".repeat(400)}`, "0-99"],
  [`bytes=-${"9".repeat(400)}`, "0-99"],
  ["bytes=99-99", "99-99"],
  ["bytes=100-", "unsatisfiable"],
  ["bytes=100-200", "unsatisfiable"],
  [`bytes=${"9".repeat(400)}-`, "unsatisfiable"],
  ["bytes=0-1,3-4", "whole"],
  ["bytes=0-1, bytes=3-4", "whole"],
  ["bytes=1.5-3", "whole"],
  ["bytes=+1-3", "whole"],
  ["bytes=0x1-3", "whole"],
  ["", "whole"],
])("of 100 bytes Range %s is %s (RFC 9110 §14.1)", (range, result) => {
  expect(evaluated({ range })).toBe(result);
});

test.each([
  ["bytes=-0", "unsatisfiable"],
  ["bytes=-5", "whole"],
])("of an empty body Range %s is %s (RFC 9110 §14.1.2)", (range, result) => {
  expect(evaluated({ range }, {}, 0)).toBe(result);
});

test("a Range of blanks costs no more than its length", () => {
  expect(evaluated({ range: `bytes=${" ".repeat(100_000)}x` })).toBe("whole");
  expect(evaluated({ range: `bytes=0${" ".repeat(100_000)}x` })).toBe("whole");
});

const OLD = dateAt(-60);

test.each<readonly [ifRange: string, stored: TestStored, result: string]>([
  ['W/"a"', { etag: '"a"' }, "whole"],
  ['"a"', { etag: 'W/"a"' }, "whole"],
  [OLD, { lastModified: OLD }, "0-1"],
  [dateAt(-59), { lastModified: OLD }, "whole"],
  [dateAt(-61), { lastModified: OLD }, "whole"],
  [OLD, { lastModified: OLD, dateMs: NOW_MS - 60_000 }, "whole"],
  [OLD, { lastModified: OLD, dateMs: NOW_MS - 59_000 }, "0-1"],
  [OLD, { etag: '"a"' }, "whole"],
  ["x", { lastModified: "x" }, "whole"],
  ["", {}, "whole"],
])("If-Range %s of what is stored with %j gives %s (RFC 9110 §13.1.5)", (ifRange, stored, result) => {
  expect(evaluated({ range: "bytes=0-1", "if-range": ifRange }, stored)).toBe(result);
});

test("only a GET has a range (RFC 9110 §14.2), a HEAD has conditions too", () => {
  const head = { method: METHOD.head };
  const ranged = requestWith({ range: "bytes=0-1" }, head);
  expect(told(evaluate(ranged, storedWith(), BODY_BYTES, NOW_MS))).toBe("whole");
  const conditional = requestWith({ "if-none-match": '"a"' }, head);
  expect(told(evaluate(conditional, storedWith({ etag: '"a"' }), BODY_BYTES, NOW_MS))).toBe("not-modified");
});

test("conditions are about a success, and ranges about a 200 (RFC 9110 §13.2.1, §14.2)", () => {
  expect(evaluated({ "if-none-match": "*" }, { status: 203 })).toBe("not-modified");
  for (const status of [203, 301, 404, 500]) {
    expect(evaluated({ range: "bytes=0-1" }, { status })).toBe("whole");
    if (status > 299) expect(evaluated({ "if-none-match": "*" }, { status })).toBe("whole");
  }
});
