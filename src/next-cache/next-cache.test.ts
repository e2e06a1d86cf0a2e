import { afterAll, describe, expect, test } from "bun:test";
import { systemClock } from "../base/index.ts";
import { RespClient } from "../resp/io/index.ts";
import { hasRedis, startEmbedded, startRedis } from "../resp/testing/store-servers.ts";
import { memoryBackend, type NextCacheBackend } from "./backend.ts";
import { decodeEntry, encodeEntry } from "./entry.ts";
import { nextCacheHandler } from "./handler.ts";
import { openNextCache } from "./io/index.ts";

const redis = hasRedis ? await startRedis() : undefined;
const embedded = await startEmbedded();
afterAll(() => Promise.all([redis?.stop(), embedded.stop()]));

/** A cache under a prefix of its own. */
const cacheAt = (url: string) => () => {
  const cache = openNextCache(url, { prefix: `next-${Math.random()}:` });
  afterAll(() => cache.close());
  return cache;
};

/** A page as Next.js 16 stores it. */
const page = (html: string, tags = "posts,_N_T_/") => ({
  kind: "APP_PAGE",
  html,
  rscData: Buffer.from([0, 255, 10]),
  headers: { "x-next-cache-tags": tags },
  postponed: undefined,
  status: 200,
  segmentData: new Map([["/_tree", Buffer.from("tree")]]),
});

/** A fetch as Next.js stores it. */
const fetched = (body: string, revalidate = 60) => ({
  kind: "FETCH",
  data: { headers: {}, body, status: 200, url: "http://api/" },
  revalidate,
});

const PAGE = { kind: "APP_PAGE", isFallback: false };
const CONTROL = { cacheControl: { revalidate: 60, expire: 3600 } };

const BACKENDS: Record<string, (() => NextCacheBackend) | undefined> = {
  memory: memoryBackend,
  "redis-server (needs redis-server)": redis && cacheAt(redis.url),
  "the embedded store": cacheAt(embedded.url),
};

for (const [name, open] of Object.entries(BACKENDS)) {
  describe.skipIf(open === undefined)(`instances of Next.js on ${name}`, () => {
    /** Two instances: as two processes, they share the backend alone. Next.js makes a handler for each request. */
    const instances = (buildId = "b1", backend = open?.() ?? expect.unreachable()) => {
      const [One, Other] = [0, 1].map(() =>
        nextCacheHandler({ backend, buildId, onError: (error) => expect.unreachable(String(error)) }),
      );
      return { backend, one: () => new One!(), other: () => new Other!() };
    };

    test("one renders a page, the other has it, buffers and segments as they were", async () => {
      const { one, other } = instances();
      const rendering = one();
      expect(await rendering.get("/", PAGE)).toBeNull();
      await rendering.set("/", page("<p>"), CONTROL);
      const found = await other().get("/", PAGE);
      expect(found).toEqual({
        lastModified: expect.any(Number),
        value: page("<p>"),
        cacheControl: { revalidate: 60, expire: 3600 },
      });
      expect((found?.value as ReturnType<typeof page> | undefined)?.rscData).toBeInstanceOf(Buffer);
    });

    test("a revalidated tag or path is gone everywhere, at once", async () => {
      const { one, other } = instances();
      for (const tag of ["posts", "_N_T_/"]) {
        const rendering = one();
        await rendering.get("/", PAGE);
        await rendering.set("/", page("<p>"), CONTROL);
        expect(await other().get("/", PAGE)).not.toBeNull();
        await other().revalidateTag(tag);
        expect(await one().get("/", PAGE)).toBeNull();
        expect(await other().get("/", PAGE)).toBeNull();
      }
    });

    test("what was rendered while its tag was revalidated is not kept as fresh", async () => {
      const { one, other } = instances();
      const rendering = one();
      await rendering.get("/", PAGE);
      await other().revalidateTag(["posts"]);
      await rendering.set("/", page("old"), CONTROL);
      expect(await other().get("/", PAGE)).toBeNull();
      const again = one();
      await again.get("/", PAGE);
      await again.set("/", page("new"), CONTROL);
      expect((await other().get("/", PAGE))?.value).toEqual(page("new"));
    });

    test("a tag revalidated softly is used once more while a new page is made, until its end", async () => {
      const { one, other } = instances();
      const rendering = one();
      await rendering.get("/", PAGE);
      await rendering.set("/", page("old"), CONTROL);
      await other().revalidateTag("posts", { expire: 300 });
      const stale = await one().get("/", PAGE);
      expect(stale?.value).toEqual(page("old"));
      const ageS = (systemClock.wallMs() - (stale?.lastModified ?? 0)) / 1000;
      expect(ageS).toBeGreaterThan(60);
      expect(ageS).toBeLessThan(3600);
      await other().revalidateTag("posts", { expire: 0 });
      expect(await one().get("/", PAGE)).toBeNull();
    });

    test("a fetch goes by its own tags and by those of its route; it is shared by all builds", async () => {
      const { backend, one, other } = instances();
      const fetching = one();
      const context = { kind: "FETCH", tags: ["api"], softTags: ["_N_T_/blog"], revalidate: 60 };
      await fetching.get("key", context);
      await fetching.set("key", fetched("1"), { fetchCache: true, tags: ["api"] });
      expect((await instances("b2", backend).one().get("key", context))?.value).toEqual(fetched("1"));
      await other().revalidateTag("_N_T_/blog", {});
      const stale = await one().get("key", context);
      expect(systemClock.wallMs() - (stale?.lastModified ?? 0)).toBeGreaterThan(60_000);
      await other().revalidateTag("api");
      expect(await one().get("key", context)).toBeNull();
    });

    test("pages of one build are not those of another", async () => {
      const { backend, one } = instances();
      const rendering = one();
      await rendering.get("/", PAGE);
      await rendering.set("/", page("b1"), CONTROL);
      expect(await instances("b2", backend).one().get("/", PAGE)).toBeNull();
    });

    test("a page that does not exist is remembered as such", async () => {
      const { one, other } = instances();
      await one().set("/404", null, { cacheControl: { revalidate: 10 } });
      expect((await other().get("/404", PAGE))?.value).toBeNull();
    });
  });
}

