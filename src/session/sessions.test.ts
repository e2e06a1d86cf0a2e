import { describe, expect, test } from "bun:test";
import { seededRandom } from "../base/index.ts";
import { SessionError } from "./errors.ts";
import type { SessionOptions } from "./options.ts";
import { createSessions, type Sessions } from "./sessions.ts";
import type { SessionStore } from "./store.ts";
import { type MemoryStore, memoryStore } from "./stores/memory.ts";
import { type AnyFields, CookieJar, type HandClock, handClock, mischievousStore, visit } from "./testing.ts";

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const COOKIE = "__Host-session";

interface World {
  readonly clock: HandClock;
  readonly store: MemoryStore;
  readonly sessions: Sessions<AnyFields>;
  readonly jar: CookieJar;
}

function world(options: Partial<SessionOptions> = {}): World {
  const clock = handClock();
  const store = memoryStore(clock);
  const sessions = createSessions<AnyFields>({ store, clock, random: seededRandom(1), ...options });
  return { clock, store, sessions, jar: new CookieJar() };
}

/** The same browser as it was: a copy of its cookies. */
function copyOf(jar: CookieJar): CookieJar {
  const copy = new CookieJar();
  for (const [name, value] of jar.cookies) copy.cookies.set(name, value);
  return copy;
}

const statusOf = (sessions: Sessions<AnyFields>, jar: CookieJar) =>
  visit(sessions, jar, (session) => session.status);

/** A store that does nothing but fail. */
const away: SessionStore = {
  load: () => Promise.reject(new Error("away")),
  create: () => Promise.reject(new Error("away")),
  patch: () => Promise.reject(new Error("away")),
  remove: () => Promise.reject(new Error("away")),
  link: () => Promise.reject(new Error("away")),
  unlink: () => Promise.reject(new Error("away")),
  linked: () => Promise.reject(new Error("away")),
};

const codeOf = async (run: () => unknown): Promise<unknown> => {
  try {
    await run();
    return undefined;
  } catch (error) {
    return error instanceof SessionError ? error.code : error;
  }
};

