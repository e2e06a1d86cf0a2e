import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { simulatedTime } from "../base/index.ts";
import { buildSnapshot } from "../config/index.ts";
import { HEADER } from "../edge/index.ts";
import { memoryStore } from "../edge/store/testing.ts";
import type { EventRecord, PurgeRecord, PurgeResult } from "./api.ts";
import { Purger } from "./purger.ts";
import { type CachedSite, cachedConfig, errorOf, startCachedSite, until } from "./testing/cached-site.ts";

describe("a purge", () => {
  let site: CachedSite;
  beforeAll(async () => {
    site = await startCachedSite();
  }, 30_000);
  afterAll(() => site.stop(), 30_000);

  /** Purges, which must succeed. */
  async function purge(order: Record<string, unknown>): Promise<PurgeResult> {
    const { status, data } = await site.api("POST", "/v1/cache/purge", order);
    expect({ status, data }).toMatchObject({ status: 200 });
    return data as PurgeResult;
  }

  /** Asks for a path until it is answered from the cache. */
  async function warm(path: string): Promise<void> {
    const { body: first } = await site.get(path);
    const second = await site.get(path);
    expect([second.body, second.cacheStatus]).toEqual([first, expect.stringContaining("; hit")]);
  }

  test("of a URL makes the next request a miss, and that of another URL none", async () => {
    await warm("/url/a?b=1");
    await warm("/url/a?b=2");
    const { purged } = await purge({ urls: [`http://${site.host}/url/a?b=1`] });
    expect(purged).toEqual([{ what: `url http://${site.host}/url/a?b=1` }]);
    expect((await site.get("/url/a?b=1")).body).toBe("2");
    expect((await site.get("/url/a?b=2")).body).toBe("1");
  });

  test("of a URL goes by the key rule of the rule that it matches", async () => {
    await warm("/plain/a?session=1");
    await purge({ urls: [`https://${site.host}/plain/a?session=2`] });
    expect((await site.get("/plain/a?session=1")).body).toBe("2");
  });

  test("of a tag reaches all that bear it, whatever the case", async () => {
    await warm("/product-17/a");
    await warm("/product-18/a");
    await purge({ tags: ["Product-17"] });
    expect((await site.get("/product-17/a")).body).toBe("2");
    expect((await site.get("/product-18/a")).body).toBe("1");
  });

  test("of a prefix reaches what lies below it, and nothing beside it", async () => {
    for (const path of ["/img/a/b?c", "/img/x", "/imgs/a"]) await warm(path);
    await purge({ prefixes: [`${site.host}/img/`] });
    expect((await site.get("/img/a/b?c")).body).toBe("2");
    expect((await site.get("/imgs/a")).body).toBe("1");
    await purge({ prefixes: [`http://${site.host}/img`] });
    expect((await site.get("/imgs/a")).body).toBe("2");
  });

  test("of everything reaches everything", async () => {
    await warm("/every/a");
    await purge({ everything: true });
    expect((await site.get("/every/a")).body).toBe("2");
  });

  test("counts for answers that are on their way: they are not kept as fresh", async () => {
    const url = `http://${site.host}/way-url/a`;
    const orders = {
      url: { urls: [url] },
      tag: { tags: ["way-tag"] },
      prefix: { prefixes: [`${site.host}/way-prefix/`] },
    };
    for (const [kind, order] of Object.entries(orders)) {
      const path = `/way-${kind}/a`;
      const release = site.hold();
      const first = site.get(path);
      await until(async () => site.asked(path) === 1);
      await purge(order);
      release();
      expect((await first).body).toBe("1");
      expect((await site.get(path)).body).toBe("2");
    }
  });

  test("that is soft lets no answer go out as a fresh one: it is stale, and what is new follows", async () => {
    await warm("/soft/a");
    expect(await purge({ tags: ["soft"], soft: true })).toMatchObject({ soft: true });
    const { body, cacheStatus } = await site.get("/soft/a");
    expect([body, cacheStatus]).toEqual([
      body === "1" ? "1" : "2",
      body === "1" ? expect.stringContaining("stale-while-revalidate") : expect.stringContaining("fwd="),
    ]);
    await until(async () => (await site.get("/soft/a")).body === "2");
  });

  test("that is a dry run counts and changes nothing, its number neither", async () => {
    await warm("/dry/a");
    await warm("/dry/b");
    const before = await purge({ tags: ["dry"], dryRun: true });
    expect(before).toMatchObject({ dryRun: true, purged: [{ what: "tag dry", matched: 2 }] });
    expect((await site.get("/dry/a")).body).toBe("1");
    const { purged, sequence } = await purge({ tags: ["dry"], count: true });
    expect([purged[0]?.matched, sequence > before.sequence]).toEqual([2, true]);
    expect(await purge({ tags: ["dry"], dryRun: true })).toMatchObject({ purged: [{ matched: 0 }] });
  });

  test("is an event, a record in the list of purges, and a line of the log with all that it named", async () => {
    const what = ["tag audit-1", "tag audit-2", "tag audit-3", "tag audit-4"];
    const tags = what.map((text) => text.slice("tag ".length));
    const { sequence } = await purge({ tags, soft: true });
    const events = (await site.api("GET", "/v1/events")).data as EventRecord[];
    const message = `marked stale tag audit-1, tag audit-2, tag audit-3 and 1 more (purge ${sequence})`;
    expect(events.findLast(({ event }) => event === "cache-purged")).toMatchObject({
      subject: "@gateway",
      message,
    });
    const records = (await site.api("GET", `/v1/cache/purges?after=${sequence - 4}`)).data as PurgeRecord[];
    expect(records.at(-1)).toEqual({ sequence, soft: true, what, at: expect.any(String) });
    const ofPurge = (): string | undefined =>
      readFileSync(join(site.state, "logs", "controller.log"), "utf8")
        .split("\n")
        .find((line) => line.includes('"cache-purged"') && line.includes(`"sequence":${sequence},`));
    await until(async () => ofPurge() !== undefined);
    expect(JSON.parse(ofPurge() ?? "")).toMatchObject({ event: "cache-purged", sequence, what });
  });

  test("reaches the worker that an earlier controller started, also when the new one is told another size", async () => {
    for (const memory of ["8MiB", "9MiB"]) {
      await warm(`/restart/${memory}`);
      await site.restart(memory);
      const { purged } = await purge({ tags: ["restart"], count: true });
      expect(purged).toEqual([{ what: "tag restart", matched: 1 }]);
      expect((await site.get(`/restart/${memory}`)).body).toBe("2");
      await purge({ tags: ["restart"] });
    }
  }, 20_000);

  test("holds after a restart of the machine, and what was not purged is still there", async () => {
    await warm("/reboot/kept");
    await warm("/rebooted/purged");
    await purge({ tags: ["rebooted"] });
    await site.downAndUp(() => {
      const words = new Int32Array(Bun.mmap(join(site.state, "gateway", "cache"), { shared: true }).buffer);
      words[HEADER.bootId] = (words[HEADER.bootId] ?? 0) + 1;
    });
    expect((await site.get("/reboot/kept")).cacheStatus).toContain("; hit");
    expect((await site.get("/rebooted/purged")).body).toBe("2");
  }, 20_000);

  test("that is wrong says all of it and purges nothing", async () => {
    await warm("/wrong/a");
    const answer = await site.api("POST", "/v1/cache/purge", { tags: ["wrong", ""], urls: ["/wrong/a"] });
    expect([answer.status, errorOf(answer)]).toMatchObject([
      400,
      {
        code: "bad-purge",
        problems: [expect.stringMatching(/^urls\[0\]: /), expect.stringMatching(/^tags\[1\]: /)],
      },
    ]);
    expect((await site.get("/wrong/a")).body).toBe("1");
  });

  test("may be as long as a hundred long URLs", async () => {
    const urls = Array.from({ length: 100 }, (_, n) => `http://${site.host}/${"x".repeat(7900)}${n}`);
    expect((await purge({ urls })).purged).toHaveLength(100);
  });
});

