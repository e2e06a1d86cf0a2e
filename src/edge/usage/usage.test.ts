import { describe, expect, test } from "bun:test";
import type { Store } from "../store/index.ts";
import { find, memoryStore, reserve } from "../store/testing.ts";
import { type CacheUsage, UsageTally } from "./usage.ts";

const STORED_S = 1000;
const HOST = "http\0shop.example\0";

/** Stores a response of `bodyBytes` under a path, as the gateway's key names it, and hits it. */
function keep(store: Store, path: string, { bodyBytes = 100, hits = 0, nowS = STORED_S, vary = "" } = {}) {
  const key = new TextEncoder().encode(`${HOST}${path}`);
  const end = path.search(/[?\0]/);
  const reservation = store.reserve({
    hashHi: store.hashHigh(key, 0, key.length),
    hashLo: store.hashLow(key, 0, key.length),
    urlHash: 0,
    key,
    urlStart: 5,
    pathEnd: end < 0 ? key.length : HOST.length + end,
    vary: new TextEncoder().encode(vary),
    tags: [],
    headBytes: 40,
    bodyBytes,
    startSequence: store.purgeSequence,
    nowS,
    usableUntilS: 0,
  });
  if (typeof reservation === "string") throw new Error(reservation);
  const head = "HTTP/1.1 200 OK\r\nContent-Type: text/css\r\n";
  reservation.bytes.set(new TextEncoder().encode(head), reservation.headOffset);
  reservation.commit();
  for (let hit = 0; hit < hits; hit++) find(store, `${HOST}${path}`)?.countHit();
  store.release();
}

/** A look at all of the store at a time. */
function usageAt(store: Store, nowS: number): CacheUsage {
  const tally = new UsageTally(600, nowS, ({ path }) => (path.startsWith("/img/") ? "images" : "pages"));
  while (tally.look(store, 3));
  return tally.usage(store);
}

describe("what stored responses are used for", () => {
  test("hits, their bytes and what nobody asked for again are counted by folder", () => {
    const store = memoryStore();
    keep(store, "/img/a/1", { hits: 3 });
    keep(store, "/img/a/2");
    keep(store, "/img/b/3?w=1", { hits: 1, bodyBytes: 2000 });
    keep(store, "/index");
    const { all, folders, looked } = usageAt(store, STORED_S + 1000);
    expect(looked).toBe(1);
    expect(all).toMatchObject({ responses: 4, hits: 4, hitBytes: 3 * 140 + 2040, settled: 4, unasked: 2 });
    expect(
      folders.map(({ name, responses, hits, unasked, rules }) => [name, responses, hits, unasked, rules]),
    ).toEqual([
      ["shop.example/img/", 3, 4, 1, ["images"]],
      ["shop.example/img/b/", 1, 1, 0, ["images"]],
      ["shop.example/img/a/", 2, 3, 1, ["images"]],
    ]);
  });

  test("what came a moment ago is not judged", () => {
    const store = memoryStore();
    keep(store, "/a/old");
    keep(store, "/a/new", { nowS: STORED_S + 900 });
    expect(usageAt(store, STORED_S + 1000).all).toMatchObject({ responses: 2, settled: 1, unasked: 1 });
  });

  test("rates are by the time that each has been there", () => {
    const store = memoryStore();
    keep(store, "/a/1", { hits: 10 });
    const { hitsPerS, hitBytesPerS } = usageAt(store, STORED_S + 1000).all;
    expect([hitsPerS, hitBytesPerS]).toEqual([0.01, 1.4]);
  });

  test("what replaces a response goes on with its hits and its time", () => {
    const store = memoryStore();
    keep(store, "/a/1", { hits: 2 });
    keep(store, "/a/1", { nowS: STORED_S + 999 });
    expect(usageAt(store, STORED_S + 1000).all).toMatchObject({
      responses: 1,
      settled: 1,
      unasked: 0,
      hits: 2,
    });
  });

  test("another variant of the same URL counts for itself", () => {
    const store = memoryStore();
    keep(store, "/a/1", { hits: 2, vary: "accept\ntext/html" });
    keep(store, "/a/1", { vary: "accept\napplication/json" });
    expect(usageAt(store, STORED_S + 1000).all).toMatchObject({ responses: 2, unasked: 1, hits: 2 });
  });

  test("a compressed form is no response of its own, and its hits count", () => {
    const store = memoryStore();
    keep(store, "/a/1");
    keep(store, "/a/1\0\0br", { hits: 5, bodyBytes: 10 });
    expect(usageAt(store, STORED_S + 1000).all).toMatchObject({ responses: 1, hits: 5, hitBytes: 250 });
  });

  test("rules, types and sizes are told apart", () => {
    const store = memoryStore();
    keep(store, "/img/1", { bodyBytes: 5000 });
    keep(store, "/page");
    const { rules, types, sizes } = usageAt(store, STORED_S);
    expect(rules.map(({ name }) => name)).toEqual(["images", "pages"]);
    expect(types.map(({ name, responses }) => [name, responses])).toEqual([["text/css", 2]]);
    expect(sizes.map(({ name }) => name)).toEqual(["1 to 10 KiB", "below 1 KiB"]);
  });

  test("what a purge took away is not counted, though nobody has looked for it since", () => {
    const store = memoryStore();
    keep(store, "/a/1");
    store.purge({ kind: "all", hard: true });
    expect(usageAt(store, STORED_S).all.responses).toBe(0);
  });

  test("the first buckets alone say what share of the store they are", () => {
    const store = memoryStore();
    for (let page = 0; page < 400; page++) keep(store, `/a/${page}`);
    const tally = new UsageTally(0, STORED_S, () => "");
    expect(tally.look(store, store.sizes.buckets / 4)).toBe(true);
    const { looked, all } = tally.usage(store);
    expect(looked).toBe(0.25);
    expect(all.responses).toBeWithin(60, 141);
  });

  test("beyond what is told apart there are others", () => {
    const store = memoryStore({ bytes: 4 << 20 });
    for (let page = 0; page < 2100; page++) keep(store, `/${page}/x`, { bodyBytes: 1 });
    const { folders, all } = usageAt(store, STORED_S);
    expect([folders.length, all.responses]).toEqual([2001, 2100]);
    expect(folders.find(({ name }) => name === "others")?.responses).toBe(100);
  });
});

test("a record that was reserved and given up leaves no trace", () => {
  const store = memoryStore();
  reserve(store, "example.com/a").abort();
  expect(usageAt(store, STORED_S).all.responses).toBe(0);
});
