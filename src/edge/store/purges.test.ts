import { describe, expect, test } from "bun:test";
import { HEADER, PREFIXES } from "./layout.ts";
import type { Purge } from "./purges.ts";
import type { Store } from "./store.ts";
import { bodies, body, find, memoryStore, memoryStores, nameHash, put, reserve } from "./testing.ts";

const prefixOf = (text: string, hard = true): Purge => ({
  kind: "prefix",
  prefix: new TextEncoder().encode(text),
  hard,
});
const tagOf = (tag: string, hard = true): Purge => ({ kind: "tag", hash: nameHash(tag), hard });
const urlOf = (url: string, hard = true): Purge => ({ kind: "url", hash: nameHash(url), hard });

const URLS = ["example.com/a/1", "example.com/a/2?x=/b/", "example.com/ab", "example.net/a/1"];

/** The URLs that are left after a purge of four. */
function leftAfter(purge: Purge): string[] {
  const store = memoryStore();
  for (const url of URLS) put(store, url, { tags: url.includes("/a/") ? ["folder", "even"] : ["file"] });
  store.purge(purge);
  return URLS.filter((url) => body(store, url) !== undefined);
}

describe("what a purge concerns", () => {
  test.each([
    ["one URL", urlOf("example.com/a/1"), URLS.slice(1)],
    ["a tag", tagOf("folder"), ["example.com/ab"]],
    ["a folder", prefixOf("example.com/a/"), URLS.slice(2)],
    ["a host", prefixOf("example.com/"), URLS.slice(3)],
    ["a prefix within a name", prefixOf("example.com/a"), URLS.slice(3)],
    ["a prefix that reaches into the query", prefixOf("example.com/a/2?x=/"), URLS.toSpliced(1, 1)],
    ["a folder that only a query names", prefixOf("example.com/a/2?x=/b/c/"), URLS],
    ["everything", { kind: "all", hard: true }, []],
  ] as const)("%s: that and nothing else", (_, purge, left) => {
    expect(leftAfter(purge)).toEqual([...left]);
  });

  test("the dry run counts what would be concerned and purges nothing", () => {
    const store = memoryStore();
    for (const url of URLS) put(store, url, { tags: ["t"] });
    expect(store.countConcerned(prefixOf("example.com/a"))).toBe(3);
    expect(store.countConcerned(tagOf("t"))).toBe(4);
    expect(store.countConcerned(urlOf("example.com/ab"))).toBe(1);
    expect(store.countConcerned({ kind: "all", hard: true })).toBe(4);
    expect(URLS.every((url) => body(store, url) !== undefined)).toBe(true);
    store.purge(urlOf("example.com/ab"));
    expect(store.countConcerned(tagOf("t"))).toBe(3);
  });

  test("a purge by URL takes all variants", () => {
    const store = memoryStore();
    for (const vary of ["br", "gzip"]) put(store, "example.com/a", { vary });
    store.purge(urlOf("example.com/a"));
    expect(bodies(store, "example.com/a")).toEqual([]);
  });

  test("a soft purge leaves the object usable as stale, also after other purges", () => {
    const store = memoryStore();
    put(store, "example.com/a");
    store.purge(urlOf("example.com/a", false));
    expect(find(store, "example.com/a")?.isSoftPurged).toBe(true);
    store.purge(urlOf("example.com/other"));
    expect(find(store, "example.com/a")?.isSoftPurged).toBe(true);
  });

  test("a purge by one worker holds for every worker when it returns", () => {
    const [one, other] = memoryStores().stores;
    put(one as Store, "example.com/a");
    expect(body(other as Store, "example.com/a")).toBeDefined();
    one?.purge(urlOf("example.com/a"));
    expect(body(other as Store, "example.com/a")).toBeUndefined();
  });
});

