import { expect, test } from "bun:test";
import { isNotModified } from "./conditional.ts";
import { date, type FieldMap, request, stored, T0 } from "./testing.ts";

const answers = (asked: FieldMap, kept: FieldMap, status = 200): boolean => {
  const meta = stored({ "Cache-Control": "max-age=60", Date: date(0), ...kept }, status);
  return isNotModified(request(asked), meta, T0);
};

test.each<[string, string, boolean]>([
  ['"a"', '"a"', true],
  ['"a"', '"b"', false],
  ['W/"a"', 'W/"a"', true],
  ['"a"', 'W/"a"', true],
  ['W/"a"', '"a"', true],
  ['"a", "1", "2"', '"a"', true],
  ['"1", "a", "2"', '"a"', true],
  ['"1","2","a"', '"a"', true],
  ['"1, a", "2"', '"a"', false],
  ['"x,y"', '"x,y"', true],
  ["*", '"a"', true],
  ["a", '"a"', false],
  ["a", "a", true],
  ['"abcdefü"', '"abcdefü"', true],
])("If-None-Match %s of a response with the tag %s: %p", (ifNoneMatch, etag, notModified) => {
  expect(answers({ "If-None-Match": ifNoneMatch }, { ETag: etag })).toBe(notModified);
});

test.each<[FieldMap, FieldMap, boolean]>([
  [{ "If-Modified-Since": date(-3000) }, { "Last-Modified": date(-3000) }, true],
  [{ "If-Modified-Since": date(-2000) }, { "Last-Modified": date(-3000) }, true],
  [{ "If-Modified-Since": date(-3001) }, { "Last-Modified": date(-3000) }, false],
  [{ "If-Modified-Since": "Thursday, 26-Nov-26 11:10:00 GMT" }, { "Last-Modified": date(-3000) }, true],
  [{ "If-Modified-Since": "yesterday" }, { "Last-Modified": date(-3000) }, false],
  [{ "If-Modified-Since": date(0) }, {}, true],
  [{ "If-Modified-Since": date(-1) }, {}, false],
  [{ "If-Modified-Since": date(-1) }, { "Last-Modified": "garbage" }, false],
])("%j of a response with %j: %p", (asked, kept, notModified) => {
  expect(answers(asked, kept)).toBe(notModified);
});

test("If-None-Match counts and If-Modified-Since does not, where there are both", () => {
  const kept = { ETag: '"a"', "Last-Modified": date(-5000) };
  expect(answers({ "If-None-Match": '"a"', "If-Modified-Since": date(-10_000) }, kept)).toBe(true);
  expect(answers({ "If-None-Match": '"b"', "If-Modified-Since": date(0) }, kept)).toBe(false);
});

test("a tag that is asked for does not match a response without one, * does", () => {
  expect(answers({ "If-None-Match": '""' }, {})).toBe(false);
  expect(answers({ "If-None-Match": "*" }, {})).toBe(true);
});

test("a stored 404 is sent whatever the conditions, and so is all to a request without", () => {
  expect(answers({ "If-None-Match": '"a"' }, { ETag: '"a"' }, 404)).toBe(false);
  expect(answers({}, { ETag: '"a"' })).toBe(false);
});
