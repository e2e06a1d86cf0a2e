import { expect, test } from "bun:test";
import { METHOD, type MethodCode } from "../../http/index.ts";
import { invalidatedGroups, invalidatedUrls, invalidates } from "./invalidation.ts";
import { response } from "./testing.ts";

test.each<[MethodCode, number, boolean]>([
  [METHOD.post, 200, true],
  [METHOD.put, 204, true],
  [METHOD.delete, 302, true],
  [METHOD.other, 200, true],
  [METHOD.patch, 399, true],
  [METHOD.post, 400, false],
  [METHOD.post, 500, false],
  [METHOD.get, 200, false],
  [METHOD.head, 200, false],
  [METHOD.options, 200, false],
  [METHOD.trace, 200, false],
])("method %d with status %d invalidates: %p", (method, status, expected) => {
  expect(invalidates(method, status)).toBe(expected);
});

const URL_OF_REQUEST = "http://a.example:8080/dir/x?y#z";

test.each([
  [{}, []],
  [
    { Location: "/b", "Content-Location": "c?d" },
    ["http://a.example:8080/b", "http://a.example:8080/dir/c?d"],
  ],
  [{ Location: "http://A.example:8080/b#f" }, ["http://a.example:8080/b"]],
  [{ Location: "http://a.example/b" }, []],
  [{ Location: "https://a.example:8080/b" }, []],
  [{ Location: "http://evil.example:8080/b" }, []],
  [{ Location: "//evil.example/b" }, []],
  [{ Location: "http://[" }, []],
  [{ Location: "/dir/x?y" }, []],
  [{ Location: "" }, []],
])("the URL itself and those of the same origin in %j are out of date", (fields, others) => {
  const urls = invalidatedUrls(URL_OF_REQUEST, response(fields));
  expect(urls).toEqual(["http://a.example:8080/dir/x?y", ...others]);
});

test.each([
  ['"a", "b";x=1, "a"', ["a", "b"]],
  ['"a", b, 1, ("c")', ["a"]],
  ['"a", &', []],
  ["", []],
])("Cache-Group-Invalidation %j names %j", (value, groups) => {
  expect(invalidatedGroups(response({ "Cache-Group-Invalidation": value }))).toEqual(groups);
});
