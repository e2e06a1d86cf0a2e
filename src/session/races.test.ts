import { expect, test } from "bun:test";
import { type Random, seededRandom } from "../base/index.ts";
import { createSessions, type Sessions } from "./sessions.ts";
import { memoryStore } from "./stores/memory.ts";
import { type AnyFields, CookieJar, handClock, mischievousStore } from "./testing.ts";

const REQUESTS = 4;
const INTERLEAVINGS = 1500;

/**
 * Requests of one session whose store calls are delayed by seeded numbers of turns, so that they mix in any order. Each
 * sets a field of its own, adds one to a shared counter and to a shared list; some rotate, and one may sign in.
 */
async function race(sessions: Sessions<AnyFields>, random: Random) {
  const jar = new CookieJar();
  const first = await sessions.open({ cookie: undefined });
  first.session.set("begun", true);
  jar.take(await first.commit());
  const cookie = jar.field;
  const signingIn = random() < 0.3 ? Math.floor(random() * REQUESTS) : -1;

  const request = async (index: number): Promise<void> => {
    const open = await sessions.open({ cookie });
    const { session } = open;
    session.set(`f${index}`, index);
    session.increment("n");
    session.setIfAbsent("first", index);
    if (random() < 0.3) session.delete("begun");
    if (random() < 0.3)
      await session.update("list", (list) => [...((list as number[] | undefined) ?? []), index]);
    else session.set(`alone${index}`, index);
    if (random() < 0.3) session.rotate();
    if (index === signingIn) await session.signIn("ann");
    jar.take(await open.commit());
  };
  await Promise.all(Array.from({ length: REQUESTS }, (_, index) => request(index)));
  const { session } = await sessions.open({ cookie: jar.field });
  return { session, signingIn };
}

test("requests of one session, mixed in any order, lose no field, no count and no item", async () => {
  const random = seededRandom(1);
  const clock = handClock();
  const store = mischievousStore(memoryStore(clock), { random, turnsMax: 6, failing: 0 });
  const sessions = createSessions<AnyFields>({ store, clock, random });
  for (let round = 0; round < INTERLEAVINGS; round++) {
    const { session } = await race(sessions, random);
    const list = (session.get("list") as number[] | undefined) ?? [];
    const kept = Array.from({ length: REQUESTS }, (_, index) => [
      session.get(`f${index}`),
      session.has(`alone${index}`) !== list.includes(index),
    ]);
    expect([round, kept, session.get("n"), session.has("first")]).toEqual([
      round,
      Array.from({ length: REQUESTS }, (_, index) => [index, true]),
      REQUESTS,
      true,
    ]);
  }
}, 60_000);

test("whatever requests rotate or sign in at once, the browser's last cookie stays valid when the grace is over", async () => {
  const random = seededRandom(2);
  const clock = handClock();
  const store = mischievousStore(memoryStore(clock), { random, turnsMax: 6, failing: 0 });
  const sessions = createSessions<AnyFields>({ store, clock, random });
  for (let round = 0; round < INTERLEAVINGS; round++) {
    const jar = new CookieJar();
    const first = await sessions.open({ cookie: undefined });
    await first.session.signIn("ann");
    jar.take(await first.commit());
    const cookie = jar.field;
    const request = async (): Promise<void> => {
      const open = await sessions.open({ cookie });
      const dice = random();
      if (dice < 0.5) open.session.rotate();
      else if (dice < 0.75) await open.session.signIn("ann");
      else open.session.increment("n");
      jar.take(await open.commit());
    };
    await Promise.all([request(), request(), request()]);
    clock.advance(10_001);
    const { session } = await sessions.open({ cookie: jar.field });
    expect([round, session.status, session.user]).toEqual([round, "active", "ann"]);
    const { session: old } = await sessions.open({ cookie });
    expect([round, old.status]).toEqual([round, jar.field === cookie ? "active" : "new"]);
    await sessions.revokeAll("ann");
  }
}, 60_000);
