import { afterAll, afterEach, beforeAll, describe, expect, test } from "bun:test";
import { cpSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { ServiceStatus } from "../../src/app/index.ts";
import { freePort } from "../../src/base/testing.ts";
import { status, tenfold, until } from "../../src/cli/testing/app-folder.ts";
import { startEmbedded, type TestStore } from "../../src/resp/testing/store-servers.ts";
import { type Copy, codeOf, follow, listen, shorten, startCopy } from "./testing.ts";

const LONG = "https://example.com/long";

async function clicksOf(copy: { readonly url: string }, code: string): Promise<number> {
  const response = await fetch(`${copy.url}/api/links/${code}`);
  return ((await response.json()) as { clicks: number }).clicks;
}

describe("copies that share a store", () => {
  let store: TestStore;
  let copies: Copy[] = [];

  beforeAll(async () => {
    store = await startEmbedded();
  });
  afterAll(() => store.stop());
  afterEach(async () => {
    for (const copy of copies) copy.process.kill("SIGKILL");
    await Promise.all(copies.map((copy) => copy.process.exited));
    copies = [];
  });

  async function start(count: number): Promise<[Copy, Copy, ...Copy[]]> {
    copies = await Promise.all(
      Array.from({ length: count }, () => startCopy({ TENFOLD_STORE_SHARED_URL: store.url })),
    );
    return copies as [Copy, Copy, ...Copy[]];
  }

  test("a link made at one is followed at another, and the click is seen live at both", async () => {
    const [a, b] = await start(2);
    const feeds = [await listen(a), await listen(b)];
    const code = await codeOf(await shorten(a, LONG));
    expect((await follow(b, code)).headers.get("location")).toBe(LONG);
    for (const feed of feeds) {
      expect(await feed.next()).toEqual({ code, url: LONG, clicks: 0 });
      expect(await feed.next()).toEqual({ code, url: LONG, clicks: 1 });
    }
    const listed = (await (await fetch(`${b.url}/api/links`)).json()) as unknown[];
    expect(listed[0]).toEqual({ code, url: LONG, clicks: 1 });
  });

  test("900 clicks at once over three of them are 900 clicks", async () => {
    const all = await start(3);
    const code = await codeOf(await shorten(all[0], LONG));
    await Promise.all(all.flatMap((copy) => Array.from({ length: 300 }, () => follow(copy, code))));
    expect(await clicksOf(all[1], code)).toBe(900);
  });

  test("without the store they answer 503 within its deadline, and go on by themselves when it is back", async () => {
    const [a, b] = await start(2);
    const code = await codeOf(await shorten(a, LONG));
    await store.kill();
    const before = performance.now();
    const away = await Promise.all([follow(a, code), shorten(b, LONG)]);
    expect(away.map((response) => response.status)).toEqual([503, 503]);
    expect(performance.now() - before).toBeLessThan(3_000);
    expect((await fetch(`${a.url}/healthz`)).status).toBe(200);
    await store.restart();
    await until(async () => (await follow(a, code)).status === 302);
    await until(async () => (await follow(b, code)).status === 302);
    expect(await clicksOf(b, code)).toBeGreaterThanOrEqual(2);
  });
});

describe("the example by its config", () => {
  let folder: string;
  let url: string;

  /** The example's own folder, copied, on ports of its own. */
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), "links-shared-"));
    const port = freePort();
    url = `http://127.0.0.1:${port}`;
    cpSync(join(import.meta.dir), folder, { recursive: true, filter: (path) => !path.includes(".tenfold") });
    symlinkSync(join(import.meta.dir, "../../node_modules"), join(folder, "node_modules"));
    const listener = { address: `127.0.0.1:${port}`, protocol: "http", rules: [{ forward: "links" }] };
    const changed = {
      admin: { address: `127.0.0.1:${freePort()}` },
      gateway: { workers: 1 },
      listeners: { web: listener },
      stores: { shared: { url: "embedded:", address: `127.0.0.1:${freePort()}` } },
    };
    writeFileSync(
      join(folder, "tenfold.config.ts"),
      `import config from ${JSON.stringify(join(import.meta.dir, "tenfold.config.ts"))};\n` +
        `export default { ...config, ...${JSON.stringify(changed)} };\n`,
    );
  });
  afterAll(async () => {
    await tenfold(["down"], folder);
    rmSync(folder, { recursive: true, force: true });
  }, 30_000);

  const links = async (): Promise<ServiceStatus | undefined> =>
    (await status(folder)).services.find(({ name }) => name === "links");

  test("three tasks take turns; one is killed under load and no link or click is lost", async () => {
    expect(await tenfold(["up", "--detach"], folder)).toMatchObject({ code: 0 });
    await until(async () => (await links())?.healthy === 3);
    const code = await codeOf(await shorten({ url }, LONG));
    const served = new Set<string | null>();
    for (let turn = 0; turn < 6; turn++) served.add((await follow({ url }, code)).headers.get("x-served-by"));
    expect(served.size).toBe(3);

    const victim = (await links())?.tasks[0]?.pid ?? 0;
    const answers: number[] = [];
    const load = Array.from({ length: 10 }, async () => {
      for (let each = 0; each < 50; each++) answers.push((await follow({ url }, code)).status);
    });
    process.kill(victim, "SIGKILL");
    await Promise.all(load);
    expect(new Set(answers)).toEqual(new Set([302]));
    // A click that its task had counted before it died was asked again of another one.
    const clicks = await clicksOf({ url }, code);
    expect(clicks).toBeGreaterThanOrEqual(506);
    expect(clicks).toBeLessThanOrEqual(516);
    await until(async () => (await links())?.healthy === 3);
  }, 60_000);
});
