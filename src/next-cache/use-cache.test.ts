import { describe, expect, test } from "bun:test";
import { simulatedTime } from "../base/index.ts";
import { memoryBackend } from "./backend.ts";
import { nextCacheHandler } from "./handler.ts";
import type { UseCacheEntry } from "./use-cache.ts";

const time = simulatedTime();

/** Two instances on one cache, and what they told of failures. */
function instances() {
  const backend = memoryBackend();
  const errors: unknown[] = [];
  const onError = (error: unknown) => void errors.push(error);
  const [one, other] = [0, 1].map(() =>
    nextCacheHandler({ backend, buildId: "b1", onError, clock: time.clock }),
  );
  return { backend, errors, one: one ?? expect.unreachable(), other: other ?? expect.unreachable() };
}

/** What a function gave that begins to be made now. */
const entryOf = (text: string, change: Partial<UseCacheEntry> = {}): UseCacheEntry => ({
  value: new Response(text).body ?? expect.unreachable(),
  tags: ["posts"],
  stale: 300,
  timestamp: performance.timeOrigin + time.clock.nowMs(),
  expire: 3600,
  revalidate: 60,
  ...change,
});

const textOf = async (entry: UseCacheEntry | undefined): Promise<string | undefined> =>
  entry && new Response(entry.value).text();

describe("what a cached function gave", () => {
  test("is there for the other instance, each time as a new stream, with its lifetimes and tags", async () => {
    const { one, other } = instances();
    expect(await one.get("key", [])).toBeUndefined();
    const entry = entryOf("\u0000äöü");
    await one.set("key", Promise.resolve(entry));
    for (const instance of [other, other, one]) {
      const { value, ...found } = (await instance.get("key", [])) ?? expect.unreachable();
      expect({ ...found, value: entry.value }).toEqual(entry);
      expect(await new Response(value).text()).toBe("\u0000äöü");
    }
  });

  test("is gone everywhere when its tag, or one of the route that asks, is updated", async () => {
    const { one, other } = instances();
    for (const tag of ["posts", "_N_T_/blog"]) {
      await one.get("key", []);
      await one.set("key", Promise.resolve(entryOf("x")));
      expect(await other.get("key", ["_N_T_/blog"])).toBeDefined();
      await (tag === "posts" ? other.updateTags([tag]) : other.expireTags(tag));
      expect(await one.get("key", ["_N_T_/blog"])).toBeUndefined();
    }
  });

  test("is used once more while it is made anew, when its tag is updated softly; at once, without time left", async () => {
    const { one, other } = instances();
    await one.get("key", []);
    await one.set("key", Promise.resolve(entryOf("x")));
    await other.updateTags(["posts"], { expire: 300 });
    expect(await one.get("key", [])).toMatchObject({ revalidate: -1, expire: 3600 });
    await other.updateTags(["posts"], { expire: 0 });
    expect(await one.get("key", [])).toBeUndefined();
  });

  test("is not kept as fresh when its tag was updated since it began to be made, even if others were asked for since", async () => {
    const { one, other } = instances();
    await one.get("key", []);
    const began = entryOf("old");
    await other.updateTags(["posts"]);
    time.advance(1);
    await one.get("another", []);
    await one.set("key", Promise.resolve(began));
    expect(await other.get("key", [])).toBeUndefined();
    await one.set("key", Promise.resolve(entryOf("new")));
    expect(await textOf(await other.get("key", []))).toBe("new");
  });

  test("is waited for by those who ask while it is stored", async () => {
    const { one } = instances();
    await one.get("key", []);
    const { promise, resolve } = Promise.withResolvers<UseCacheEntry>();
    const stored = one.set("key", promise);
    const found = one.get("key", []);
    resolve(entryOf("x"));
    expect(await textOf(await found)).toBe("x");
    await stored;
  });

  test("is not kept when it failed midway, or has no lifetime; the function's error is not the cache's", async () => {
    const { one, errors } = instances();
    const failing = new ReadableStream<Uint8Array>({
      pull: (controller) => controller.error(new Error("the database is away")),
    });
    await one.get("key", []);
    await one.set("key", Promise.resolve(entryOf("", { value: failing })));
    await one.set("key", Promise.resolve(entryOf("x", { expire: 0 })));
    expect(await one.get("key", [])).toBeUndefined();
    expect(errors).toEqual([]);
  });

  test("is not mistaken for a page: what is stored under its key by others is a miss", async () => {
    const { backend, one } = instances();
    const page = new (nextCacheHandler({ backend, buildId: "b1" }))();
    await page.set("key", { kind: "PAGES", html: "" });
    expect(await one.get("key", [])).toBeUndefined();
    await backend.write("use:b1:key", new TextEncoder().encode("{}"), 1000);
    expect(await one.get("key", [])).toBeUndefined();
  });

  test("of routes whose tags are asked for ahead, Next.js hears that they come with each read", async () => {
    const { one } = instances();
    await one.refreshTags();
    expect(await one.getExpiration(["posts"])).toBe(Infinity);
  });
});
