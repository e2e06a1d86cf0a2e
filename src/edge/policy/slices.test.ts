import { describe, expect, test } from "bun:test";
import { METHOD } from "../../http/index.ts";
import {
  firstWanted,
  isSameRepresentation,
  judgeSlice,
  pinningField,
  type SliceAsked,
  spanOf,
  strongValidator,
} from "./slices.ts";
import { type FieldMap, request, response, T0 } from "./testing.ts";

const NOW = T0;
const MODIFIED = "Wed, 25 Nov 2026 12:00:00 GMT";

test.each([
  ["bytes 0-9/100", { first: 0, last: 9, totalBytes: 100 }],
  ["BYTES  90-99/100", { first: 90, last: 99, totalBytes: 100 }],
  ["bytes 0-0/1", { first: 0, last: 0, totalBytes: 1 }],
  ["bytes 0-9/9", undefined],
  ["bytes 9-0/100", undefined],
  ["bytes 0-9/*", undefined],
  ["bytes */100", undefined],
  ["items 0-9/100", undefined],
  ["bytes 0-9/9999999999999999999", undefined],
  [undefined, undefined],
])("the Content-Range %p is the span %j", (value, span) => {
  expect(spanOf(value)).toEqual(span);
});

test.each([
  ["bytes=0-", 0],
  ["bytes=99-", 0],
  ["bytes=100-5000", 1],
  ["bytes=-5", 0],
  ["bytes=250-260,300-310", 0],
  ["items=250-", 0],
])("for %p the slice %p of 100 bytes is wanted first", (range, number) => {
  expect(firstWanted(request({ range }), 100)).toBe(number);
});

test("HEAD has no range", () => {
  expect(firstWanted(request({ range: "bytes=250-" }, METHOD.head), 100)).toBe(0);
});

test.each([
  ['"a"', MODIFIED, '"a"'],
  ['W/"a"', MODIFIED, MODIFIED],
  ["", MODIFIED, MODIFIED],
  ['W/"a"', "", undefined],
  ["", "Thu, 26 Nov 2026 12:00:00 GMT", undefined],
  ["", "yesterday", undefined],
])("of the tag %p and the date %p %p is strong", (etag, lastModified, validator) => {
  expect(strongValidator({ etag, lastModified, dateMs: NOW }, NOW)).toBe(validator);
});

test("slices are of one representation when validator and length agree", () => {
  const one = { validator: '"a"', totalBytes: 9 };
  expect(isSameRepresentation(one, { ...one })).toBe(true);
  expect(isSameRepresentation(one, { ...one, totalBytes: 8 })).toBe(false);
  expect(isSameRepresentation(one, { ...one, validator: '"b"' })).toBe(false);
});

test("a tag is pinned with If-Match, a date with If-Unmodified-Since", () => {
  expect(pinningField({ validator: '"a"', totalBytes: 1 })).toBe('If-Match: "a"');
  expect(pinningField({ validator: MODIFIED, totalBytes: 1 })).toBe(`If-Unmodified-Since: ${MODIFIED}`);
});

describe("the answer to a request for bytes 100 to 199", () => {
  const FIRST: SliceAsked = { first: 100, last: 199, of: undefined };
  const LATER: SliceAsked = { ...FIRST, of: { validator: '"a"', totalBytes: 250 } };
  const judged = (asked: SliceAsked, status: number, fields: FieldMap, bodyBytes?: number): string => {
    const verdict = judgeSlice(asked, response(fields, status, bodyBytes), NOW);
    return verdict.kind === "no" ? verdict.reason : verdict.kind;
  };
  const RANGE = { etag: '"a"', "content-range": "bytes 100-199/250" };

  test.each<[SliceAsked, number, FieldMap, number | undefined, string]>([
    [FIRST, 206, RANGE, 100, "slice"],
    [FIRST, 206, RANGE, undefined, "slice"],
    [FIRST, 206, RANGE, 99, "slice-mismatch"],
    [FIRST, 206, { ...RANGE, "content-range": "bytes 100-149/150" }, 50, "slice"],
    [FIRST, 206, { ...RANGE, "content-range": "bytes 100-149/250" }, 50, "slice-mismatch"],
    [FIRST, 206, { ...RANGE, "content-range": "bytes 0-99/250" }, 100, "slice-mismatch"],
    [FIRST, 206, { ...RANGE, "content-range": "bytes 100-299/300" }, 200, "slice-mismatch"],
    [FIRST, 206, { etag: '"a"', "content-type": "multipart/byteranges; boundary=x" }, 100, "slice-mismatch"],
    [FIRST, 206, { ...RANGE, etag: 'W/"a"' }, 100, "slice-no-validator"],
    [FIRST, 416, {}, 0, "slice-unsatisfiable"],
    [FIRST, 200, {}, 250, "plain"],
    [FIRST, 404, {}, 0, "plain"],
    [LATER, 206, RANGE, 100, "slice"],
    [LATER, 206, { ...RANGE, etag: '"b"' }, 100, "slice-changed"],
    [LATER, 206, { "content-range": "bytes 100-199/250" }, 100, "slice-changed"],
    [LATER, 206, { ...RANGE, "content-range": "bytes 100-199/260" }, 100, "slice-changed"],
    [LATER, 412, {}, 0, "slice-changed"],
    [LATER, 200, { etag: '"a"' }, 250, "slice-changed"],
    [LATER, 500, {}, 0, "slice-failed"],
    [LATER, 404, {}, 0, "slice-failed"],
  ])("(%j) with status %p, %j and %p bytes is: %s", (asked, status, fields, bodyBytes, verdict) => {
    expect(judged(asked, status, fields, bodyBytes)).toBe(verdict);
  });

  test("is all there is when the body ends in it, whatever its validator", () => {
    const asked = { first: 0, last: 99, of: undefined };
    expect(judged(asked, 206, { "content-range": "bytes 0-49/50" }, 50)).toBe("all");
  });
});
