import { describe, expect, test } from "bun:test";
import { CookieJar, codeOf, copyOf, statusOf, visit, world } from "./testing.ts";

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const COOKIE = "__Host-session";

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
