/** The cookies that Next.js is given; instances of Next.js itself are in conformance/next. */
import { expect, test } from "bun:test";
import { createSessions } from "../sessions.ts";
import type { SessionStore } from "../store.ts";
import { memoryStore } from "../stores/memory.ts";
import type { AnyFields } from "../testing.ts";
import { type NextCookie, nextSessions } from "./next.ts";

/** One request after another: what `next/headers` gives, with the cookies that were set before. */
function browser(store: SessionStore = memoryStore()) {
  const jar = new Map<string, NextCookie>();
  const cookie = () => [...jar.values()].map(({ name, value }) => `${name}=${value}`).join("; ");
  const { withSession, readSession } = nextSessions(createSessions<AnyFields>({ store }), {
    cookies: async () => ({ set: (set) => jar.set(set.name, set) }),
    headers: async () => ({ get: (name) => (name === "cookie" ? cookie() : null) }),
  });
  return { jar, withSession, readSession };
}

/** What `redirect("/")` throws. */
const redirected = () => Object.assign(new Error("NEXT_REDIRECT"), { digest: "NEXT_REDIRECT;push;/;303;" });

test("a cookie is set as the session wants it, and read by the next request", async () => {
  const { jar, withSession, readSession } = browser();
  expect(await withSession((session) => session.increment("n"))).toBe(1);
  expect([...jar.values()]).toEqual([
    {
      name: "__Host-session",
      value: expect.stringMatching(/^[\w.-]+$/),
      path: "/",
      httpOnly: true,
      sameSite: "lax",
      secure: true,
    },
  ]);
  expect((await readSession()).get("n")).toBe(1);
});

test("signing in by a redirect sets a new cookie; a sign-out takes it away", async () => {
  const { jar, withSession, readSession } = browser();
  await withSession((session) => session.set("n", 1));
  const guest = jar.get("__Host-session")?.value;
  const leaving = withSession(async (session) => {
    await session.signIn("ann");
    throw redirected();
  });
  expect(await leaving.catch((error: Error) => error.message)).toBe("NEXT_REDIRECT");
  expect(jar.get("__Host-session")?.value).not.toBe(guest);
  expect((await readSession()).user).toBe("ann");
  await withSession((session) => session.signOut());
  expect(jar.get("__Host-session")).toMatchObject({ value: "", maxAge: 0 });
});

test("what fails otherwise is passed on, and nothing is saved", async () => {
  const { jar, withSession, readSession } = browser();
  const failing = withSession((session) => {
    session.set("n", 1);
    throw new Error("the app's own");
  });
  expect(await failing.catch((error: Error) => error.message)).toBe("the app's own");
  expect([jar.size, (await readSession()).status]).toEqual([0, "new"]);
});

test("with the store away a component is rendered without a session, and an action says why it failed", async () => {
  const away = () => Promise.reject(new Error("away"));
  const store = { ...memoryStore(), load: away, create: away, patch: away };
  const { jar, withSession, readSession } = browser(store);
  jar.set("__Host-session", {
    name: "__Host-session",
    value: `${"a".repeat(22)}.${"b".repeat(22)}`,
  } as NextCookie);
  expect((await readSession()).status).toBe("unavailable");
  const change = withSession((session) => session.set("n", 1));
  expect(await change.catch((error: { code?: string }) => error.code)).toBe("session-store-unavailable");
});
