import { expect, test } from "bun:test";
import { METHOD } from "../../http/index.ts";
import { type FieldLine, valueIn } from "./message.ts";
import { date, type FieldMap, linesOf, policyWith, request, response, stored, T0 } from "./testing.ts";
import { mergeFields, type Stored, type Update, updateFrom304, updateFromHead } from "./update.ts";

const OLD: FieldMap = {
  Date: date(0),
  "Cache-Control": "max-age=2",
  ETag: '"a"',
  "Last-Modified": date(-900),
  "Content-Length": "36",
  "Test-Header": "old",
};

const kept = (fields: FieldMap): Stored => ({
  meta: stored(fields),
  fields: linesOf(fields),
  bodyBytes: 36,
});

const LATER = T0 + 3000;

const after304 = (fields: FieldMap, old: FieldMap = OLD): Update => {
  const seen = {
    request: request(),
    response: response(fields, 304),
    requestWallMs: LATER,
    responseWallMs: LATER,
  };
  return updateFrom304(kept(old), seen, linesOf(fields), policyWith({}));
};

const afterHead = (fields: FieldMap, status = 200): Update | undefined => {
  const asked = request({}, METHOD.head);
  const seen = {
    request: asked,
    response: response(fields, status),
    requestWallMs: LATER,
    responseWallMs: LATER,
  };
  return updateFromHead(kept(OLD), seen, linesOf(fields), policyWith({}));
};

const fieldsOf = (update: Update | undefined): readonly FieldLine[] =>
  update === undefined || update.kind === "mismatch" ? [] : update.fields;

test("a 304 replaces the fields that it has and leaves the others", () => {
  const fields = fieldsOf(after304({ ETag: '"a"', "test-header": "new", "X-New": "1", Date: date(3) }));
  expect(valueIn(fields, "test-header")).toBe("new");
  expect(valueIn(fields, "x-new")).toBe("1");
  expect(valueIn(fields, "cache-control")).toBe("max-age=2");
  expect(valueIn(fields, "last-modified")).toBe(date(-900));
});

test.each(["Content-Length", "Content-Encoding", "Content-Range"])("a 304 does not change %s", (name) => {
  const fields = fieldsOf(after304({ ETag: '"a"', [name]: "10" }, { ...OLD, [name]: "36" }));
  expect(valueIn(fields, name.toLowerCase())).toBe("36");
});

test.each(["Connection", "Keep-Alive", "Transfer-Encoding", "Upgrade", "Age"])(
  "a 304 brings no %s into the store",
  (name) => {
    expect(valueIn(fieldsOf(after304({ ETag: '"a"', [name]: "1" })), name.toLowerCase())).toBeUndefined();
  },
);

test("several lines of one field replace all its old lines", () => {
  const merged = mergeFields(linesOf({ Link: ["a", "b"], X: "1" }), linesOf({ link: ["c", "d"] }), T0);
  expect(valueIn(merged, "link")).toBe("c, d");
});

test("after a 304 the response is as young as that 304", () => {
  expect(after304({ ETag: '"a"' })).toMatchObject({
    kind: "updated",
    meta: { responseWallMs: LATER, initialAgeMs: 0, lifetimeMs: 2000, status: 200, etag: '"a"' },
  });
  expect(after304({ ETag: '"a"', Age: "7", "Cache-Control": "max-age=60" })).toMatchObject({
    meta: { initialAgeMs: 7000, lifetimeMs: 60_000 },
  });
});

test.each<[FieldMap, FieldMap, Update["kind"]]>([
  [{ ETag: '"a"' }, OLD, "updated"],
  [{ ETag: '"b"' }, OLD, "mismatch"],
  [{ ETag: 'W/"a"' }, OLD, "updated"],
  [{ ETag: 'W/"b"' }, OLD, "mismatch"],
  [{ "Last-Modified": date(-900) }, OLD, "updated"],
  [{ "Last-Modified": date(-1) }, OLD, "mismatch"],
  [{}, OLD, "updated"],
])("a 304 with %j for the stored response: %s", (fields, old, kind) => {
  expect(after304(fields, old).kind).toBe(kind);
});

test("a 304 that forbids storing is used once more and then the response goes", () => {
  const update = after304({ ETag: '"a"', "Cache-Control": "no-store" });
  expect(update).toMatchObject({ kind: "drop", reason: "no-store" });
  expect(valueIn(fieldsOf(update), "test-header")).toBe("old");
});

test("a 304 may withhold fields from the store", () => {
  const update = after304({ ETag: '"a"', "Cache-Control": 'max-age=9, private="test-header"' });
  expect(valueIn(fieldsOf(update), "test-header")).toBeUndefined();
});

test("a HEAD freshens the stored response, whose body and length stay", () => {
  const update = afterHead({ "Cache-Control": "max-age=1000", "Test-Header": "new", "Content-Length": "36" });
  expect(update).toMatchObject({ kind: "updated", meta: { lifetimeMs: 1_000_000, status: 200 } });
  expect(valueIn(fieldsOf(update), "test-header")).toBe("new");
});

test.each<FieldMap>([{ "Content-Length": "37" }, { ETag: '"b"' }, { "Last-Modified": date(-1) }])(
  "a HEAD with another %j tells that the stored response is out of date",
  (fields) => {
    expect(afterHead(fields)?.kind).toBe("mismatch");
  },
);

test("a HEAD with another status tells nothing", () => {
  expect(afterHead({ "Cache-Control": "max-age=1000" }, 410)).toBeUndefined();
});
