/** What the cache did and holds, asked of a real controller after traffic that is known to the byte. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { simulatedTime, systemClock, systemScheduler } from "../base/index.ts";
import { buildSnapshot, type Snapshot, type UserRule } from "../config/index.ts";
import type { Store } from "../edge/index.ts";
import { memoryStore } from "../edge/store/testing.ts";
import type { CacheTrafficReport, CacheUsageReport } from "./api.ts";
import { CacheLedger } from "./cache-ledger.ts";
import { CacheUsageLook } from "./cache-usage.ts";
import { type CachedSite, cachedConfig, errorOf, startCachedSite } from "./testing/cached-site.ts";

/** Asks for a path on a connection of its own: the bytes that came. */
async function bytesOf(site: CachedSite, path: string, headers = ""): Promise<number> {
  const { promise, resolve } = Promise.withResolvers<number>();
  let bytes = 0;
  const [hostname = "", port = ""] = site.host.split(":");
  const request = `GET ${path} HTTP/1.1\r\nhost: ${site.host}\r\nconnection: close\r\n${headers}\r\n`;
  await Bun.connect({
    hostname,
    port: Number(port),
    socket: {
      open: (socket) => void socket.write(request),
      data: (_, chunk) => void (bytes += chunk.length),
      close: () => resolve(bytes),
    },
  });
  return promise;
}

describe("what the cache did", () => {
  let site: CachedSite;
  /** How often the page of the site's own start was asked for once more. */
  let hitsBefore = 0;
  beforeAll(async () => {
    site = await startCachedSite([
      { match: { path: "/none/*" }, cache: false, forward: "origin" },
      { match: { path: "/img/*" }, cache: { ttl: "1h" }, forward: "origin" },
      { cache: { ttl: "1h" }, forward: "origin" },
    ]);
  }, 30_000);
  afterAll(() => site.stop(), 30_000);

  async function traffic(): Promise<CacheTrafficReport> {
    return (await site.api("GET", "/v1/cache/traffic")).data as CacheTrafficReport;
  }

  test("is the traffic there was, request by request and byte by byte", async () => {
    const { last: before } = await traffic();
    hitsBefore = before.results["hit"] ?? 0;
    let missed = 0;
    let hit = 0;
    for (const path of ["/img/a/1", "/img/a/2", "/page"]) missed += await bytesOf(site, path);
    for (let again = 0; again < 5; again++) hit += await bytesOf(site, "/img/a/1");
    const around = await bytesOf(site, "/page", "cache-control: no-store\r\n");
    await bytesOf(site, "/none/1");
    await site.api("POST", "/v1/cache/purge", { tags: ["nothing"], urls: [`http://${site.host}/x`] });
    const { first, last, spanMs, capacityBytes } = await traffic();
    const grown = (key: "answeredBytes" | "servedBytes" | "fetches" | "fetchedBytes" | "purges"): number =>
      last[key] - before[key];
    const asked = (result: string): number => (last.results[result] ?? 0) - (before.results[result] ?? 0);
    expect([asked("hit"), asked("miss"), asked("bypass"), asked("collapsed")]).toEqual([5, 3, 1, 0]);
    expect(grown("answeredBytes")).toBe(missed + hit + around);
    expect(grown("servedBytes")).toBe(hit);
    expect([grown("fetches"), grown("fetchedBytes")]).toEqual([4, missed + around]);
    expect(grown("purges")).toBe(2);
    expect(first.fetches).toBeLessThan(last.fetches);
    expect([spanMs > 0, capacityBytes > 4e6]).toEqual([true, true]);
  });

  test("leaves responses whose use is known, by rule and folder", async () => {
    const { data, status } = await site.api("GET", "/v1/cache/report?settle=0");
    const { all, rules, folders, looked } = data as CacheUsageReport;
    expect([status, looked]).toEqual([200, 1]);
    // The page of the site's own start is one of them.
    expect(all).toMatchObject({ responses: 4, hits: 5 + hitsBefore });
    expect(new Set(rules.map(({ name, responses, hits }) => [name, responses, hits].join(" ")))).toEqual(
      new Set(["web/1 2 5", `web/2 2 ${hitsBefore}`]),
    );
    const of = folders.map(({ name, hits, settled, unasked }) => `${name} ${hits} ${settled} ${unasked}`);
    expect(of.toSorted()).toEqual([`${site.host}/img/ 5 2 1`, `${site.host}/img/a/ 5 2 1`]);
    const [type] = (data as CacheUsageReport).types;
    expect(type).toMatchObject({ name: "text/plain", responses: 4 });
  });

  test("counts for a controller from its own start, whatever the workers have counted before", async () => {
    const { last } = await traffic();
    await site.restart("8MiB");
    await bytesOf(site, "/page");
    const again = await traffic();
    expect(again.first).toEqual(last);
    expect(again.last.results["hit"]).toBe((last.results["hit"] ?? 0) + 1);
  }, 30_000);

  test("is not judged before its time, and a time that is none is refused", async () => {
    const { data } = await site.api("GET", "/v1/cache/report");
    expect((data as CacheUsageReport).all.settled).toBe(0);
    for (const settle of ["x", "-1", "1e9"]) {
      const refused = await site.api("GET", `/v1/cache/report?settle=${settle}`);
      expect([refused.status, errorOf(refused).code]).toEqual([400, "bad-settle"]);
    }
  });
});

