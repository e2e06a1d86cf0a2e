import { expect, test } from "bun:test";
import { UNIT_WORDS } from "./layout.ts";
import { formatPurgeMirror, PurgeMirror, purgeMirrorWords } from "./purge-mirror.ts";
import type { Purge } from "./purges.ts";
import type { Store } from "./store.ts";
import { find, memoryStore, nameHash, put } from "./testing.ts";

const encoder = new TextEncoder();
const URL = "example.com/a/b/c";
const JUMP = 1000;

const PURGES: Purge[] = [
  { kind: "url", hash: nameHash(URL), hard: true },
  { kind: "tag", hash: nameHash("red"), hard: true },
  { kind: "prefix", prefix: encoder.encode("example.com/a/"), hard: true },
  { kind: "prefix", prefix: encoder.encode("example.com/a/b/c?x=1"), hard: true },
  { kind: "all", hard: true },
];

function mirrorOf(rows: number, seed = 7): PurgeMirror {
  const words = new Int32Array(purgeMirrorWords(rows));
  formatPurgeMirror(words, rows, { seed, secretA: 1, secretB: 2 });
  return new PurgeMirror(words);
}

/** The record of a URL as it would lie in other memory. */
function recordOf(store: Store, url: string): { words: Int32Array; bytes: Uint8Array } {
  put(store, url, { tags: ["red"] });
  const entry = find(store, url);
  if (entry === undefined) throw new Error("nothing stored");
  const bytes = entry.bytes.slice(entry.unit * UNIT_WORDS * 4, entry.bodyOffset + entry.bodyBytes + 64);
  store.release();
  return { bytes, words: new Int32Array(bytes.buffer, 0, bytes.length >> 2) };
}

test.each(PURGES)("a record in other memory is purged after its store was lost: %p", (purge) => {
  const mirror = mirrorOf(64);
  const lost = memoryStore();
  const record = recordOf(lost, URL);
  expect(lost.checkForeign(record, 0)).toBe(0);
  mirror.note(purge, Number(lost.purge(purge)));
  const fresh = memoryStore();
  expect(fresh.adoptPurges(mirror, mirror.latest() + JUMP)).toBe(true);
  expect(fresh.checkForeign(record, 0)).toBe(2);
  expect(fresh.checkForeign(recordOf(lost, "other.org/x"), 0)).toBe(0);
});

test.each(PURGES)("a mirror made from the store's tables knows its purges: %p", (purge) => {
  const store = memoryStore();
  const record = recordOf(store, URL);
  store.purge(purge);
  const mirror = mirrorOf(256);
  expect(store.mirrorPurges(mirror)).toBe(true);
  const fresh = memoryStore();
  fresh.adoptPurges(mirror, mirror.latest() + JUMP);
  expect(fresh.checkForeign(record, 0)).toBe(2);
});

test("a soft purge marks a record in other memory", () => {
  const store = memoryStore();
  const record = recordOf(store, URL);
  store.purge({ kind: "url", hash: nameHash(URL), hard: false });
  expect([store.checkForeign(record, 0), store.checkForeign(record, 0)]).toEqual([1, 1]);
});

test("a record from the future or of a thousand million purges ago counts as purged", () => {
  const store = memoryStore();
  const record = recordOf(store, URL);
  record.words[5] = store.purgeSequence + 1;
  expect(store.checkForeign(record, 0)).toBe(2);
  record.words[5] = (store.purgeSequence - 2 ** 30) | 0;
  expect(store.checkForeign(record, 0)).toBe(2);
});

test("what is not a mirror is refused", () => {
  expect(() => new PurgeMirror(new Int32Array(64))).toThrow("not a mirror");
  const words = new Int32Array(purgeMirrorWords(16));
  formatPurgeMirror(words, 16, { seed: 1, secretA: 2, secretB: 3 });
  words[3] = 9;
  expect(() => new PurgeMirror(words)).toThrow("not a mirror");
});
