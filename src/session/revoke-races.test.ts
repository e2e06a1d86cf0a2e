/**
 * `revokeAll` racing sign-ins of the same user, in seeded orders of their store calls.
 *
 * A sign-in begins when its first question reaches the store: nobody there knows of it before.
 */
import { describe, expect, test } from "bun:test";
import { type Random, seededRandom } from "../base/index.ts";
import { createSessions, type Sessions } from "./sessions.ts";
import type { SessionStore } from "./store.ts";
import { memoryStore } from "./stores/memory.ts";
import {
  type AnyFields,
  CookieJar,
  codeOf,
  handClock,
  mischievousStore,
  statusOf,
  visit,
} from "./testing.ts";

const INTERLEAVINGS = 1000;
const SIGN_INS = 5;

interface SignIn {
  readonly jar: CookieJar;
  beganAt: number;
  endedAt: number;
}

/** App servers on one store, whose calls overtake each other. */
function appServers(random: Random) {
  const clock = handClock();
  const inner = memoryStore(clock);
  const open = (asked: () => void): Sessions<AnyFields> => {
    const told: SessionStore = {
      ...inner,
      revocation: (owner) => {
        asked();
        return inner.revocation(owner);
      },
    };
    const store = mischievousStore(told, { random, turnsMax: 6, failing: 0 });
    return createSessions<AnyFields>({ store, clock, random });
  };
  return { open, sessions: open(() => {}) };
}

/** Some sign-ins and one revocation, each begun at a moment of its own; a third of the users were guests with a cart before. */
async function race({ open, sessions }: ReturnType<typeof appServers>, random: Random) {
  const moment = { now: 0 };
  const turns = async (most: number): Promise<void> => {
    for (let left = Math.floor(random() * most); left > 0; left--) await Promise.resolve();
  };
  const signIn = async (): Promise<SignIn> => {
    const jar = new CookieJar();
    if (random() < 0.3) await visit(sessions, jar, (session) => session.set("cart", [1]));
    await turns(200);
    const attempt: SignIn = { jar, beganAt: 0, endedAt: 0 };
    const server = open(() => {
      if (attempt.beganAt === 0) attempt.beganAt = ++moment.now;
    });
    const request = await server.open({ cookie: jar.field });
    const failure = await codeOf(() => request.session.signIn("ann"));
    expect([undefined, "session-revoked"]).toContain(failure as string | undefined);
    jar.take(await request.commit());
    attempt.endedAt = ++moment.now;
    return attempt;
  };
  const revoke = async () => {
    await turns(200);
    const beganAt = ++moment.now;
    await sessions.revokeAll("ann");
    return { beganAt, endedAt: ++moment.now };
  };
  const attempts = Array.from({ length: SIGN_INS }, signIn);
  const revocation = await revoke();
  return { attempts: await Promise.all(attempts), revocation };
}

const isSignedIn = (sessions: Sessions<AnyFields>, { jar }: SignIn): Promise<boolean> =>
  visit(sessions, jar, (session) => session.user === "ann");

/** What came of all sign-ins, by how they lay to the revocation. */
async function count(servers: ReturnType<typeof appServers>, random: Random) {
  const { sessions } = servers;
  const kept = { begunBefore: 0, endedBefore: 0 };
  const lost = { begunAfter: 0 };
  const seen = { before: 0, during: 0, after: 0 };
  for (let round = 0; round < INTERLEAVINGS; round++) {
    const { attempts, revocation } = await race(servers, random);
    for (const attempt of attempts) {
      const isIn = await isSignedIn(sessions, attempt);
      if (attempt.beganAt > revocation.endedAt) {
        seen.after++;
        if (!isIn) lost.begunAfter++;
        continue;
      }
      if (attempt.endedAt > revocation.beganAt) seen.during++;
      else seen.before++;
      if (isIn && attempt.beganAt < revocation.beganAt) kept.begunBefore++;
      if (isIn && attempt.endedAt < revocation.endedAt) kept.endedBefore++;
    }
    await sessions.revokeAll("ann");
    expect(await sessions.devices("ann")).toEqual([]);
  }
  return { kept, lost, seen };
}