describe("the books", () => {
  test("begin when there is a cache, not with what was counted before", () => {
    const { clock, advance } = simulatedTime();
    const store = memoryStore();
    let isUsed = false;
    const ledger = new CacheLedger(() => (isUsed ? store.stats() : undefined), clock);
    store.count("hit fresh", 10);
    ledger.begin();
    expect(ledger.report()).toBeNull();
    isUsed = true;
    ledger.begin();
    advance(5000);
    store.count("hit fresh", 3);
    ledger.begin();
    expect(ledger.report()).toMatchObject({
      spanMs: 5000,
      first: { results: { hit: 10 } },
      last: { results: { hit: 13 } },
    });
  });
});

describe("a look at what is stored", () => {
  const CACHED = [{ cache: {}, forward: "origin" }];

  function snapshotOf(rules: readonly UserRule[]): Snapshot {
    const built = buildSnapshot({ config: cachedConfig(rules), tasks: [], previous: undefined, revision: 1 });
    if (built.kind !== "ok") throw new Error(built.kind);
    return built.snapshot;
  }

  test("gives null without a rule that has a cache, and without memory for it", async () => {
    const plain = snapshotOf([{ forward: "origin" }]);
    for (const [cache, snapshot] of [
      [memoryStore(), plain] as const,
      [undefined, snapshotOf(CACHED)] as const,
    ]) {
      const look = new CacheUsageLook({ cache, latest: () => snapshot }, systemClock, systemScheduler);
      expect(await look.look(600)).toBeNull();
    }
  });

  test("ends when its time is over, and says how far it came", async () => {
    let nowMs = 0;
    const slow = { wallMs: () => 0, nowMs: () => (nowMs += 100) };
    const snapshot = snapshotOf(CACHED);
    const look = new CacheUsageLook(
      { cache: memoryStore({ bytes: 8 << 20 }), latest: () => snapshot },
      slow,
      systemScheduler,
    );
    const { looked = 1 } = (await look.look(600)) ?? {};
    expect(looked).toBeWithin(0.01, 0.9);
  });

  test("comes after the one that is under way, though that failed", async () => {
    const snapshot = snapshotOf(CACHED);
    const stores = [undefined, memoryStore()];
    const plane = {
      get cache(): Store | undefined {
        if (stores.length === 2) {
          stores.shift();
          throw new Error("unmapped");
        }
        return stores[0];
      },
      latest: () => snapshot,
    };
    const look = new CacheUsageLook(plane, systemClock, systemScheduler);
    const outcomes = await Promise.allSettled([look.look(600), look.look(600)]);
    expect(outcomes.map(({ status }) => status)).toEqual(["rejected", "fulfilled"]);
  });
});
