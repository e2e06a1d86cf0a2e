/** Builders for tests of sessions: a browser's cookie jar, time that can be set, a store that misbehaves. */
import { type Clock, type Random, seededRandom } from "../base/index.ts";
import { SessionError } from "./errors.ts";
import type { SessionOptions } from "./options.ts";
import type { OpenSession, RequestFacts, SessionSource, SessionStatus } from "./session.ts";
import { createSessions, type Sessions } from "./sessions.ts";
import type { SessionStore } from "./store.ts";
import { type MemoryStore, memoryStore } from "./stores/memory.ts";

/** A clock that moves by hand. */
export interface HandClock extends Clock {
  advance(ms: number): void;
  /** Somebody sets the machine's time. */
  setBack(ms: number): void;
}

/** A clock at the first of January 2026. */
export function handClock(): HandClock {
  let [nowMs, wallMs] = [0, Date.UTC(2026, 0, 1)];
  return {
    nowMs: () => nowMs,
    wallMs: () => wallMs,
    advance: (ms) => {
      nowMs += ms;
      wallMs += ms;
    },
    setBack: (ms) => {
      wallMs -= ms;
    },
  };
}

/** A browser's cookies for one site: name -> value. */
export class CookieJar {
  readonly cookies: Map<string, string> = new Map();

  take(fields: readonly string[]): void {
    for (const field of fields) {
      const [, name = "", value = ""] = /^([^=]+)=([^;]*)/.exec(field) ?? [];
      if (/Max-Age=0/.test(field)) this.cookies.delete(name);
      else this.cookies.set(name, value);
    }
  }

  get field(): string | undefined {
    if (this.cookies.size === 0) return undefined;
    return [...this.cookies].map(([name, value]) => `${name}=${value}`).join("; ");
  }
}

/** Any fields. */
export type AnyFields = Record<string, unknown>;

/** One request: opens the session by the jar, runs `handle`, commits, and stores the cookies. */
export async function visit<R>(
  source: SessionSource<AnyFields>,
  jar: CookieJar,
  handle: (session: OpenSession<AnyFields>["session"]) => R | Promise<R>,
  facts: Partial<RequestFacts> = {},
): Promise<R> {
  const open = await source.open({ host: "localhost", ...facts, cookie: jar.field });
  const result = await handle(open.session);
  jar.take(await open.commit());
  return result;
}

/** How a store misbehaves: chances per call. */
export interface Mischief {
  readonly random: Random;
  /** Turns of the event loop that a call may wait before it runs, and again before its reply is seen. */
  readonly turnsMax: number;
  /** Chance that a call fails: half of these after it was done. */
  readonly failing: number;
}

/** The same store, with calls that wait, overtake each other, and fail before or after they are done. */
export function mischievousStore(store: SessionStore, { random, turnsMax, failing }: Mischief): SessionStore {
  const turns = async (): Promise<void> => {
    for (let left = Math.floor(random() * (turnsMax + 1)); left > 0; left--) await Promise.resolve();
  };
  const call = async <R>(run: () => Promise<R>): Promise<R> => {
    const chance = random();
    await turns();
    if (chance < failing / 2) throw new Error("refused before it was done");
    const result = await run();
    await turns();
    if (chance < failing) throw new Error("the reply was lost");
    return result;
  };
  return {
    load: (key) => call(() => store.load(key)),
    create: (key, fields, ttlMs) => call(() => store.create(key, fields, ttlMs)),
    patch: (key, patch) => call(() => store.patch(key, patch)),
    remove: (key) => call(() => store.remove(key)),
    link: (owner, key, ttlMs) => call(() => store.link(owner, key, ttlMs)),
    unlink: (owner, keys) => call(() => store.unlink(owner, keys)),
    linked: (owner) => call(() => store.linked(owner)),
    noteRevocation: (owner, name, ttlMs) => call(() => store.noteRevocation(owner, name, ttlMs)),
    revocation: (owner) => call(() => store.revocation(owner)),
  };
}

/** Sessions on a store in memory, a clock that moves by hand, and a browser. */
export interface World {
  readonly clock: HandClock;
  readonly store: MemoryStore;
  readonly sessions: Sessions<AnyFields>;
  readonly jar: CookieJar;
}

/** A world of its own. */
export function world(options: Partial<SessionOptions> = {}): World {
  const clock = handClock();
  const store = memoryStore(clock);
  const sessions = createSessions<AnyFields>({ store, clock, random: seededRandom(1), ...options });
  return { clock, store, sessions, jar: new CookieJar() };
}

/** The same browser as it was: a copy of its cookies. */
export function copyOf(jar: CookieJar): CookieJar {
  const copy = new CookieJar();
  for (const [name, value] of jar.cookies) copy.cookies.set(name, value);
  return copy;
}

/** The status of a session by a browser's cookies. */
export const statusOf = (sessions: Sessions<AnyFields>, jar: CookieJar): Promise<SessionStatus> =>
  visit(sessions, jar, (session) => session.status);

/** A store that does nothing but fail. */
export const away: SessionStore = {
  load: () => Promise.reject(new Error("away")),
  create: () => Promise.reject(new Error("away")),
  patch: () => Promise.reject(new Error("away")),
  remove: () => Promise.reject(new Error("away")),
  link: () => Promise.reject(new Error("away")),
  unlink: () => Promise.reject(new Error("away")),
  linked: () => Promise.reject(new Error("away")),
  noteRevocation: () => Promise.reject(new Error("away")),
  revocation: () => Promise.reject(new Error("away")),
};

/** The code of the `SessionError` that `run` fails with; undefined when it does not. */
export const codeOf = async (run: () => unknown): Promise<unknown> => {
  try {
    await run();
    return undefined;
  } catch (error) {
    return error instanceof SessionError ? error.code : error;
  }
};
