import { expect, test } from "bun:test";
import { METHOD } from "../../../http/index.ts";
import { type Exchange, type FieldLine, valueIn } from "../message.ts";
import type { CachePolicy } from "../policy.ts";
import { mergeFields, type Stored, type Update, updateFrom304, updateFromHead } from "../update.ts";
import { dateAt, NOW_MS, policyWith, requestWith, storedWith, type TestStored } from "./testing.ts";

const BODY_BYTES = 5;
const DATE: FieldLine = ["Date", dateAt(0)];
const OLD_DATE: FieldLine = ["Date", dateAt(-100)];
const TAG: FieldLine = ["ETag", '"a"'];
const FRESH: FieldLine = ["Cache-Control", "max-age=60"];

function stored(fields: readonly FieldLine[], meta: TestStored = {}): Stored {
  const etag = valueIn(fields, "etag") ?? "";
  const lastModified = valueIn(fields, "last-modified") ?? "";
  return { fields, bodyBytes: BODY_BYTES, meta: storedWith({ ageS: 100, etag, lastModified, ...meta }) };
}

function exchangeWith(lines: readonly FieldLine[], status: number, request = requestWith()): Exchange {
  const field = (name: string): string | undefined => valueIn(lines, name);
  return {
    request,
    response: { status, bodyBytes: undefined, field },
    requestWallMs: NOW_MS,
    responseWallMs: NOW_MS,
  };
}

function notModified(old: Stored, lines: readonly FieldLine[], policy: Partial<CachePolicy> = {}): Update {
  return updateFrom304(old, exchangeWith(lines, 304), lines, policyWith(policy));
}

function ofHead(old: Stored, lines: readonly FieldLine[], status = 200): Update | undefined {
  const request = requestWith({}, { method: METHOD.head });
  return updateFromHead(old, exchangeWith(lines, status, request), lines, policyWith());
}

/** The fields and meta of an update that has to be one. */
function whole(update: Update | undefined): Extract<Update, { kind: "updated" }> {
  if (update?.kind !== "updated") throw new Error(update?.kind ?? "nothing");
  return update;
}

test("new fields take the place of all stored ones with their names, the others stay (§3.2)", () => {
  const old: FieldLine[] = [["A", "1"], ["B", "1"], ["a", "2"], DATE];
  expect(mergeFields(old, [["a", "3"], ["C", "4"], OLD_DATE], NOW_MS)).toEqual([
    ["B", "1"],
    ["a", "3"],
    ["C", "4"],
    OLD_DATE,
  ]);
});

test("what describes the stored body, the connection or an age never changes (§3.1, §3.2)", () => {
  const old: FieldLine[] = [
    ["Content-Length", "5"],
    ["Content-Encoding", "br"],
    ["Content-Range", "x"],
    OLD_DATE,
  ];
  const body: FieldLine[] = [
    ["content-length", "0"],
    ["Content-Encoding", "gzip"],
    ["Content-Range", "y"],
  ];
  const hop: FieldLine[] = [
    ["Connection", "x-a"],
    ["X-A", "1"],
    ["Transfer-Encoding", "chunked"],
    ["Age", "5"],
  ];
  expect(mergeFields(old, [...body, ...hop, OLD_DATE], NOW_MS)).toEqual(old);
});

test("a 304 without Date dates the response anew", () => {
  expect(mergeFields([OLD_DATE], [], NOW_MS)).toEqual([DATE]);
});

test("a 304 makes a response fresh again, as old as the 304 is (§4.3.4)", () => {
  const old = stored([FRESH, TAG, OLD_DATE]);
  const { meta, fields } = whole(notModified(old, [DATE, TAG, ["Age", "7"], ["Cache-Control", "max-age=9"]]));
  expect(meta).toMatchObject({
    status: 200,
    initialAgeMs: 7000,
    lifetimeMs: 9000,
    dateMs: NOW_MS,
    etag: '"a"',
  });
  expect(fields).toEqual([DATE, TAG, ["Cache-Control", "max-age=9"]]);
});

