// Every door that an app imports, on the Node.js that runs this file: against a store at STORE, over real sockets.
// oxlint-disable typescript/no-floating-promises -- node:test waits for its tests by itself
import assert from "node:assert/strict";
import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, test } from "node:test";
import express from "express";
import { cacheAside, createCache, readThrough, writeBehind, writeThrough } from "tenfold/cache";
import { cacheQueries } from "tenfold/cache/query";
import { defineConfig, parseConfig } from "tenfold/config";
import { openDatabase } from "tenfold/db";
import { cacheControl, parseEtag, sendCached } from "tenfold/http-cache";
import { nextCacheHandler, openNextCache } from "tenfold/next";
import { erlangC, mmc, parseDesign, simulate } from "tenfold/planner";
import { batch, job, openOutbox, openQueue } from "tenfold/queue";
import { RespClient } from "tenfold/resp";
import { createSessions, expressSessions, openSessionStore, sessionOf } from "tenfold/session";

const store = process.env.STORE;
const closing = [];
after(async () => {
  for (const close of closing.toReversed()) await close();
});
const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

/** A cache of its own process, as far as the store can tell. */
const cacheOn = (name) => {
  const cache = createCache({ name, store, deadline: "2s" });
  closing.push(() => cache.close());
  return cache;
};

/** A source in memory that counts. */
const sourceOf = (rows) => {
  const calls = { load: 0, store: 0 };
  const load = (key) => (calls.load++, rows.get(key));
  return { calls, load, store: (key, value) => (calls.store++, void rows.set(key, value)) };
};

describe("tenfold/cache", () => {
  test("a hundred who miss at once in two caches cause one load", async () => {
    const [one, other] = [cacheOn("herd"), cacheOn("herd")];
    let loads = 0;
    const load = async () => (await pause(400), ++loads);
    const asked = Array.from({ length: 100 }, (_, at) => [one, other][at % 2].getOrSet("k", load));
    assert.deepEqual([...new Set(await Promise.all(asked))], [1]);
  });

  for (const [way, input] of Object.entries({
    keys: { keys: ["k"] },
    tags: { tags: ["t"] },
    prefix: { prefix: "k" },
    all: { all: true },
  })) {
    test(`an invalidation by ${way} reaches the store and the memory of the others, and voids a load`, async () => {
      const [one, other] = [cacheOn(`inv-${way}`), cacheOn(`inv-${way}`)];
      const get = (cache, value) => cache.getOrSet("k", () => value, { tags: ["t"] });
      assert.deepEqual([await get(one, "old"), await get(other, "unseen")], ["old", "old"]);
      const [begun, finished] = [Promise.withResolvers(), Promise.withResolvers()];
      const load = () => (begun.resolve(), finished.promise);
      const late = one.getOrSet("k2", load, { tags: ["t"] });
      await begun.promise;
      assert.equal(
        await other.invalidate({ ...input, ...(input.keys && { keys: ["k", "k2"] }) }),
        "everywhere",
      );
      finished.resolve("old");
      assert.equal(await late, "old");
      for (let waits = 0; (await one.get("k")) !== undefined && waits < 200; waits++) await pause(10);
      assert.deepEqual([await get(one, "new"), await get(other, "newer")], ["new", "new"]);
      assert.equal(await other.get("k2"), undefined);
    });
  }

  test("the four strategies keep what their sources have", async () => {
    const rows = new Map([["1", "one"]]);
    const source = sourceOf(rows);
    const aside = cacheAside(cacheOn("aside"), source, { prefix: "a:" });
    assert.equal(await aside.get("1"), "one");
    await aside.set("1", "two");
    assert.deepEqual([await aside.get("1"), rows.get("1")], ["two", "two"]);
    const through = writeThrough(cacheOn("through"), source, { prefix: "t:" });
    await through.set("1", "three");
    const loads = source.calls.load;
    assert.deepEqual([await through.get("1"), rows.get("1"), source.calls.load], ["three", "three", loads]);
    assert.equal(await readThrough(cacheOn("read"), source, { prefix: "r:" }).get("1"), "three");
    const log = join(mkdtempSync(join(tmpdir(), "tenfold-node-")), "writes.log");
    const behind = await writeBehind(cacheOn("behind"), source, { prefix: "b:", log });
    for (let n = 0; n < 100; n++) await behind.set("1", `w${n}`);
    assert.equal(await behind.get("1"), "w99");
    await behind.close();
    assert.equal(rows.get("1"), "w99");
  });

  test("a server that is not there costs the deadline, and values are loaded", async () => {
    const cache = createCache({ store: "redis://127.0.0.1:1" });
    assert.equal(await cache.getOrSet("k", () => "v"), "v");
    assert.equal(await cache.delete("k"), "here");
    await cache.close();
  });
});

