import { expect, test } from "bun:test";
import { METHOD } from "../../http/index.ts";
import { contentRange, type Selection, selectRange } from "./range.ts";
import { date, type FieldMap, request, stored, T0 } from "./testing.ts";

const KEPT = { "Cache-Control": "max-age=60", Date: date(0) };

const select = (asked: FieldMap, bodyBytes = 11, kept: FieldMap = {}): Selection =>
  selectRange(request(asked), stored({ ...KEPT, ...kept }), bodyBytes, T0);

test.each([
  ["bytes=0-1", 0, 1],
  ["bytes=1-", 1, 10],
  ["bytes=-1", 10, 10],
  ["bytes=-5", 6, 10],
  ["bytes=-99", 0, 10],
  ["bytes=6-8", 6, 8],
  ["bytes=10-10", 10, 10],
  ["bytes=5-99999999999999999999", 5, 10],
  ["BYTES= 0-1 ", 0, 1],
])("%j of 11 bytes is %d to %d", (range, first, last) => {
  expect(select({ Range: range })).toEqual({ kind: "part", first, last });
});

test.each(["bytes=11-", "bytes=11-12", "bytes=-0", "bytes=99999999999999999999-"])(
  "%j of 11 bytes is nothing",
  (range) => {
    expect(select({ Range: range })).toEqual({ kind: "unsatisfiable" });
  },
);

test.each(["bytes=0-1,4-5", "bytes=5-4", "bytes=-", "bytes=", "bytes=a-b", "lines=0-1", "bytes 0-1", "0-1"])(
  "%j gets the whole",
  (range) => {
    expect(select({ Range: range })).toEqual({ kind: "whole" });
  },
);

test("of an empty body there is nothing from a place on, and its last bytes are the whole", () => {
  expect(select({ Range: "bytes=-1" }, 0)).toEqual({ kind: "whole" });
  expect(select({ Range: "bytes=0-" }, 0)).toEqual({ kind: "unsatisfiable" });
});

test.each<[string, FieldMap, Selection["kind"]]>([
  ['"a"', { ETag: '"a"' }, "part"],
  ['"b"', { ETag: '"a"' }, "whole"],
  ['W/"a"', { ETag: 'W/"a"' }, "whole"],
  ['"a"', {}, "whole"],
  [date(-9), { "Last-Modified": date(-9) }, "part"],
  [date(-8), { "Last-Modified": date(-9) }, "whole"],
  [date(0), { "Last-Modified": date(0) }, "whole"],
  [date(-9), {}, "whole"],
])("If-Range %s of a response with %j gets the %s", (ifRange, kept, kind) => {
  expect(select({ Range: "bytes=0-1", "If-Range": ifRange }, 11, kept).kind).toBe(kind);
});

test("only GET of a complete 200 has ranges", () => {
  const head = request({ Range: "bytes=0-1" }, METHOD.head);
  expect(selectRange(head, stored(KEPT), 11, T0).kind).toBe("whole");
  expect(selectRange(request({ Range: "bytes=0-1" }), stored(KEPT, 404), 11, T0).kind).toBe("whole");
});

test("Content-Range tells the part, or only the length", () => {
  expect(contentRange({ kind: "part", first: 0, last: 4 }, 11)).toBe("bytes 0-4/11");
  expect(contentRange({ kind: "unsatisfiable" }, 11)).toBe("bytes */11");
});