describe("a session", () => {
  test("begins with the first field, and costs nothing before", async () => {
    const { sessions, store, jar } = world();
    await visit(sessions, jar, (session) => session.get("cart"));
    expect([store.size(), jar.field]).toEqual([0, undefined]);
    await visit(sessions, jar, (session) => session.set("cart", ["apple"]));
    expect(store.size()).toBe(1);
    expect(await visit(sessions, jar, (session) => session.get("cart"))).toEqual(["apple"]);
  });

  test("its cookie can be had by https alone, by no script, and by no other site's form", async () => {
    const { sessions } = world();
    const open = await sessions.open({ cookie: undefined });
    open.session.set("a", 1);
    const [field] = await open.commit();
    expect(field).toMatch(/^__Host-session=[\w-]{22}\.[\w-]{22}; Path=\/; Secure; HttpOnly; SameSite=Lax$/);
  });

  test("the store has no secret that a cookie holds", async () => {
    const { sessions, store, jar } = world();
    await visit(sessions, jar, (session) => session.signIn("ann"));
    const [handle = "", secret = ""] = jar.cookies.get(COOKIE)?.split(".") ?? [];
    const record = await store.load(handle);
    expect(JSON.stringify([...(record?.fields ?? [])])).not.toContain(secret);
  });

  test("fields that two requests change at once are both kept", async () => {
    const { sessions, jar } = world();
    await visit(sessions, jar, (session) => session.set("a", 0));
    const [one, other] = await Promise.all([
      sessions.open({ cookie: jar.field }),
      sessions.open({ cookie: jar.field }),
    ]);
    one.session.set("a", 1);
    one.session.increment("n", 2);
    other.session.set("b", 2);
    other.session.increment("n", 3);
    other.session.setIfAbsent("first", "other");
    one.session.setIfAbsent("first", "one");
    await other.commit();
    await one.commit();
    expect(one.session.get("first")).toBe("other");
    const all = await visit(sessions, jar, (session) =>
      Object.fromEntries(session.names().map((name) => [name, session.get(name)])),
    );
    expect(all).toEqual({ a: 1, b: 2, n: 5, first: "other" });
  });

  test("an update of a list loses no item, however many requests add one", async () => {
    const { sessions, jar } = world();
    await visit(sessions, jar, (session) => session.set("list", []));
    const add = (item: number) =>
      visit(sessions, jar, (session) =>
        session.update("list", (list) => [...((list as number[] | undefined) ?? []), item]),
      );
    await Promise.all(Array.from({ length: 20 }, (_, item) => add(item)));
    const list = await visit(sessions, jar, (session) => session.get("list"));
    expect((list as number[]).toSorted((one, other) => one - other)).toEqual([
      ...Array.from({ length: 20 }).keys(),
    ]);
  });

  test("a value that is changed in place throws instead of being lost", async () => {
    const { sessions, jar } = world();
    await visit(sessions, jar, (session) => session.set("cart", { items: [1] }));
    await visit(sessions, jar, (session) => {
      const cart = session.get("cart") as { items: number[] };
      expect(() => cart.items.push(2)).toThrow(TypeError);
    });
  });

  test("what cannot be stored is refused when it is set", async () => {
    const { sessions, jar } = world();
    const circular: unknown[] = [];
    circular.push(circular);
    await visit(sessions, jar, async (session) => {
      expect(await codeOf(() => session.set("a", circular))).toBe("session-field-refused");
      expect(await codeOf(() => session.set("a", 1n))).toBe("session-field-refused");
      expect(await codeOf(() => session.set("a", "x".repeat(70_000)))).toBe("session-field-refused");
      expect(await codeOf(() => session.set("", 1))).toBe("session-field-refused");
      session.set("text", "x");
      expect(await codeOf(() => session.increment("text"))).toBe("session-not-a-number");
      for (let index = 1; index < 512; index++) session.set(`f${index}`, index);
      expect(await codeOf(() => session.set("one more", 1))).toBe("session-field-refused");
    });
  });

  test("an increment of what another request has made a text says so, and saves the rest", async () => {
    const { sessions, jar } = world();
    await visit(sessions, jar, (session) => session.set("n", 1));
    const open = await sessions.open({ cookie: jar.field });
    await visit(sessions, jar, (session) => session.set("n", "text"));
    open.session.increment("n");
    open.session.set("other", 1);
    expect(await codeOf(() => open.commit())).toBe("session-not-a-number");
    expect(await visit(sessions, jar, (session) => [session.get("n"), session.get("other")])).toEqual([
      "text",
      1,
    ]);
  });

  test("names that mean something to JavaScript are ordinary fields", async () => {
    const { sessions, jar } = world();
    const names = ["__proto__", "constructor", ":user", "#x", "toString"];
    await visit(sessions, jar, (session) => names.forEach((name) => session.set(name, name)));
    await visit(sessions, jar, (session) => {
      expect(names.map((name) => session.get(name))).toEqual(names);
      expect(session.user).toBeUndefined();
    });
  });
});

