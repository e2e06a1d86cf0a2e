/** Several real processes and real servers: one load among all, and what the death of one of three servers costs. */
import { afterEach, describe, expect, test } from "bun:test";
import { appendFileSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { hasRedis, startRedis, type TestStore } from "../../resp/testing/store-servers.ts";
import { createCache } from "./create-cache.ts";

const CLEANUPS: (() => unknown)[] = [];
afterEach(async () => {
  for (const clean of CLEANUPS.splice(0)) await clean();
});

async function redis(): Promise<TestStore> {
  const server = await startRedis();
  CLEANUPS.push(() => server.stop());
  return server;
}

const INDEX = join(import.meta.dir, "index.ts");

describe.skipIf(!hasRedis)("processes (need redis-server)", () => {
  test("1,000 who miss at once in 4 processes cause one load", async () => {
    const { url } = await redis();
    const folder = mkdtempSync(join(tmpdir(), "tenfold-processes-"));
    CLEANUPS.push(() => rmSync(folder, { recursive: true }));
    const loads = join(folder, "loads");
    appendFileSync(loads, "");
    const startAt = performance.timeOrigin + performance.now() + 1500;
    const program = `
      import { appendFileSync } from "node:fs";
      import { createCache } from ${JSON.stringify(INDEX)};
      const cache = createCache({ name: "herd", store: ${JSON.stringify(url)}, deadline: "2s" });
      await cache.get("warm");
      await Bun.sleep(${startAt} - Date.now());
      const load = async () => { appendFileSync(${JSON.stringify(loads)}, "load\\n"); await Bun.sleep(100); return "v"; };
      const values = await Promise.all(Array.from({ length: 250 }, () => cache.getOrSet("key", load)));
      console.log(values.filter((value) => value === "v").length);
      await cache.close();
      process.exit();`;
    const children = Array.from({ length: 4 }, () =>
      Bun.spawn([process.execPath, "-e", program], { stdout: "pipe", stderr: "inherit" }),
    );
    const printed = await Promise.all(children.map((child) => new Response(child.stdout).text()));
    expect(printed).toEqual(["250\n", "250\n", "250\n", "250\n"]);
    expect(readFileSync(loads, "utf8")).toBe("load\n");
  }, 20_000);

  test("one of three servers killed: loads rise by no more than its share, then the gutter takes over", async () => {
    const [a, b, c, gutter] = [await redis(), await redis(), await redis(), await redis()];
    const store = { nodes: [a.url, b.url, c.url], gutter: gutter.url };
    // Memory of one entry: every read goes to the servers.
    const cache = createCache({ name: "three", store, max: 1, ttl: "1h", deadline: "100ms", beta: 0 });
    CLEANUPS.push(() => cache.close());
    let loads = 0;
    const readAll = async (): Promise<number> => {
      loads = 0;
      for (let key = 0; key < 150; key++) {
        const startMs = performance.now();
        expect(await cache.getOrSet(`k${key}`, () => (loads++, key))).toBe(key);
        expect(performance.now() - startMs).toBeLessThan(500);
      }
      return loads;
    };
    await readAll();
    await Bun.sleep(100);
    await readAll();
    expect(await readAll()).toBe(0);
    await b.kill();
    const afterKill = await readAll();
    expect(afterKill).toBeGreaterThan(10);
    expect(afterKill).toBeLessThan(100);
    await readAll();
    expect(await readAll()).toBeLessThan(10); // probes of the dead one
  }, 30_000);
});