test("tenfold/session: sign-in, counters at once and sign-out in Express, over HTTP", async () => {
  const sessionStore = openSessionStore(store);
  closing.push(() => sessionStore.close());
  const sessions = createSessions({ store: sessionStore, development: true });
  const app = express();
  app.use(expressSessions(sessions));
  app.get("/in", (request, response, next) => {
    const signedIn = sessionOf(request).signIn("ann", () => true);
    signedIn.then((isIn) => response.json(isIn)).catch(next);
  });
  app.get("/count", (request, response) => {
    const session = sessionOf(request);
    session.increment("visits");
    response.json({ user: session.user ?? null, visits: session.get("visits") });
  });
  const server = app.listen(0, "127.0.0.1");
  await new Promise((resolve) => server.once("listening", resolve));
  closing.push(() => new Promise((resolve) => server.close(resolve)));
  const base = `http://localhost:${server.address().port}`;
  let cookie = "";
  const ask = async (path) => {
    const response = await fetch(base.replace("localhost", "127.0.0.1") + path, { headers: { cookie } });
    const [given] = response.headers.getSetCookie();
    if (given !== undefined) cookie = given.split(";")[0];
    return response.json();
  };
  assert.equal(await ask("/in"), true);
  await Promise.all(Array.from({ length: 20 }, () => ask("/count")));
  assert.deepEqual(await ask("/count"), { user: "ann", visits: 21 });
  assert.equal((await sessions.devices("ann")).length, 1);
  assert.equal(await sessions.revokeAll("ann"), 1);
  assert.equal((await ask("/count")).user, null);
});

test("tenfold/http-cache: directives, tags and a 304 over HTTP", async () => {
  assert.equal(cacheControl({ store: "public", maxAge: "1m" }), "public, max-age=60");
  assert.equal(typeof parseEtag('"a"'), "object");
  const app = express();
  app.get("/", (request, response) =>
    sendCached(request, response, "same", { cache: { store: "private", noCache: true } }),
  );
  const server = app.listen(0, "127.0.0.1");
  await new Promise((resolve) => server.once("listening", resolve));
  closing.push(() => new Promise((resolve) => server.close(resolve)));
  const url = `http://127.0.0.1:${server.address().port}/`;
  const etag = (await fetch(url)).headers.get("etag");
  assert.equal((await fetch(url, { headers: { "if-none-match": etag } })).status, 304);
});

test("tenfold/next: a page is kept in the store, and its tag ends it everywhere", async () => {
  const backend = openNextCache(store);
  closing.push(() => backend.close());
  const Handler = nextCacheHandler({ backend, buildId: "b" });
  const [one, other] = [new Handler(), new Handler()];
  await one.set("/page", { kind: "PAGES", html: "kept", headers: { "x-next-cache-tags": "t" } });
  assert.equal((await other.get("/page")).value.html, "kept");
  await one.revalidateTag("t");
  assert.equal(await other.get("/page"), null);
});

test("tenfold/planner: textbook values, and a simulation of production's balancers", () => {
  // Erlang C of 2 servers at a load of 1 is 1/3; M/M/1 at half its capacity waits as long as it serves.
  assert.ok(Math.abs(erlangC(2, 1) - 1 / 3) < 1e-12);
  assert.ok(Math.abs(mmc({ rateRps: 50, serviceMs: 10, servers: 1 }).waitMs - 10) < 1e-9);
  const design = parseDesign({
    clients: { all: { to: "web", rate: "100/s" } },
    nodes: { web: { kind: "gateway", to: "app" }, app: { kind: "service", tasks: 3, time: "10ms" } },
    run: { duration: "5s" },
  });
  assert.equal(simulate(design.value).total.errorShare, 0);
});

test("tenfold/config: a mistake is named with how to mend it", () => {
  const outcome = parseConfig(defineConfig({ lisseners: {} }), { folder: "/", cores: 2 });
  assert.match(outcome.problems[0].mend, /listeners/);
});

test("tenfold/resp and tenfold/cache/query: a client of the store, and a query that cannot be cached", async () => {
  const client = new RespClient({ url: store });
  closing.push(() => client.close());
  assert.equal(await client.call(["SET", "node", "22"]), "OK");
  assert.equal(Buffer.from(await client.call(["GET", "node"])).toString(), "22");
  const db = cacheQueries({ query: () => Promise.reject(new Error("no database")) }, { store: client });
  assert.equal((await db.queryCache.explain("SELECT 1")).reason, "no-tables");
});

test("tenfold/db and tenfold/queue: tokens, transactions, jobs, the outbox on Postgres", {
  skip: !process.env.DATABASE,
}, async () => {
  const url = process.env.DATABASE;
  const db = await openDatabase({ url, replicas: [url] });
  await db.query("CREATE TABLE node (n int)");
  await db.transaction((client) => client.query("INSERT INTO node VALUES (22)"));
  assert.deepEqual((await db.query("SELECT n FROM node")).rows, [{ n: 22 }]);
  assert.match(await db.token(), /^0\/[0-9A-F]+$/);
  assert.equal(db.stats().routed.reads, 1);

  const queue = await openQueue({ url, jobs: { count: job() }, poll: "20ms", signals: [] });
  const outbox = await openOutbox({ url });
  const seen = [];
  queue.work("count", {}, ({ data }) => seen.push(`job ${data.n}`));
  outbox.relay({ t: ({ key, payload }) => seen.push(`${key} ${payload}`) }, { poll: "20ms" });
  await db.transaction(async (client) => {
    await queue.send("count", { n: 1 }, { tx: client });
    await outbox.add(client, { topic: "t", key: "event", payload: 2 });
  });
  for (let waits = 0; seen.length < 2 && waits < 500; waits++) await pause(10);
  assert.deepEqual(new Set(seen), new Set(["event 2", "job 1"]));
  await Promise.all([queue.close(), outbox.close(), db.end()]);

  const doubled = batch(async (items) => items.map((item) => item * 2), { maxWaitMs: 1 });
  assert.deepEqual(await Promise.all([doubled(1), doubled(2)]), [2, 4]);
});
