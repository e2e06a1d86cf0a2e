/** The two tiers of the cache with real processes: what a restart, a death, a purge and a lost folder leave of them. */
import { afterEach, describe, expect, test } from "bun:test";
import { existsSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { UserCacheStore } from "../config/index.ts";
import type { Status } from "./api.ts";
import { type CachedSite, startCachedSite, until } from "./testing/cached-site.ts";

const sites: CachedSite[] = [];
afterEach(async () => {
  for (const site of sites.splice(0)) await site.stop();
}, 30_000);

/** A site with a disk tier; `storage` may be changed before the next start. */
async function start(
  disk: UserCacheStore["disk"],
): Promise<{ site: CachedSite; storage: { disk?: UserCacheStore["disk"] } }> {
  const storage = { disk };
  const site = await startCachedSite(undefined, storage);
  sites.push(site);
  return { site, storage };
}

/** Too large for memory: on disk when it has been fetched twice. */
const large = (tag: string, name: string): string => `/${tag}/${name}?bytes=200000`;

async function warm(site: CachedSite, path: string): Promise<void> {
  await site.get(path);
  await site.get(path);
  const { body, cacheStatus } = await site.get(path);
  expect([body, cacheStatus]).toEqual(["2", expect.stringMatching(/; hit; .*detail=disk$/)]);
}

async function statusOf(site: CachedSite): Promise<Status> {
  return (await site.api("GET", "/v1/status")).data as Status;
}

describe("what is on disk", () => {
  test("is found after a restart, even when memory is lost, but for what was purged", async () => {
    const { site } = await start("128MiB");
    for (const tag of ["kept", "purged"]) await warm(site, large(tag, "a"));
    expect((await site.api("POST", "/v1/cache/purge", { tags: ["purged"] })).status).toBe(200);
    await site.downAndUp(() => rmSync(join(site.state, "gateway", "cache")));
    expect(await site.get(large("kept", "a"))).toMatchObject({
      body: "2",
      cacheStatus: expect.stringContaining("detail=disk"),
    });
    expect((await site.get(large("purged", "a"))).body).toBe("3");
  }, 60_000);

  test("is purged by a controller that took over, too", async () => {
    const { site } = await start("128MiB");
    await warm(site, large("a", "a"));
    await site.restart("16MiB");
    expect((await site.get(large("a", "a"))).cacheStatus).toContain("detail=disk");
    await site.api("POST", "/v1/cache/purge", { urls: [`http://${site.host}${large("a", "a")}`] });
    expect((await site.get(large("a", "a"))).body).toBe("3");
  }, 60_000);

  test("is whole after a worker was killed in the middle of writing", async () => {
    const { site } = await start("128MiB");
    const paths = Array.from({ length: 40 }, (_, at) => large("k", String(at)));
    for (const path of paths) await site.get(path);
    const [worker] = (await statusOf(site)).gateway.workers;
    const asking = Promise.allSettled(paths.map((path) => site.get(path)));
    process.kill(worker?.pid ?? 0, "SIGKILL");
    await asking;
    await until(async () =>
      (await statusOf(site)).gateway.workers.some(
        ({ pid, state }) => pid !== worker?.pid && state === "serving",
      ),
    );
    for (const path of paths) {
      const { body } = await site.get(path);
      expect(Number(body)).toBe(site.asked(path));
    }
  }, 60_000);

  test("is removed at the first start without a disk tier", async () => {
    const { site, storage } = await start("128MiB");
    await warm(site, large("a", "a"));
    delete storage.disk;
    await site.downAndUp(() =>
      expect(existsSync(join(site.state, "gateway", "cache-disk", "index"))).toBe(true),
    );
    expect(existsSync(join(site.state, "gateway", "cache-disk"))).toBe(false);
    expect((await statusOf(site)).gateway.cache?.disk).toBeNull();
    expect((await site.get(large("a", "a"))).body).toBe("3");
  }, 60_000);

  test("lies in the folder that the config names, and is in status and metrics", async () => {
    const folder = join(mkdtempSync(join(tmpdir(), "tenfold-tier-")), "tier");
    const { site } = await start({ size: "128MiB", folder });
    await warm(site, large("a", "a"));
    await until(async () => (await statusOf(site)).gateway.cache?.disk?.written === 1);
    expect(readdirSync(folder).toSorted()).toEqual(["index", "purges", "segment-0000"]);
    expect((await statusOf(site)).gateway.cache?.disk).toMatchObject({
      objects: 1,
      found: 1,
      written: 1,
      off: null,
    });
    const metrics = await site.metrics();
    expect(metrics).toInclude('tenfold_cache_requests_total{result="hit",reason="disk"} 1');
    expect(metrics).toInclude("tenfold_cache_disk_hits_total 1");
    expect(metrics).toInclude('tenfold_cache_disk_refused_total{reason="not-used-again"} 1');
    rmSync(folder, { recursive: true });
  }, 60_000);
});

test("a folder that cannot be made leaves memory alone, and says what to do", async () => {
  const { site } = await start({ size: "128MiB", folder: "/proc/no-such-folder" });
  await site.get("/a/b");
  expect((await site.get("/a/b")).cacheStatus).toContain("; hit");
  expect((await statusOf(site)).gateway.cache?.disk).toBeNull();
  const line = site
    .log()
    .split("\n")
    .find((each) => each.includes("cache-disk-unavailable"));
  expect(JSON.parse(line ?? "{}")).toMatchObject({
    level: "error",
    folder: "/proc/no-such-folder",
    reason: "unwritable",
    mend: expect.stringContaining("gateway.cache.disk"),
  });
}, 60_000);
