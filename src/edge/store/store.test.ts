import { describe, expect, test } from "bun:test";
import { seededRandom } from "../../base/index.ts";
import {
  bodies,
  body,
  bodyOf,
  find,
  memoryStore,
  memoryStores,
  put,
  requestFor,
  reserve,
  use,
} from "./testing.ts";
import { VARIANTS_MAX } from "./writer.ts";

describe("finding", () => {
  test("what was stored is found with its bytes, and nothing else is", () => {
    const store = memoryStore();
    expect(put(store, "example.com/a", { body: "apple" })).toBeUndefined();
    expect(body(store, "example.com/a")).toBe("apple");
    expect(body(store, "example.com/b")).toBeUndefined();
  });

  test("all workers of a block find what one of them stored", () => {
    const [one, other] = memoryStores().stores;
    if (one === undefined || other === undefined) throw new Error("two stores");
    put(one, "example.com/a");
    expect(body(other, "example.com/a")).toBe("example.com/a");
  });

  test("a record is not found before it is published, and not after it was given back", () => {
    const store = memoryStore();
    const reservation = reserve(store, "example.com/a");
    expect(body(store, "example.com/a")).toBeUndefined();
    reservation.abort();
    expect(body(store, "example.com/a")).toBeUndefined();
    expect(() => reservation.commit()).toThrow("committed or aborted once");
  });

  test("an entry tells what the object was stored with", () => {
    const store = memoryStore();
    const reservation = reserve(store, "example.com/a", { nowS: 4_000_000_000, usableUntilS: 4_000_000_100 });
    reservation.setStatus(203);
    reservation.setFlags(5);
    reservation.setMeta(15, -3);
    reservation.commit();
    const entry = find(store, "example.com/a");
    expect(entry?.status).toBe(203);
    expect(entry?.flags).toBe(5);
    expect(entry?.meta(15)).toBe(-3);
    expect(entry?.meta(0)).toBe(0);
    expect(entry?.storedAtS).toBe(4_000_000_000);
    expect(entry?.usableUntilS).toBe(4_000_000_100);
    expect(entry?.headBytes).toBe(4);
  });

  test("a word of the caller can be changed in place", () => {
    const store = memoryStore();
    put(store, "example.com/a");
    find(store, "example.com/a")?.setMeta(2, 9);
    expect(find(store, "example.com/a")?.meta(2)).toBe(9);
  });

  test("a body that came out shorter than announced is stored with its true length", () => {
    const store = memoryStore();
    reserve(store, "example.com/a", { body: "apple pie" }).commit(5);
    expect(body(store, "example.com/a")).toBe("apple");
  });
});

describe("variants", () => {
  test("variants of a key live side by side", () => {
    const store = memoryStore();
    for (const vary of ["gzip", "br"]) put(store, "example.com/a", { vary, body: vary });
    expect(bodies(store, "example.com/a").toSorted()).toEqual(["br", "gzip"]);
  });

  test("the same variant stored again replaces the one before", () => {
    const store = memoryStore();
    for (const text of ["old", "new"]) put(store, "example.com/a", { vary: "br", body: text });
    expect(bodies(store, "example.com/a")).toEqual(["new"]);
    expect(store.stats().counters["evicted replaced"]).toBe(1);
    expect(store.stats().entries).toBe(1);
  });

  test("beyond the bound the oldest variant goes first", () => {
    const store = memoryStore();
    for (let i = 0; i <= VARIANTS_MAX; i++)
      put(store, "example.com/a", { vary: `v${i}`, body: `${i}`, nowS: 10 + i });
    const kept = bodies(store, "example.com/a");
    expect(kept).toHaveLength(VARIANTS_MAX);
    expect(kept).not.toContain("0");
    expect(store.stats().counters["evicted variants"]).toBe(1);
  });

  test("removing a key removes all its variants and no other key", () => {
    const store = memoryStore();
    for (const vary of ["gzip", "br"]) put(store, "example.com/a", { vary });
    put(store, "example.com/b");
    const { hashHi, hashLo, key } = requestFor(store, "example.com/a");
    expect(store.remove(hashHi, hashLo, key, 0, key.length)).toBe(2);
    expect(body(store, "example.com/a")).toBeUndefined();
    expect(body(store, "example.com/b")).toBe("example.com/b");
  });
});

