import { describe, expect, test } from "bun:test";
import type { SessionOptions } from "./options.ts";
import { createSessions } from "./sessions.ts";
import type { SessionStore } from "./store.ts";
import { memoryStore } from "./stores/memory.ts";
import { type AnyFields, CookieJar, codeOf, statusOf, visit, world } from "./testing.ts";

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const COOKIE = "__Host-session";

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

test("a clock that was set back does not keep a session from being touched", async () => {
  const { sessions, clock, jar } = world();
  await visit(sessions, jar, (session) => session.set("a", 1));
  clock.setBack(24 * HOUR_MS);
  for (let times = 0; times < 4; times++) {
    clock.advance(25 * MINUTE_MS);
    expect(await statusOf(sessions, jar)).toBe("active");
  }
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

test("sessions without a store are refused when they are made, and not at the first request", () => {
  for (const options of [undefined, {}, { store: "redis://127.0.0.1" }])
    expect(() => createSessions(options as never)).toThrow("store: give one, such as openSessionStore(url)");
});