test("what a 304 does not say stays as it was", () => {
  const old = stored([FRESH, TAG, OLD_DATE, ["Content-Language", "de"]], { status: 404 });
  const { meta } = whole(notModified(old, [DATE]));
  expect(meta).toMatchObject({
    status: 404,
    lifetimeMs: 60_000,
    initialAgeMs: 0,
    contentLanguage: "de",
    flags: 0,
  });
});

test.each<readonly [stored: FieldLine[], sent: FieldLine[], kind: Update["kind"]]>([
  [[["ETag", 'W/"a"']], [TAG], "updated"],
  [[["ETag", 'W/"a"']], [["ETag", 'W/"b"']], "mismatch"],
  [[TAG], [], "updated"],
  [[["Last-Modified", "x"]], [["Last-Modified", "x"]], "updated"],
  [[["Last-Modified", "x"]], [["Last-Modified", "y"]], "mismatch"],
  [[["Last-Modified", "x"]], [], "updated"],
  [[TAG, ["Last-Modified", "x"]], [TAG, ["Last-Modified", "y"]], "updated"],
  [[TAG, ["Last-Modified", "x"]], [["Last-Modified", "y"]], "mismatch"],
  [[], [], "updated"],
])("stored with %j, a 304 with %j: %s (§4.3.4)", (old, sent, kind) => {
  expect(notModified(stored([FRESH, ...old]), sent).kind).toBe(kind);
});

test.each([
  [["Cache-Control", "no-store"], "no-store"],
  [["Cache-Control", "private"], "private"],
  [["Set-Cookie", "a=b"], "set-cookie"],
  [["Vary", "*"], "vary-star"],
] as const)("after a 304 with %j the response is dropped: %s", (line, reason) => {
  const update = notModified(stored([FRESH, TAG, OLD_DATE]), [DATE, line]);
  if (update.kind !== "drop") throw new Error(update.kind);
  expect(update.reason).toBe(reason);
  expect(valueIn(update.fields, line[0].toLowerCase())).toBe(line[1]);
});

test("fields that the response keeps out of the store stay out of it after a 304", () => {
  const named: FieldLine = ["Cache-Control", 'max-age=60, private="x-user"'];
  const { fields } = whole(notModified(stored([named, TAG]), [DATE, ["X-User", "me"]]));
  expect(fields).toEqual([named, TAG, DATE]);
});

test("the size of the stored body counts, not that of the 304", () => {
  const old = stored([FRESH, TAG]);
  expect(notModified(old, [DATE], { maxObjectBytes: BODY_BYTES }).kind).toBe("updated");
  expect(notModified(old, [DATE], { maxObjectBytes: BODY_BYTES - 1 })).toMatchObject({ reason: "too-large" });
});

test.each<readonly [lines: FieldLine[], kind: Update["kind"]]>([
  [[], "updated"],
  [[TAG, ["Last-Modified", "x"], ["Content-Length", "5"]], "updated"],
  [[["ETag", 'W/"a"']], "mismatch"],
])("a HEAD that answers %j: %s (§4.3.5)", (lines, kind) => {
  const old = stored([FRESH, TAG, ["Last-Modified", "x"]]);
  expect(ofHead(old, [DATE, ...lines])?.kind).toBe(kind);
});

test("a HEAD updates all fields but those of the body", () => {
  const old = stored([FRESH, TAG, ["Content-Encoding", "br"], OLD_DATE]);
  const { meta, fields } = whole(
    ofHead(old, [DATE, ["A", "1"], ["Content-Encoding", "gzip"], ["Content-Length", "5"]]),
  );
  expect(fields).toEqual([FRESH, TAG, ["Content-Encoding", "br"], DATE, ["A", "1"]]);
  expect(meta).toMatchObject({ initialAgeMs: 0, lifetimeMs: 60_000, dateMs: NOW_MS });
});
