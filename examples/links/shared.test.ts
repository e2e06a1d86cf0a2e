/** Copies of examples/links on one store, each asked by itself. */
import { afterAll, afterEach, beforeAll, describe, expect, test } from "bun:test";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { until } from "../../src/cli/testing/app-folder.ts";
import { startEmbedded, type TestStore } from "../../src/resp/testing/store-servers.ts";
import { Copies, type Copy, FeedReader, type Link, Visitor } from "./testing.ts";

/** The answer of a copy whose store is away or hangs comes within this: two looks that each give up, and the machine's noise. */
const PATIENCE_MS = 3000;

const copies = new Copies();
const feeds: FeedReader[] = [];
let store: TestStore;

beforeAll(async () => {
  store = await startEmbedded();
});
afterEach(async () => {
  for (const feed of feeds.splice(0)) feed.close();
  await copies.kill();
});
afterAll(async () => {
  await copies.remove();
  await store.stop();
});

const start = (env: Readonly<Record<string, string>> = {}): Promise<Copy> =>
  copies.start({ TENFOLD_STORE_SHARED_URL: store.url, ...env });

async function listen(site: string): Promise<FeedReader> {
  const feed = new FeedReader(site);
  feeds.push(feed);
  await feed.open();
  return feed;
}

/** Loaded before a copy: it draws the codes 0, 1, 2 … and so the same as the other. */
const SAME_CODES = `
import crypto from "node:crypto";
import { syncBuiltinESMExports } from "node:module";
const draw = crypto.randomBytes;
let drawn = 0;
crypto.randomBytes = (size) => (size === 5 ? Buffer.from([0, 0, 0, 0, drawn++]) : draw(size));
syncBuiltinESMExports();
`;

describe("copies on one store", () => {
  test("a link made at one is followed at another, and the click is told live at both", async () => {
    const [a, b] = [await start(), await start()];
    const readers = [await listen(a.url), await listen(b.url)];
    const visitor = new Visitor();
    const { code } = await visitor.make(a.url, "https://example.com/long");
    const { status, headers } = await visitor.ask(`${b.url}/${code}`);
    expect([status, headers.get("location")]).toEqual([302, "https://example.com/long"]);
    await until(() => readers.every(({ clicks }) => clicks.get(code) === 1));
    expect(await visitor.mine(b.url)).toEqual([code]);
    expect(a.said).toContain("in the shared store");
  });

  test("no code is given twice, even when both draw the same", async () => {
    const module = join(copies.folder, "same-codes.js");
    writeFileSync(module, SAME_CODES);
    const env = { NODE_OPTIONS: `--import=${module}` };
    const both = [await start(env), await start(env)];
    const urls = Array.from({ length: 40 }, (_, index) => `https://example.com/${index}`);
    const made = await Promise.all(urls.map((url, index) => new Visitor().make(both[index % 2]!.url, url)));
    expect(new Set(made.map(({ code }) => code)).size).toBe(40);
    const read = made.map(({ code }) => new Visitor().read<Link>(`${both[0]!.url}/api/links/${code}`));
    expect((await Promise.all(read)).map(({ url }) => url)).toEqual(urls);
  });

  test("links that one visitor makes at once, at two copies, are all theirs", async () => {
    const [a, b] = [await start(), await start()];
    const visitor = new Visitor();
    const first = await visitor.make(a.url, "https://example.com/first");
    const made = await Promise.all(
      Array.from({ length: 10 }, (_, index) =>
        visitor.make((index % 2 === 0 ? a : b).url, `https://example.com/${index}`),
      ),
    );
    const codes = [first, ...made].map(({ code }) => code);
    expect((await visitor.mine(a.url)).toSorted()).toEqual(codes.toSorted());
  });

  test("no more links are listed than the page shows, the newest first", async () => {
    const [task, visitor] = [await start(), new Visitor()];
    const codes: string[] = [];
    for (let made = 0; made < 22; made++)
      codes.unshift((await visitor.make(task.url, "https://e.example/")).code);
    const recent = await visitor.read<Link[]>(`${task.url}/api/links`);
    expect(recent.map(({ code }) => code)).toEqual(codes.slice(0, 20));
    expect(await visitor.mine(task.url)).toEqual(codes.slice(0, 20));
  });
});

/** How a store goes away, and comes back. */
const OUTAGES: readonly { how: string; away: () => unknown; back: () => unknown }[] = [
  { how: "is killed", away: () => store.kill(), back: () => store.restart() },
  {
    how: "hangs",
    away: () => process.kill(store.pid, "SIGSTOP"),
    back: () => process.kill(store.pid, "SIGCONT"),
  },
];

describe.each(OUTAGES)("when the store $how", ({ away, back }) => {
  test("what needs it answers 503 soon and the rest goes on; afterwards all is there, and told live", async () => {
    const [a, b] = [await start(), await start()];
    const feed = await listen(a.url);
    const visitor = new Visitor();
    const { code } = await visitor.make(a.url, "https://example.com/kept");
    await away();

    const askedMs = performance.now();
    const refused = await Promise.all([
      ...[`${a.url}/${code}`, `${a.url}/api/links`, `${b.url}/api/mine`].map((url) => visitor.ask(url)),
      visitor.shorten(b.url, "https://example.com/lost"),
    ]);
    expect(refused.map(({ status }) => status)).toEqual([503, 503, 503, 503]);
    expect(performance.now() - askedMs).toBeLessThan(PATIENCE_MS);
    for (const answer of refused) {
      expect(answer.headers.get("retry-after")).toMatch(/^\d+$/);
      expect(JSON.stringify(await answer.json())).toContain("store");
    }
    expect((await fetch(a.url)).status).toBe(200);
    expect((await fetch(`${a.url}/healthz`)).status).toBe(200);

    await back();
    await until(async () => (await visitor.ask(`${b.url}/${code}`)).status === 302);
    await until(async () => (await visitor.ask(`${a.url}/api/mine`)).status === 200);
    expect(await visitor.mine(a.url)).toEqual([code]);
    const { clicks } = await visitor.read<Link>(`${b.url}/api/links/${code}`);
    await until(() => (feed.clicks.get(code) ?? 0) >= clicks);
    await visitor.ask(`${b.url}/${code}`);
    await until(() => feed.clicks.get(code) === clicks + 1);
    expect(feed.connected).toBe(1);
  });
});