describe("the time of a session", () => {
  test("idle: it lives on while it is used, and ends when it is not", async () => {
    const { sessions, clock, jar } = world();
    await visit(sessions, jar, (session) => session.set("a", 1));
    for (let minutes = 0; minutes < 120; minutes += 29) {
      clock.advance(29 * MINUTE_MS);
      expect(await statusOf(sessions, jar)).toBe("active");
    }
    clock.advance(32 * MINUTE_MS);
    expect(await statusOf(sessions, jar)).toBe("new");
  });

  test("absolute: it ends at its hour, however much it is used", async () => {
    const { sessions, clock, jar } = world();
    await visit(sessions, jar, (session) => session.set("a", 1));
    for (let quarters = 0; quarters < 31; quarters++) {
      clock.advance(15 * MINUTE_MS);
      expect(await statusOf(sessions, jar)).toBe("active");
    }
    clock.advance(15 * MINUTE_MS);
    expect(await statusOf(sessions, jar)).toBe("new");
  });

  test("a use is written down at most once a minute, and rewrites no field", async () => {
    const { clock, jar } = world();
    const patches: unknown[] = [];
    const inner = memoryStore(clock);
    const store = {
      ...inner,
      patch: (key: string, patch: Parameters<SessionStore["patch"]>[1]) => {
        patches.push([...(patch.set?.keys() ?? [])]);
        return inner.patch(key, patch);
      },
    };
    const sessions = createSessions<AnyFields>({ store, clock });
    await visit(sessions, jar, (session) => session.set("a", 1));
    for (let seconds = 0; seconds < 180; seconds += 10) {
      clock.advance(10_000);
      await visit(sessions, jar, (session) => session.get("a"));
    }
    expect(patches).toEqual([[":seen"], [":seen"], [":seen"]]);
  });

  test("a clock that is set back or forward signs nobody out for good, and keeps nobody in", async () => {
    const { sessions, clock, jar } = world();
    await visit(sessions, jar, (session) => session.set("a", 1));
    clock.setBack(24 * HOUR_MS);
    expect(await statusOf(sessions, jar)).toBe("active");
    clock.setBack(-48 * HOUR_MS);
    expect(await statusOf(sessions, jar)).toBe("new");
    clock.setBack(24 * HOUR_MS);
    expect(await statusOf(sessions, jar)).toBe("active");
    clock.setBack(24 * HOUR_MS);
    clock.advance(32 * MINUTE_MS);
    expect(await statusOf(sessions, jar)).toBe("new");
  });
});

describe("a cookie that is not right opens nothing", () => {
  test("tampered with at any character, cut at any length, or foreign", async () => {
    const { sessions, jar } = world();
    await visit(sessions, jar, (session) => session.signIn("ann"));
    const value = jar.cookies.get(COOKIE) ?? "";
    const wrong = [
      ...Array.from(
        value,
        (character, at) => value.slice(0, at) + (character === "A" ? "B" : "A") + value.slice(at + 1),
      ),
      ...Array.from(value, (_, length) => value.slice(0, length)),
      `${value}A`,
      `"${value}`,
      "A".repeat(10_000),
      value.split(".").toReversed().join("."),
    ];
    for (const text of wrong) {
      const open = await sessions.open({ cookie: `${COOKIE}=${text}` });
      expect([open.session.status, open.session.user]).toEqual(["new", undefined]);
    }
    expect(sessions.stats().refused.malformed).toBeGreaterThan(0);
    expect(sessions.stats().refused["wrong-secret"]).toBe(22);
  });

  test("one user's handle with another's secret", async () => {
    const { sessions } = world();
    const [ann, bob] = [new CookieJar(), new CookieJar()];
    await visit(sessions, ann, (session) => session.signIn("ann"));
    await visit(sessions, bob, (session) => session.signIn("bob"));
    const [handle] = ann.cookies.get(COOKIE)?.split(".") ?? [];
    const [, secret] = bob.cookies.get(COOKIE)?.split(".") ?? [];
    const open = await sessions.open({ cookie: `${COOKIE}=${handle}.${secret}` });
    expect([open.session.status, open.session.user]).toEqual(["new", undefined]);
  });
});

