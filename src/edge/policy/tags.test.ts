import { expect, test } from "bun:test";
import { TAG_BYTES_MAX, TAGS_MAX, tagsOf } from "./tags.ts";
import { type FieldMap, response } from "./testing.ts";

test.each<[FieldMap, string[]]>([
  [{ "Cache-Tag": "a, b ,,c" }, ["a", "b", "c"]],
  [{ "Cache-Tag": ["a", "b"] }, ["a", "b"]],
  [{ "Edge-Cache-Tag": "a,b" }, ["a", "b"]],
  [{ "Surrogate-Key": " a  b " }, ["a", "b"]],
  [{ "Surrogate-Key": ["a b", "c d"] }, ["a", "b", "c", "d"]],
  [{ "Cache-Groups": '"a b", "c"' }, ["a b", "c"]],
  [{ "Cache-Groups": "not strings" }, []],
  [{ "Cache-Tag": "a,b", "Surrogate-Key": "b c", "Cache-Groups": '"c"' }, ["a", "b", "c"]],
  [{ "Cache-Tag": "A,a" }, ["a"]],
  [{}, []],
])("the tags of %j are %j", (fields, kept) => {
  expect(tagsOf(response(fields))).toEqual({ kept, ignored: 0 });
});

test("tags beyond the bounds are ignored and counted", () => {
  const many = Array.from({ length: TAGS_MAX + 3 }, (_, i) => `t${i}`);
  const long = "x".repeat(TAG_BYTES_MAX + 1);
  const tags = tagsOf(response({ "Cache-Tag": [long, ...many].join() }));
  expect(tags).toEqual({ kept: many.slice(0, TAGS_MAX), ignored: 4 });
});
