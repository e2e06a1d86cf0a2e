import { describe, expect, test } from "bun:test";
import { seededRandom } from "../base/index.ts";
import { SessionError } from "./errors.ts";
import { createSessions } from "./sessions.ts";
import { memoryStore } from "./stores/memory.ts";
import {
  type AnyFields,
  away,
  CookieJar,
  codeOf,
  copyOf,
  handClock,
  mischievousStore,
  visit,
  world,
} from "./testing.ts";

const MINUTE_MS = 60_000;
const COOKIE = "__Host-session";

describe("while the store is away", () => {
  test("a session is unavailable: no user, no field, and no change is taken", async () => {
    const { sessions, jar } = world();
    await visit(sessions, jar, (session) => session.signIn("ann"));
    const down = createSessions<AnyFields>({ store: away });
    const { session } = await down.open({ cookie: jar.field });
    expect([session.status, session.user, session.names()]).toEqual(["unavailable", undefined, []]);
    expect(await codeOf(() => session.set("a", 1))).toBe("session-store-unavailable");
    expect(await codeOf(() => session.signIn("ann"))).toBe("session-store-unavailable");
    expect(await codeOf(() => down.devices("ann"))).toBe("session-store-unavailable");
    expect(down.stats().unavailable).toBe(1);
  });

  test("a change that was not confirmed is an error, a use that was not written down is none", async () => {
    const { sessions, clock, store, jar } = world();
    await visit(sessions, jar, (session) => session.set("a", 1));
    const half = createSessions<AnyFields>({ store: { ...away, load: (key) => store.load(key) }, clock });
    const open = await half.open({ cookie: jar.field });
    open.session.set("a", 2);
    expect(await codeOf(() => open.commit())).toBe("session-not-saved");
    clock.advance(5 * MINUTE_MS);
    expect(await (await half.open({ cookie: jar.field })).commit()).toEqual([]);
  });

  test("a store that hangs costs the deadline, and after some requests nothing", async () => {
    const hung = createSessions<AnyFields>({
      store: { ...away, load: () => new Promise(() => {}) },
      storeTimeout: "10ms",
    });
    const cookie = `${COOKIE}=${"a".repeat(22)}.${"b".repeat(22)}`;
    for (let times = 0; times < 16; times++) {
      expect((await hung.open({ cookie })).session.status).toBe("unavailable");
    }
    const startedMs = performance.now();
    await hung.open({ cookie });
    expect(performance.now() - startedMs).toBeLessThan(8);
  });

  test("the snapshot can be read, by its own session's cookie alone, until it ends", async () => {
    const snapshot = { keys: { 1: "k".repeat(32) }, fields: ["name"] };
    const { sessions, clock, jar } = world({ snapshot });
    await visit(sessions, jar, (session) => session.signIn("ann"));
    await visit(sessions, jar, (session) => {
      session.set("name", "Ann");
      session.set("other", "x");
    });
    const down = createSessions<AnyFields>({ store: away, clock, snapshot });
    const { session } = await down.open({ cookie: jar.field });
    expect([session.status, session.user, session.names()]).toEqual(["snapshot", "ann", ["name"]]);
    expect(await codeOf(() => session.set("name", "x"))).toBe("session-read-only");

    const bob = new CookieJar();
    await visit(sessions, bob, (other) => other.signIn("bob"));
    const mixed = copyOf(bob);
    mixed.cookies.set(`${COOKIE}-snapshot`, jar.cookies.get(`${COOKIE}-snapshot`) ?? "");
    expect((await down.open({ cookie: mixed.field })).session.status).toBe("unavailable");

    clock.advance(5 * MINUTE_MS + 1);
    expect((await down.open({ cookie: jar.field })).session.status).toBe("unavailable");
    await visit(sessions, jar, (own) => own.signOut());
    expect(jar.field).toBeUndefined();
  });
});

describe("two users", () => {
  test("never see each other's session, in 10,000 requests over a store that delays, overtakes and fails", async () => {
    const random = seededRandom(20260101);
    const clock = handClock();
    const store = mischievousStore(memoryStore(clock), { random, turnsMax: 8, failing: 0.02 });
    const sessions = createSessions<AnyFields>({ store, clock, random, storeTimeout: "10s" });
    const browsers = ["ann", "bob"].map((user) => ({ user, jar: new CookieJar() }));
    let wrong = 0;
    let seen = 0;

    const request = async (browser: (typeof browsers)[number]): Promise<void> => {
      const open = await sessions.open({ cookie: browser.jar.field });
      const { session } = open;
      const { user } = session;
      if (user !== undefined) seen++;
      if (user !== undefined && user !== browser.user) wrong++;
      const owner = session.get("owner");
      if (owner !== undefined && owner !== browser.user) wrong++;
      try {
        const dice = random();
        if (user === undefined || dice < 0.02) await session.signIn(browser.user);
        else if (dice < 0.07) session.rotate();
        else if (dice < 0.08) await session.signOut();
        if (session.user === browser.user) session.set("owner", browser.user);
        browser.jar.take(await open.commit());
      } catch (error) {
        if (!(error instanceof SessionError)) throw error;
      }
      clock.advance(1000);
    };

    for (let round = 0; round < 1000; round++) {
      await Promise.all(Array.from({ length: 10 }, (_, index) => request(browsers[index % 2]!)));
    }
    expect(wrong).toBe(0);
    expect(seen).toBeGreaterThan(5000);
  }, 60_000);
});