describe("a rotation", () => {
  test("gives a new cookie, and the old one works for ten seconds more", async () => {
    const { sessions, clock, jar } = world();
    await visit(sessions, jar, (session) => session.signIn("ann"));
    const old = copyOf(jar);
    await visit(sessions, jar, (session) => session.rotate());
    expect(jar.field).not.toBe(old.field);
    clock.advance(9000);
    await visit(sessions, old, (session) => {
      expect([session.status, session.user]).toEqual(["grace", "ann"]);
      session.set("late", true);
      session.rotate();
    });
    expect(await visit(sessions, jar, (session) => session.get("late"))).toBe(true);
    clock.advance(1001);
    expect(await statusOf(sessions, old)).toBe("new");
    expect(sessions.stats().refused.rotated).toBe(1);
    expect(await statusOf(sessions, jar)).toBe("active");
  });

  test("of requests that rotate at once, whichever cookie the browser ends with works", async () => {
    const { sessions, clock, jar } = world();
    await visit(sessions, jar, (session) => session.signIn("ann"));
    const opened = await Promise.all(Array.from({ length: 6 }, () => sessions.open({ cookie: jar.field })));
    for (const { session } of opened) session.rotate();
    const issued = await Promise.all(opened.map((open) => open.commit()));
    clock.advance(MINUTE_MS);
    for (const fields of issued) {
      const browser = copyOf(jar);
      browser.take(fields);
      expect(await visit(sessions, browser, (session) => [session.status, session.user])).toEqual([
        "active",
        "ann",
      ]);
    }
  });

  test("rotating with every request leaves no trail", async () => {
    const { sessions, store, jar } = world();
    await visit(sessions, jar, (session) => session.signIn("ann"));
    for (let times = 0; times < 50; times++) await visit(sessions, jar, (session) => session.rotate());
    const [handle = ""] = jar.cookies.get(COOKIE)?.split(".") ?? [];
    const secrets = [...((await store.load(handle))?.fields.keys() ?? [])].filter((name) =>
      name.startsWith("#"),
    );
    expect(secrets.length).toBeLessThanOrEqual(9);
  });

  test("a clock that is set back does not lengthen the grace", async () => {
    const { sessions, clock, jar } = world();
    await visit(sessions, jar, (session) => session.signIn("ann"));
    const old = copyOf(jar);
    clock.advance(MINUTE_MS);
    await visit(sessions, jar, (session) => session.rotate());
    clock.setBack(30_000);
    expect(await statusOf(sessions, old)).toBe("new");
  });

  test("after the head of the response it is refused, and so is a new session", async () => {
    const { sessions, jar } = world();
    const fresh = await sessions.open({ cookie: undefined });
    await fresh.commit();
    fresh.session.set("a", 1);
    expect(await codeOf(() => fresh.session.save())).toBe("session-headers-sent");
    await visit(sessions, jar, (session) => session.set("a", 1));
    const open = await sessions.open({ cookie: jar.field });
    await open.commit();
    expect(await codeOf(() => open.session.rotate())).toBe("session-headers-sent");
    expect(await codeOf(() => open.session.signIn("ann"))).toBe("session-headers-sent");
    open.session.set("b", 2);
    expect(await open.commit()).toEqual([]);
    expect(await visit(sessions, jar, (session) => session.get("b"))).toBe(2);
  });
});