describe("revokeAll", () => {
  test("ends every sign-in that began before it or was done before its end, and none that began after", async () => {
    const random = seededRandom(3);
    const { kept, lost, seen } = await count(appServers(random), random);
    expect([kept, lost]).toEqual([{ begunBefore: 0, endedBefore: 0 }, { begunAfter: 0 }]);
    for (const times of Object.values(seen)) expect(times).toBeGreaterThan(INTERLEAVINGS / 10);
  }, 60_000);

  test("between a record and its place in the index: the sign-in is told, and nobody has its cookie", async () => {
    const clock = handClock();
    const inner = memoryStore(clock);
    const revoking: { now?: () => Promise<unknown> } = {};
    const store = {
      ...inner,
      link: async (owner: string, key: string, ttlMs: number) => {
        await revoking.now?.();
        return inner.link(owner, key, ttlMs);
      },
    };
    const sessions = createSessions<AnyFields>({ store, clock });
    revoking.now = () => sessions.revokeAll("ann");
    const jar = new CookieJar();
    const open = await sessions.open({ cookie: undefined });
    expect(await codeOf(() => open.session.signIn("ann"))).toBe("session-revoked");
    jar.take(await open.commit());
    expect([jar.field, inner.size(), await inner.linked("ann")]).toEqual([undefined, 0, []]);
    delete revoking.now;
    await visit(sessions, jar, (session) => session.signIn("ann"));
    expect(await statusOf(sessions, jar)).toBe("active");
  });

  test("comes between the check of a password and the sign-in: no, when the check is given to it", async () => {
    const clock = handClock();
    const sessions = createSessions<AnyFields>({ store: memoryStore(clock), clock });
    let password = "old";
    const check = async (given: string): Promise<boolean> => {
      const isRight = given === password;
      if (given !== "old") return isRight;
      password = "new";
      await sessions.revokeAll("ann");
      return isRight;
    };
    const jar = new CookieJar();
    const open = await sessions.open({ cookie: undefined });
    expect(await codeOf(() => open.session.signIn("ann", () => check("old")))).toBe("session-revoked");
    expect(await visit(sessions, jar, (session) => session.signIn("ann", () => check("wrong")))).toBe(false);
    expect([jar.field, await sessions.devices("ann")]).toEqual([undefined, []]);
    expect(await visit(sessions, jar, (session) => session.signIn("ann", () => check("new")))).toBe(true);
    expect(await statusOf(sessions, jar)).toBe("active");
  });

  test("spares the session that asks, also when its user signed in just now", async () => {
    const clock = handClock();
    const sessions = createSessions<AnyFields>({ store: memoryStore(clock), clock });
    const [mine, other] = [new CookieJar(), new CookieJar()];
    await visit(sessions, other, (session) => session.signIn("ann"));
    await visit(sessions, mine, async (session) => {
      await session.signIn("ann");
      expect(await sessions.revokeAll("ann", session.handle)).toBe(1);
    });
    expect([await statusOf(sessions, mine), await statusOf(sessions, other)]).toEqual(["active", "new"]);
  });

  test("ends although somebody signs in without a pause", async () => {
    const clock = handClock();
    const inner = memoryStore(clock);
    let signedIn = 0;
    const store = {
      ...inner,
      linked: async (owner: string) => {
        await inner.create(`again-${signedIn}`, new Map([[":user", "ann"]]), 1000);
        await inner.link(owner, `again-${signedIn++}`, 1000);
        return inner.linked(owner);
      },
    };
    const sessions = createSessions<AnyFields>({ store, clock });
    expect(await sessions.revokeAll("ann")).toBe(signedIn);
    expect(signedIn).toBeLessThan(100);
  });
});