test("invalidations of several processes at the same time each take a number of their own", async () => {
  const caches = Array.from({ length: 10 }, () => openNextCache(embedded.url, { prefix: "marks:" }));
  await Promise.all(caches.map((cache, index) => cache.mark([`t${index}`], { kind: "expire" })));
  const marks = (await caches[0]?.marks(caches.map((_, index) => `t${index}`))) ?? [];
  expect(new Set(marks.map(({ expired }) => expired)).size).toBe(10);
  expect((await caches[0]?.read("x"))?.sequence).toBe(10);
  for (const cache of caches) cache.close();
});

test.skipIf(redis === undefined)(
  "a store that dropped the marks gives nothing from before (needs redis-server)",
  async () => {
    const cache = openNextCache(redis?.url ?? "", { prefix: "lost:" });
    const Handler = nextCacheHandler({ backend: cache, buildId: "b1" });
    const rendering = new Handler();
    await rendering.get("/", PAGE);
    await rendering.set("/", page("old"), CONTROL);
    await rendering.revalidateTag("posts");
    const client = new RespClient({ url: redis?.url ?? "" });
    await client.call(["DEL", "lost:tags"]);
    client.close();
    expect(await new Handler().get("/", PAGE)).toBeNull();
    cache.close();
  },
);

test("while the cache is away every read is a miss, and an invalidation says that it failed", async () => {
  const gone = () => Promise.reject(new Error("away"));
  const errors: unknown[] = [];
  const Handler = nextCacheHandler({
    backend: { read: gone, write: gone, remove: gone, marks: gone, mark: gone, forget: gone },
    buildId: "b1",
    onError: (error) => errors.push(error),
  });
  const handler = new Handler();
  expect(await handler.get("/", PAGE)).toBeNull();
  await handler.set("/", page("x"), CONTROL);
  expect(errors).toHaveLength(2);
  expect(await Handler.get("key", [])).toBeUndefined();
  expect(handler.revalidateTag("posts")).rejects.toThrow("away");
});

test("an entry that cannot be read is a miss; values of any shape come back as they were", () => {
  for (const text of ["", "{", "null", "[]", '{"lastModified":1}', "\u0000"]) {
    expect(decodeEntry(new TextEncoder().encode(text))).toBeUndefined();
  }
  const value = {
    $tenfold: "bytes",
    data: "x",
    nested: [{ $tenfold: 1 }, new Map([["k", Buffer.from("v")]]), null, ""],
  };
  const entry = { lastModified: 1, sequence: 2, epoch: "e", tags: ["a"], value };
  expect(decodeEntry(encodeEntry(entry))).toEqual(entry);
});

test("a handler needs to know its build", () => {
  for (const buildId of ["", undefined as unknown as string])
    expect(() => nextCacheHandler({ backend: memoryBackend(), buildId })).toThrow("buildId");
});