describe("signing in", () => {
  test("keeps the guest's fields, under a new cookie, and the old cookie never sees the user", async () => {
    const { sessions, clock, jar } = world();
    await visit(sessions, jar, (session) => session.set("cart", [1]));
    const planted = copyOf(jar);
    await visit(sessions, jar, (session) => session.signIn("ann"));
    expect(await visit(sessions, jar, (session) => [session.user, session.get("cart")])).toEqual([
      "ann",
      [1],
    ]);
    await visit(sessions, planted, (session) => {
      expect([session.status, session.user]).toEqual(["grace", undefined]);
      session.rotate();
    });
    clock.advance(10_001);
    expect(await statusOf(sessions, planted)).toBe("new");
  });

  test("a cookie that a guest rotated during the sign-in never sees the user either", async () => {
    const { sessions, clock, jar } = world();
    await visit(sessions, jar, (session) => session.set("a", 1));
    const planted = copyOf(jar);
    const rotating = await sessions.open({ cookie: planted.field });
    await visit(sessions, jar, (session) => session.signIn("ann"));
    rotating.session.rotate();
    planted.take(await rotating.commit());
    expect(await visit(sessions, planted, (session) => session.user)).toBeUndefined();
    clock.advance(10_001);
    expect(await statusOf(sessions, planted)).toBe("new");
    expect(await visit(sessions, jar, (session) => session.user)).toBe("ann");
  });

  test("two users who sign in by one guest's cookie at once get two sessions", async () => {
    const { sessions, jar } = world();
    await visit(sessions, jar, (session) => session.set("cart", [1]));
    const [one, other] = await Promise.all([
      sessions.open({ cookie: jar.field }),
      sessions.open({ cookie: jar.field }),
    ]);
    await Promise.all([one.session.signIn("ann"), other.session.signIn("bob")]);
    const [ann, bob] = [copyOf(jar), copyOf(jar)];
    ann.take(await one.commit());
    bob.take(await other.commit());
    const seen = await Promise.all(
      [ann, bob].map((each) => visit(sessions, each, (session) => [session.user, session.handle])),
    );
    expect(seen.map(([user]) => user)).toEqual(["ann", "bob"]);
    expect(new Set(seen.map(([, handle]) => handle)).size).toBe(2);
  });

  test("a double click signs in twice, and either cookie works", async () => {
    const { sessions, clock, jar } = world();
    await visit(sessions, jar, (session) => session.set("cart", [1]));
    const first = await sessions.open({ cookie: jar.field });
    const second = await sessions.open({ cookie: jar.field });
    await first.session.signIn("ann");
    await second.session.signIn("ann");
    const late = await sessions.open({ cookie: jar.field });
    await late.session.signIn("ann");
    for (const open of [first, second, late]) {
      const browser = copyOf(jar);
      browser.take(await open.commit());
      expect(await visit(sessions, browser, (session) => [session.user, session.get("cart")])).toEqual([
        "ann",
        [1],
      ]);
    }
    clock.advance(MINUTE_MS);
    expect(await sessions.devices("ann")).toHaveLength(1);
  });

  test("another user begins afresh, and the former is signed out", async () => {
    const { sessions, jar } = world();
    await visit(sessions, jar, (session) => session.signIn("ann"));
    await visit(sessions, jar, (session) => session.set("secret", "ann's"));
    const old = copyOf(jar);
    await visit(sessions, jar, (session) => session.signIn("bob"));
    expect(await visit(sessions, jar, (session) => [session.user, session.names()])).toEqual(["bob", []]);
    expect(await statusOf(sessions, old)).toBe("new");
    expect(await sessions.devices("ann")).toEqual([]);
  });

  test("signing out ends the session everywhere, and a copy of the cookie with it", async () => {
    const { sessions, store, jar } = world();
    await visit(sessions, jar, (session) => session.signIn("ann"));
    const copy = copyOf(jar);
    const inFlight = await sessions.open({ cookie: copy.field });
    await visit(sessions, jar, (session) => session.signOut());
    inFlight.session.set("late", 1);
    expect(await inFlight.commit()).toEqual([]);
    expect([jar.field, store.size(), await statusOf(sessions, copy)]).toEqual([undefined, 0, "new"]);
    expect(await sessions.devices("ann")).toEqual([]);
  });
});

