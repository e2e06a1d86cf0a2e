import { expect, test } from "bun:test";
import { type FieldLine, FLAG, type StoredMeta, storedFields, valueIn } from "./policy/index.ts";
import { dateAt, NOW_MS, policyWith, storedWith } from "./policy/rfc/testing.ts";
import { memoryStore, requestFor } from "./store/testing.ts";
import { layOutHead, StoredResponse, varyKey, writeMeta } from "./stored-response.ts";

const LINES: readonly FieldLine[] = [
  ["ETag", '"a"'],
  ["Cache-Control", "max-age=60"],
  ["Cache-Tag", "t"],
  ["Last-Modified", dateAt(-9)],
  ["Content-Language", "DE"],
  ["Date", dateAt(0)],
  ["X-Empty", ""],
];

const TEXTS = { etag: '"a"', lastModified: dateAt(-9), contentLanguage: "de" };

/** Stores a response and reads it back. */
function readBack(
  meta: StoredMeta,
  { lines = LINES, policy = policyWith(), isPurged = false } = {},
): StoredResponse {
  const store = memoryStore();
  const head = layOutHead(
    { status: meta.status, reason: "Fine thing" },
    storedFields(lines, [], NOW_MS),
    4,
    policy,
  );
  if (head === undefined) throw new Error("too long");
  const request = requestFor(store, "a", { bodyBytes: 4 });
  const record = store.reserve({ ...request, vary: varyKey(meta), headBytes: head.end });
  if (typeof record === "string") throw new Error(record);
  record.bytes.set(head.bytes.subarray(0, head.end), record.headOffset);
  writeMeta(record, meta, head);
  record.commit();
  if (isPurged) store.purge({ kind: "url", hash: request.urlHash, hard: false });
  const entry = store.find(request.hashHi, request.hashLo, request.key, 0, request.key.length);
  if (entry === undefined) throw new Error("not found");
  return new StoredResponse(entry);
}

/** What a stored response says, as a plain object. */
function said(stored: StoredMeta): StoredMeta {
  const keys = Object.keys(storedWith()) as (keyof StoredMeta)[];
  return Object.fromEntries(keys.map((key) => [key, stored[key]])) as unknown as StoredMeta;
}

const DAY_MS = 86_400_000;

test.each<Partial<StoredMeta>>([
  {},
  { status: 404 },
  { requestWallMs: Date.UTC(2038, 0, 19, 3, 14, 8), responseWallMs: Date.UTC(2106, 1, 7, 6, 28, 17) + 123 },
  { dateMs: Date.UTC(9999, 11, 31), responseWallMs: 2 ** 32 - 1 },
  { dateMs: 0, requestWallMs: 2 ** 31, responseWallMs: 2 ** 32 },
  { lifetimeMs: 365 * DAY_MS, initialAgeMs: 30 * DAY_MS },
  { lifetimeMs: 2 ** 31 - 1, staleIfErrorMs: 2_147_484_000, staleWhileRevalidateMs: 1 },
  { lifetimeMs: 0, initialAgeMs: 24 * DAY_MS + 1 },
  { varyNames: "a,b", varyValues: "1\n\0" },
  { varyNames: "a", varyValues: "" },
  { varyNames: "a", varyValues: "\u00E4" },
])("a stored response says what was written: %j", (changes) => {
  const meta: StoredMeta = { ...storedWith({ flags: ["noCache", "heuristic"] }), ...changes, ...TEXTS };
  expect(said(readBack(meta))).toEqual(meta);
});

test("beyond 24 days a duration is kept in whole seconds, and the longest is 68 years", () => {
  const lifetimeMs = 2 ** 31 * 1000;
  const stored = readBack({ ...storedWith(), lifetimeMs, initialAgeMs: 30 * DAY_MS + 999.5 });
  expect(stored.lifetimeMs).toBe((2 ** 31 - 1) * 1000);
  expect(stored.initialAgeMs).toBe(30 * DAY_MS);
});

test("parts of a millisecond and times before 1970 are cut off", () => {
  const stored = readBack({ ...storedWith(), lifetimeMs: 10.9, dateMs: -5 });
  expect([stored.lifetimeMs, stored.dateMs]).toEqual([10, 0]);
});

test("all fields are read back, those for caches too, without framing", () => {
  const stored = readBack(storedWith());
  const names = (lines: readonly FieldLine[]): string[] => lines.map(([name]) => name).toSorted();
  expect(names(stored.fields())).toEqual(names(LINES));
  expect(valueIn(stored.fields(), "cache-tag")).toBe("t");
  expect(valueIn(stored.fields(), "x-empty")).toBe("");
  expect(stored.clientFields()).toEqual(LINES.filter(([name]) => name !== "Cache-Tag"));
  expect(stored.reason).toBe("Fine thing");
});

test("behind a rule's own Cache-Control the target's is still known", () => {
  const stored = readBack(storedWith(), { policy: policyWith({ browserCacheControl: "no-cache" }) });
  expect(valueIn(stored.clientFields(), "cache-control")).toBe("no-cache");
  expect(valueIn(stored.fields(), "cache-control")).toBe("max-age=60");
});

test("a response without validators has none", () => {
  const stored = readBack(storedWith(TEXTS), { lines: [["ETag", ""]] });
  expect([stored.etag, stored.lastModified, stored.contentLanguage]).toEqual(["", "", ""]);
});

test("a soft purge shows as a flag beside the others", () => {
  const meta = storedWith({ flags: ["immutable"] });
  expect(readBack(meta).flags).toBe(FLAG.immutable);
  expect(readBack(meta, { isPurged: true }).flags).toBe(FLAG.immutable | FLAG.purged);
});

test("a 204 has no Content-Length, whatever its fields say", () => {
  const of = (status: number): string => {
    const head = layOutHead({ status, reason: "" }, [["Content-Length", "9"]], 4, policyWith());
    return Buffer.from(head?.bytes ?? []).toString("latin1");
  };
  expect(of(204)).toBe("HTTP/1.1 204 \r\n");
  expect(of(200)).toBe("HTTP/1.1 200 \r\nContent-Length: 4\r\n");
});

test("its lines for clients can be read and copied one by one, without framing", () => {
  const lines: FieldLine[] = [...LINES, ["Content-Range", "bytes 0-3/9"], ["Content-Range-X", "no"]];
  const stored = readBack(storedWith(), { lines });
  const value = (name: string): string | undefined => stored.clientField(Buffer.from(name));
  expect([value("content-range"), value("etag"), value("x-empty")]).toEqual(["bytes 0-3/9", '"a"', ""]);
  expect([value("cache-tag"), value("content-rang"), value("fine")]).toEqual([
    undefined,
    undefined,
    undefined,
  ]);
  const out = Buffer.alloc(1000);
  const end = stored.copyClientLines(Buffer.from("content-range"), out, 5);
  const expected = stored.clientFields().filter(([name]) => name !== "Content-Range");
  expect(out.toString("latin1", 5, end)).toBe(
    expected.map(([name, words]) => `${name}: ${words}\r\n`).join(""),
  );
});
