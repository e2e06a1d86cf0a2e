import { describe, expect, test } from "bun:test";
import { type SealedSessionOptions, sealedSessions } from "./sealed-sessions.ts";
import { type AnyFields, CookieJar, handClock, visit } from "./testing.ts";

const OLD = "old".padEnd(32, "x");
const NEW = "new".padEnd(32, "y");
const MINUTE_MS = 60_000;

function world(options: Partial<SealedSessionOptions> = {}) {
  const clock = handClock();
  return {
    clock,
    jar: new CookieJar(),
    sessions: sealedSessions<AnyFields>({ keys: { 1: OLD }, clock, ...options }),
  };
}

describe("a sealed session", () => {
  test("is in the cookie, and nowhere else", async () => {
    const { sessions, jar } = world();
    await visit(sessions, jar, (session) => session.get("a"));
    expect(jar.field).toBeUndefined();
    await visit(sessions, jar, async (session) => {
      await session.signIn("ann");
      session.set("cart", [1]);
      session.increment("n", 2);
      session.setIfAbsent("n", 9);
      expect(await session.update("cart", (cart) => [...(cart as number[]), 2])).toEqual([1, 2]);
    });
    expect(
      await visit(sessions, jar, (session) => [session.user, session.get("cart"), session.get("n")]),
    ).toEqual(["ann", [1, 2], 2]);
  });

  test("ends when it is not used, and at its hour, also in a copied cookie", async () => {
    const { sessions, clock, jar } = world();
    await visit(sessions, jar, (session) => session.signIn("ann"));
    const [[name = "", value = ""] = []] = jar.cookies;
    for (let times = 0; times < 23; times++) {
      clock.advance(20 * MINUTE_MS);
      expect(await visit(sessions, jar, (session) => session.user)).toBe("ann");
    }
    clock.advance(20 * MINUTE_MS);
    expect(await visit(sessions, jar, (session) => session.user)).toBeUndefined();
    expect((await sessions.open({ cookie: `${name}=${value}` })).session.user).toBeUndefined();
  });

  test("is sealed anew when a quarter of its time has gone, not with each response", async () => {
    const { sessions, clock, jar } = world();
    await visit(sessions, jar, (session) => session.set("a", 1));
    const renewals: number[] = [];
    for (let minute = 1; minute <= 16; minute++) {
      clock.advance(MINUTE_MS);
      const open = await sessions.open({ cookie: jar.field });
      const fields = await open.commit();
      if (fields.length > 0) renewals.push(minute);
      jar.take(fields);
    }
    expect(renewals).toEqual([8, 16]);
  });

  test("a new key takes over without signing anybody out", async () => {
    const { sessions, clock, jar } = world();
    await visit(sessions, jar, (session) => session.signIn("ann"));
    const rotated = sealedSessions<AnyFields>({ keys: { 1: OLD, 2: NEW }, clock });
    await visit(rotated, jar, (session) => session.set("a", 1));
    const alone = sealedSessions<AnyFields>({ keys: { 2: NEW }, clock });
    expect(await visit(alone, jar, (session) => session.user)).toBe("ann");
  });

  test("that does not fit into a cookie is an error that says so", async () => {
    const { sessions } = world();
    const open = await sessions.open({ cookie: undefined });
    open.session.set("a", "x".repeat(3000));
    expect(open.commit()).rejects.toMatchObject({
      code: "session-cookie-too-large",
      message: expect.stringMatching(/__Host-session would have \d{4} bytes/),
    });
  });

  test("another user begins afresh; signing out takes the cookie away", async () => {
    const { sessions, jar } = world();
    await visit(sessions, jar, (session) => session.signIn("ann"));
    await visit(sessions, jar, (session) => session.set("secret", "ann's"));
    await visit(sessions, jar, (session) => session.signIn("bob"));
    expect(await visit(sessions, jar, (session) => [session.user, session.names()])).toEqual(["bob", []]);
    await visit(sessions, jar, (session) => session.signOut());
    expect(jar.field).toBeUndefined();
  });

  test("cannot be changed when the response is on its way", async () => {
    const { sessions } = world();
    const open = await sessions.open({ cookie: undefined });
    await open.commit();
    expect(() => open.session.set("a", 1)).toThrow("The head of the response has been sent");
  });
});