describe("a user's devices", () => {
  test("are listed with when, what and where from, the last used first", async () => {
    const { sessions, clock } = world();
    const [laptop, phone] = [new CookieJar(), new CookieJar()];
    const at = clock.wallMs();
    await visit(sessions, laptop, (session) => session.signIn("ann"), {
      userAgent: "Firefox",
      address: "203.0.113.77",
    });
    clock.advance(5 * MINUTE_MS);
    await visit(sessions, phone, (session) => session.signIn("ann"), {
      userAgent: "x".repeat(1000),
      address: "2001:db8:1:2::3",
    });
    const handle = await visit(sessions, phone, (session) => session.handle ?? "");
    expect(await sessions.devices("ann")).toEqual([
      {
        handle,
        createdMs: at + 5 * MINUTE_MS,
        seenMs: at + 5 * MINUTE_MS,
        userAgent: "x".repeat(256),
        address: "2001:db8:1::/48",
      },
      {
        handle: expect.any(String),
        createdMs: at,
        seenMs: at,
        userAgent: "Firefox",
        address: "203.0.113.0/24",
      },
    ]);
  });

  test("one is ended by its own user alone; all are ended but the one that asks", async () => {
    const { sessions } = world();
    const jars = Array.from({ length: 3 }, () => new CookieJar());
    for (const jar of jars) await visit(sessions, jar, (session) => session.signIn("ann"));
    const [first = new CookieJar(), second = new CookieJar(), third = new CookieJar()] = jars;
    const handle = await visit(sessions, first, (session) => session.handle ?? "");
    expect(await sessions.revoke("bob", handle)).toBe(false);
    expect(await sessions.revoke("ann", handle)).toBe(true);
    expect(await sessions.revoke("ann", handle)).toBe(false);
    expect(await statusOf(sessions, first)).toBe("new");
    const own = await visit(sessions, second, (session) => session.handle ?? "");
    expect(await sessions.revokeAll("ann", own)).toBe(1);
    expect([await statusOf(sessions, second), await statusOf(sessions, third)]).toEqual(["active", "new"]);
    expect(await sessions.revokeAll("ann")).toBe(1);
    expect(await sessions.devices("ann")).toEqual([]);
  });

  test("are a hundred at most: then the one not used for longest ends", async () => {
    const { sessions, clock } = world();
    const first = new CookieJar();
    await visit(sessions, first, (session) => session.signIn("ann"));
    for (let more = 0; more < 100; more++) {
      clock.advance(1);
      await visit(sessions, new CookieJar(), (session) => session.signIn("ann"));
    }
    expect(await sessions.devices("ann")).toHaveLength(100);
    expect(await statusOf(sessions, first)).toBe("new");
  });

  test("that have expired are forgotten", async () => {
    const { sessions, store, clock, jar } = world();
    await visit(sessions, jar, (session) => session.signIn("ann"));
    clock.advance(HOUR_MS);
    expect(await sessions.devices("ann")).toEqual([]);
    expect(await store.linked("ann")).toEqual([]);
  });
});

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
    const half = createSessions<AnyFields>({ store: { ...away, load: store.load }, clock });
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

describe("options", () => {
  test("that make no sense are refused with the option's name", () => {
    const store = memoryStore();
    const refused = (options: Partial<SessionOptions>) => () => createSessions({ store, ...options });
    expect(refused({ idle: "30" })).toThrow("idle");
    expect(refused({ idle: "9h" })).toThrow("idle is longer than absolute");
    expect(refused({ grace: "0" })).toThrow("grace");
    expect(refused({ cookie: "sid" })).toThrow('must be called "__Host-sid"');
    expect(refused({ snapshot: { keys: { 1: "short" } } })).toThrow("32 characters");
    expect(refused({ snapshot: { keys: {} } })).toThrow("at least one");
  });

  test("development gives a cookie over plain http on localhost, and refuses any other host", async () => {
    const { sessions } = world({ development: true });
    const cookie = async (host: string) => {
      const open = await sessions.open({ cookie: undefined, host });
      open.session.set("a", 1);
      return open.commit();
    };
    expect((await cookie("localhost:3000"))[0]).toMatch(/^session=[^;]+; Path=\/; HttpOnly; SameSite=Lax$/);
    expect(await codeOf(() => cookie("shop.example"))).toBe("session-off-localhost");
    expect(await codeOf(() => cookie("localhost.evil.example"))).toBe("session-off-localhost");
  });
});