describe("admission", () => {
  test("each refusal has its reason, and is counted", () => {
    const store = memoryStore({ objectShare: 0.01 });
    expect(put(store, "example.com/a", { bodyBytes: 100_000 })).toBe("too-large");
    expect(put(store, "example.com/a", { tags: Array.from({ length: 257 }, String) })).toBe("too-many-tags");
    expect(put(memoryStore({ bytes: 16 << 20 }), "a".repeat(40_000), { body: "" })).toBe("key-too-long");
    expect(store.stats().counters["refused too-large"]).toBe(1);
  });

  test("a store many times overfilled holds as much as fits and answers only with what was stored", () => {
    const store = memoryStore();
    const random = seededRandom(11);
    for (let i = 0; i < 20_000; i++) {
      const url = `example.com/${Math.floor(random() ** 3 * 3000)}`;
      const found = find(store, url);
      if (found === undefined) put(store, url, { body: url.repeat(1 + Math.floor(random() * 40)) });
      else expect(bodyOf(found).startsWith(url)).toBe(true);
      found?.touch();
    }
    const { liveBytes, capacityBytes, entries } = store.stats();
    expect(liveBytes).toBeGreaterThan(capacityBytes * 0.8);
    expect(liveBytes).toBeLessThanOrEqual(capacityBytes);
    let walked = 0;
    store.walk(() => walked++);
    expect(walked).toBe(entries);
  });

  test("a full bucket gives way to the newest, at the cost of what was used least", () => {
    const store = memoryStore();
    const request = requestFor(store, "example.com/a", { body: "" });
    for (let i = 0; i < 33; i++) {
      const made = store.reserve({ ...request, hashHi: i, hashLo: 0 });
      if (typeof made !== "string") made.commit();
    }
    expect(store.stats().entries).toBe(32);
    expect(store.stats().counters["evicted bucket-full"]).toBe(1);
  });
});

describe("eviction", () => {
  const fill = (store: ReturnType<typeof memoryStore>, from: number, count: number): void => {
    for (let i = from; i < from + count; i++) put(store, `example.com/filler/${i}`, { bodyBytes: 4000 });
  };

  test("what was asked for twice outlives a scan that is larger than the store", () => {
    const store = memoryStore();
    fill(store, 0, 400);
    put(store, "example.com/wanted");
    use(store, "example.com/wanted", 2);
    fill(store, 1000, 400);
    expect(body(store, "example.com/wanted")).toBe("example.com/wanted");
    expect(body(store, "example.com/filler/1001")).toBeUndefined();
  });

  test("what comes back soon after it left is kept longer than what never came before", () => {
    const store = memoryStore();
    fill(store, 0, 400);
    put(store, "example.com/back", { bodyBytes: 4000 });
    fill(store, 1000, 40);
    expect(find(store, "example.com/back")).toBeUndefined();
    put(store, "example.com/back", { bodyBytes: 4000 });
    fill(store, 2000, 100);
    expect(find(store, "example.com/back")).toBeDefined();
  });

  test("after everything was purged the whole room is used again", () => {
    const store = memoryStore();
    fill(store, 0, 400);
    store.purge({ kind: "all", hard: true });
    fill(store, 1000, 400);
    expect(store.stats().liveBytes).toBeGreaterThan(store.stats().capacityBytes * 0.85);
  });

  test("what has expired goes before what is wanted less", () => {
    const store = memoryStore();
    put(store, "example.com/expired", { nowS: 10, usableUntilS: 20 });
    use(store, "example.com/expired", 3);
    for (let i = 0; i < 400; i++) put(store, `example.com/${i}`, { bodyBytes: 4000, nowS: 30 });
    expect(body(store, "example.com/expired")).toBeUndefined();
    expect(store.stats().counters["evicted expired"]).toBe(1);
  });
});