describe("the race of a purge with an answer under way", () => {
  test("what was requested before a purge is not stored after it", () => {
    const store = memoryStore();
    const startSequence = store.purgeSequence;
    store.purge(tagOf("t"));
    expect(put(store, "example.com/a", { startSequence, tags: ["t"] })).toBe("purged");
    expect(body(store, "example.com/a")).toBeUndefined();
  });

  test("what was reserved before a purge is not published after it", () => {
    const store = memoryStore();
    const reservation = reserve(store, "example.com/a");
    store.purge(prefixOf("example.com/"));
    expect(reservation.commit()).toBe("purged");
    expect(body(store, "example.com/a")).toBeUndefined();
  });

  test("what was requested before a soft purge is stale from the start", () => {
    const store = memoryStore();
    const startSequence = store.purgeSequence;
    store.purge({ kind: "all", hard: false });
    put(store, "example.com/a", { startSequence });
    expect(find(store, "example.com/a")?.isSoftPurged).toBe(true);
  });

  test("what was requested after a purge is fresh", () => {
    const store = memoryStore();
    store.purge({ kind: "all", hard: true });
    put(store, "example.com/a");
    expect(find(store, "example.com/a")?.isSoftPurged).toBe(false);
  });

  test("a purge whose sequence is not published yet does not hide an older one of the same row", () => {
    const { block, stores } = memoryStores();
    const store = stores[0] as Store;
    put(store, "example.com/a");
    const sequence = store.purge({ kind: "all", hard: true }) as number;
    // Another worker has written its row and not yet its sequence.
    new Int32Array(block.buffer)[HEADER.everythingHard] = sequence + 1;
    expect(body(store, "example.com/a")).toBeUndefined();
  });
});

describe("bounds", () => {
  test("when the list of prefixes is full its oldest is widened to a folder: never too little is purged", () => {
    const store = memoryStore();
    put(store, "example.com/old/name");
    put(store, "example.com/new/name");
    store.purge(prefixOf("example.com/old/na"));
    for (let i = 0; i < PREFIXES; i++) store.purge(prefixOf(`example.org/x/${i}`));
    expect(body(store, "example.com/old/name")).toBeUndefined();
    expect(body(store, "example.com/new/name")).toBeDefined();
  });

  test("a prefix without even a host is widened to everything", () => {
    const store = memoryStore();
    put(store, "example.com/a");
    store.purge(prefixOf("example.n"));
    for (let i = 0; i < PREFIXES; i++) store.purge(prefixOf(`example.org/x/${i}`));
    expect(body(store, "example.com/a")).toBeUndefined();
  });

  test("the same prefix takes one row however often it is purged", () => {
    const store = memoryStore();
    put(store, "example.com/old/other");
    store.purge(prefixOf("example.com/old/na"));
    for (let i = 0; i < PREFIXES * 2; i++) store.purge(prefixOf("example.org/x/y"));
    expect(body(store, "example.com/old/other")).toBeDefined();
  });

  test("a prefix longer than a row is cut, which purges more", () => {
    const store = memoryStore();
    const long = `example.com/${"a".repeat(400)}`;
    put(store, `${long}/1`);
    store.purge(prefixOf(`${long}/1`));
    expect(body(store, `${long}/1`)).toBeUndefined();
  });

  test("a purge that needs the list says busy while the lock is taken; the others do not need it", () => {
    const { block, stores } = memoryStores();
    const store = stores[0] as Store;
    new Int32Array(block.buffer)[HEADER.lock] = (2 << 22) | 2;
    expect(store.purge(prefixOf("example.com/a"))).toBe("busy");
    expect(store.purge(prefixOf("example.com/"))).toBe(2);
    expect(store.purge({ kind: "all", hard: true })).toBe(3);
  });

  test.each([2 ** 30 - 2, 2 ** 31 - 2, 2 ** 32 - 2])(
    "purges go on being right past sequence %d",
    (sequence) => {
      const { block, stores } = memoryStores();
      const store = stores[0] as Store;
      new Int32Array(block.buffer)[HEADER.sequence] = sequence;
      for (let i = 0; i < 5; i++) {
        put(store, "example.com/a", { tags: ["t"] });
        put(store, "example.com/b", { tags: ["u"] });
        store.purge(tagOf("t"));
        expect(body(store, "example.com/a")).toBeUndefined();
        store.purge(urlOf("example.com/b", false));
        if (body(store, "example.com/b") !== undefined) {
          expect(find(store, "example.com/b")?.isSoftPurged).toBe(true);
        }
      }
      put(store, "example.com/c");
      expect(body(store, "example.com/c")).toBeDefined();
    },
  );
});