describe("purges without a cache", () => {
  test("are refused with the mend", async () => {
    const plane = { cache: undefined, latest: () => undefined };
    const answer = await new Purger({ plane, note: () => {} }).purge({ tags: ["a"] });
    expect(answer).toMatchObject({ kind: "error", status: 409, code: "no-cache" });
  });
});

describe("a purge of two tiers", () => {
  test("waits for the disk, and says when that did not take it", async () => {
    const built = buildSnapshot({
      config: cachedConfig([{ cache: {}, forward: "origin" }]),
      tasks: [],
      previous: undefined,
      revision: 1,
    });
    const cache = memoryStore();
    const { promise, resolve } = Promise.withResolvers<boolean>();
    const disk = { purge: cache.purge.bind(cache), purgesOnDisk: () => promise };
    const plane = { cache, disk, latest: () => (built.kind === "ok" ? built.snapshot : undefined) };
    const notes: string[] = [];
    const answer = new Purger({ plane, note: (kind) => notes.push(kind) }).purge({ tags: ["a"] });
    const early = await Promise.race([answer, Promise.resolve("waits")]);
    resolve(false);
    expect([early, (await answer).kind]).toEqual(["waits", "ok"]);
    expect(notes).toEqual(["cache-purged", "cache-purge-not-on-disk"]);
  });
});

describe("too many purges", () => {
  test("are refused until a while later; a count costs as much as it looks for", async () => {
    const time = simulatedTime();
    const config = cachedConfig([{ cache: {}, forward: "origin" }]);
    const built = buildSnapshot({ config, tasks: [], previous: undefined, revision: 1 });
    const plane = { cache: memoryStore(), latest: () => (built.kind === "ok" ? built.snapshot : undefined) };
    const purger = new Purger({ plane, note: () => {}, clock: time.clock });
    for (let n = 0; n < 100; n++) expect(await purger.purge({ tags: ["a"] })).toMatchObject({ kind: "ok" });
    expect(await purger.purge({ tags: ["a"] })).toMatchObject({ status: 429, code: "too-many-purges" });
    time.advance(1000);
    expect(await purger.purge({ tags: ["a"] })).toMatchObject({ kind: "ok" });
    const many = Array.from({ length: 60 }, (_, n) => `t${n}`);
    expect(await purger.purge({ tags: many, dryRun: true })).toMatchObject({ status: 429 });
  });
});
