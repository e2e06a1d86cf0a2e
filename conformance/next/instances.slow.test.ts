/** Instances of real Next.js apps on one store. Its packages are installed apart: `npm ci --prefix conformance/next`. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { openNextCache } from "../../src/next-cache/io/index.ts";
import { startEmbedded, type TestStore } from "../../src/resp/testing/store-servers.ts";
import { CookieJar } from "../../src/session/testing.ts";
import { build, type Instance, install, isInstalled, type Origin, start, startOrigin } from "./site.ts";

/** The slowest answer while the store is away: its deadline twice, and a rendering on a busy machine. */
const ANSWER_MS_MAX = 5_000;

let origin: Origin;
let store: TestStore;
let env: Record<string, string>;
const instances: Instance[] = [];

async function startNext(...args: Parameters<typeof start>): Promise<Instance> {
  const instance = await start(...args);
  instances.push(instance);
  return instance;
}

/** The number that the origin gave to what a page shows of it. */
const shown = (text: string, path: string): number => Number(new RegExp(`${path}#(\\d+);`).exec(text)?.[1]);

describe.skipIf(!isInstalled)("instances of Next.js (needs npm ci --prefix conformance/next)", () => {
  let one: Instance;
  let other: Instance;
  let components: [Instance, Instance];

  beforeAll(async () => {
    origin = startOrigin();
    store = await startEmbedded();
    env = { ORIGIN: origin.url, STORE: store.url, BUILD_ID: "one" };
    await install();
    // A build goes on without the store, only that it keeps no fetch.
    await Promise.all([build("classic", { ...env, STORE: "redis://127.0.0.1:1" }), build("components", env)]);
    const started = ["classic", "classic", "components", "components"] as const;
    const [first, second, third, fourth] = await Promise.all(started.map((app) => startNext(app, env)));
    one = first ?? expect.unreachable();
    other = second ?? expect.unreachable();
    components = [third ?? expect.unreachable(), fourth ?? expect.unreachable()];
  }, 120_000);

  afterAll(async () => {
    await Promise.all(instances.map((instance) => instance.stop()));
    await store?.stop();
    origin?.stop();
  });

  test("a page that one rendered the other serves without rendering, and one that is started later", async () => {
    const rendered = await one.text("/isr");
    const renderings = origin.count("/isr");
    expect(shown(rendered, "/isr")).toBe(renderings);
    expect(await other.text("/isr")).toBe(rendered);
    expect(await (await startNext("classic", env)).text("/isr")).toBe(rendered);
    expect(origin.count("/isr")).toBe(renderings);
  });

  test("large pages and bytes that are no text are the same from both", async () => {
    const page = await one.text("/large");
    expect(page).toContain("line 39999 äöü 😀");
    expect(await other.text("/large")).toBe(page);
    const rsc = (instance: Instance) => fetch(`${instance.url}/large`, { headers: { rsc: "1" } });
    expect(await (await rsc(other)).text()).toBe(await (await rsc(one)).text());
    const bytes = Uint8Array.from({ length: 100_000 }, (_, index) => (index * 7) % 256);
    for (const instance of [one, other])
      expect(await (await fetch(`${instance.url}/data`)).bytes()).toEqual(bytes);
    expect([origin.count("/large"), origin.count("/data")]).toEqual([2, 2]);
  });

  test("what nothing is kept of is left as it is", async () => {
    const before = origin.count("/dynamic");
    expect(shown(await one.text("/dynamic"), "/dynamic")).toBe(before + 1);
    expect(shown(await other.text("/dynamic"), "/dynamic")).toBe(before + 2);
    for (const instance of [one, other]) {
      expect(await instance.text("/static")).toContain("static");
      expect(await instance.text("/file.txt")).toBe("untouched\n");
    }
  });

  test("a tag or a path that one revalidates is fresh from both, and is rendered once", async () => {
    for (const [path, query] of [
      ["/fetched", "tag=fetched"],
      ["/isr", "path=/isr"],
    ] as const) {
      const before = shown(await one.text(path), path);
      expect(shown(await other.text(path), path)).toBe(before);
      await other.revalidate(query);
      await until(async () => shown(await one.text(path), path) === before + 1);
      expect(shown(await other.text(path), path)).toBe(before + 1);
      expect(origin.count(path)).toBe(before + 1);
    }
  });

  test("a tag that is revalidated softly is served once more, then fresh from both", async () => {
    const before = shown(await one.text("/fetched"), "/fetched");
    await one.revalidate("tag=fetched&profile=max");
    expect(shown(await other.text("/fetched"), "/fetched")).toBe(before);
    await until(async () => shown(await other.text("/fetched"), "/fetched") > before);
    expect(shown(await one.text("/fetched"), "/fetched")).toBeGreaterThan(before);
  });

  test("of 200 requests at once for a page that expired, each instance renders one", async () => {
    const crowd = async (path: string) => {
      const asked = Array.from({ length: 200 }, (_, index) => (index % 2 ? one : other).text(path));
      return new Set((await Promise.all(asked)).map((text) => shown(text, path)));
    };
    await one.text("/isr");
    const before = origin.count("/isr");
    await invalidate("_N_T_/isr");
    for (const number of await crowd("/isr")) expect(number).toBeGreaterThan(before);
    expect(origin.count("/isr") - before).toBeLessThanOrEqual(2);

    await one.text("/short");
    const earlier = origin.count("/short");
    await Bun.sleep(1_100);
    const startedMs = performance.now();
    await crowd("/short");
    // It lives for a second, and may expire again while the crowd is served.
    const lives = 1 + Math.floor((performance.now() - startedMs) / 1000);
    expect(origin.count("/short") - earlier).toBeLessThanOrEqual(2 * lives);
  });

  test("what a cached function gave is shared: maps, dates, bytes and long texts as they were", async () => {
    const [first, second] = components;
    const values = JSON.parse(await first.text("/values"));
    expect(values).toEqual({
      asked: "/values#1;",
      argument: ["1"],
      map: [["key", 0]],
      bytes: Array.from({ length: 256 }, (_, index) => index),
      isWhole: true,
    });
    expect(JSON.parse(await second.text("/values"))).toEqual(values);
    await second.revalidate("tag=values");
    await until(async () => shown(await first.text("/values"), "/values") > 1);
    // It is stored a moment after it was sent.
    await until(async () => (await first.text("/values")) === (await second.text("/values")));
  });

  test("a server action that updates tags shows it in its answer, and the other instance next", async () => {
    const [first, second] = components;
    const page = await first.text("/cached");
    expect(numbers(await second.text("/cached"))).toEqual(numbers(page));
    const answer = await update(first);
    const [shell = 0, remote = 0] = numbers(page);
    expect(answer.status).toBe(200);
    expect(numbers(await answer.text())).toEqual([shell + 1, remote + 1]);
    for (const instance of components) {
      const [newShell = 0, newRemote = 0] = numbers(await instance.text("/cached"));
      expect([newShell > shell, newRemote > remote]).toEqual([true, true]);
    }
    await until(async () => {
      const [a, b] = [await first.text("/cached"), await second.text("/cached")].map(numbers);
      return Bun.deepEquals(a, b);
    });
  });

  test("a session of one instance is one of the other: route handlers, server actions, components", async () => {
    const jar = new CookieJar();
    const asked = async ({ url }: Instance, path: string, body?: FormData) => {
      const headers: Record<string, string> = jar.field === undefined ? {} : { cookie: jar.field };
      const method = body || path.endsWith("visits") ? "POST" : "GET";
      const response = await fetch(url + path, { method, headers, body: body ?? null, redirect: "manual" });
      jar.take(response.headers.getSetCookie());
      return { status: response.status, text: await response.text() };
    };
    const [first, second] = components;
    expect(await asked(first, "/session/visits")).toEqual({ status: 200, text: '{"visits":1}' });
    const guest = jar.field;
    const page = (await asked(second, "/session")).text;
    expect(page).toContain("user=undefined;visits=1;");
    const [signIn, visit, fail] = Array.from(page.matchAll(/name="(\$ACTION_ID_\w+)"/g), ([, name = ""]) => {
      const form = new FormData();
      form.set(name, "");
      return form;
    });
    expect((await asked(second, "/session", signIn)).status).toBe(303);
    expect(jar.field).not.toBe(guest);
    expect((await asked(first, "/session")).text).toContain("user=ann;visits=1;");
    expect((await asked(first, "/session", visit)).text).toContain("user=ann;visits=2;");
    expect((await asked(second, "/session", fail)).status).toBe(500);
    expect((await asked(second, "/session")).text).toContain("user=ann;visits=2;");
    jar.take([`${guest}; Path=/`]);
    expect((await asked(first, "/session")).text).toContain("user=undefined;");
  });

  test("a new deploy renders its own pages, and shares fetches with the old one", async () => {
    const page = await one.text("/fetched");
    const next = await startNext("classic", { ...env, BUILD_ID: "two" });
    const rendered = await next.text("/fetched");
    expect(shown(rendered, "/fetched-page")).toBe(shown(page, "/fetched-page") + 1);
    expect(shown(rendered, "/fetched")).toBe(shown(page, "/fetched"));
    expect(await one.text("/fetched")).toBe(page);
  });

  test("while the store is away pages are rendered; what was invalidated then is so once it is back", async () => {
    const paths = ["/isr", "/fetched", "/large", "/data", "/static"];
    await Promise.all(paths.map((path) => one.text(path)));
    const before = origin.count("/isr");
    await store.kill();
    for (const instance of [one, other]) {
      for (const path of paths) expect((await inTime(instance.text(path))).length).toBeGreaterThan(3);
    }
    expect(shown(await inTime(components[0].text("/cached")), "/remote")).toBe(origin.count("/remote"));
    expect((await inTime(update(components[0]))).status).toBe(500);
    await one.revalidate("path=/isr");
    expect(origin.count("/isr")).toBe(before + 2);

    await store.restart();
    await until(async () => {
      const renderings = origin.count("/isr");
      const text = await other.text("/isr");
      return (await one.text("/isr")) === text && origin.count("/isr") === renderings;
    });
    expect(shown(await one.text("/isr"), "/isr")).toBeGreaterThan(before + 2);
  }, 30_000);

  test("a store that hangs makes pages slower by its deadline", async () => {
    process.kill(store.pid, "SIGSTOP");
    try {
      for (const instance of [one, other])
        expect((await inTime(instance.text("/fetched"))).length).toBeGreaterThan(3);
      for (const instance of components)
        expect((await inTime(instance.text("/cached"))).length).toBeGreaterThan(3);
    } finally {
      process.kill(store.pid, "SIGCONT");
    }
  }, 30_000);
});

/** What the page /cached shows. */
const numbers = (text: string): number[] => [shown(text, "/shell"), shown(text, "/remote")];

/** Presses the button of /cached, as a browser without scripts does. */
async function update({ url, text }: Instance): Promise<Response> {
  action ??= /name="(\$ACTION_ID_\w+)"/.exec(await text("/cached"))?.[1] ?? expect.unreachable();
  const body = new FormData();
  body.set(action, "");
  return fetch(`${url}/cached`, { method: "POST", body });
}
let action: string | undefined;

/** Marks a tag as a further instance would, and resolves when that is done. */
async function invalidate(tag: string): Promise<void> {
  const cache = openNextCache(store.url);
  await cache.mark([tag], { kind: "expire" });
  cache.close();
}

async function inTime<T>(answer: Promise<T>): Promise<T> {
  const startedMs = performance.now();
  const value = await answer;
  expect(performance.now() - startedMs).toBeLessThan(ANSWER_MS_MAX);
  return value;
}

async function until(holds: () => Promise<boolean>): Promise<void> {
  const endMs = performance.now() + 15_000;
  while (!(await holds())) {
    if (performance.now() > endMs) throw new Error("did not happen within 15 s");
    await Bun.sleep(50);
  }
}
