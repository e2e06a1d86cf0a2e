/**
 * A store with a deadline and a breaker in front: one that hangs costs each request the deadline at most, and after a
 * few such requests nothing at all for a while.
 */
import type { Cancel, Clock, Scheduler } from "../base/index.ts";
import { SessionError } from "./errors.ts";
import type { SessionStore } from "./store.ts";

/** Failures in a row after which calls fail at once. A single lost connection fails what was in flight on it: more than a handful. */
const FAILURES_MAX = 16;

/** How long calls then fail at once, ms; after it one call tries. */
const PAUSE_MS = 1000;

/** Time and its bound. */
export interface Patience {
  readonly timeoutMs: number;
  readonly clock: Clock;
  readonly scheduler: Scheduler;
}

/** The same store; a call rejects after `timeoutMs`, or at once while the breaker is open. */
export function patientStore(store: SessionStore, { timeoutMs, clock, scheduler }: Patience): SessionStore {
  let failures = 0;
  let pausedUntilMs = 0;

  const call = async <T>(run: () => Promise<T>): Promise<T> => {
    if (failures >= FAILURES_MAX) {
      const nowMs = clock.nowMs();
      if (nowMs < pausedUntilMs) throw new Error(`the session store failed ${failures} times in a row`);
      // This call tries; the others go on failing until it has an answer, or this pause is over too.
      pausedUntilMs = nowMs + PAUSE_MS;
    }
    try {
      const result = await withDeadline(run(), timeoutMs, scheduler);
      failures = 0;
      return result;
    } catch (error) {
      if (error instanceof SessionError) throw error; // an answer, though none that helps
      failures++;
      if (failures === FAILURES_MAX) pausedUntilMs = clock.nowMs() + PAUSE_MS;
      throw error;
    }
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

function withDeadline<T>(result: Promise<T>, timeoutMs: number, scheduler: Scheduler): Promise<T> {
  let cancel: Cancel = () => {};
  const late = new Promise<never>((_, reject) => {
    cancel = scheduler.after(timeoutMs, () =>
      reject(new Error(`the session store did not answer within ${timeoutMs} ms`)),
    );
  });
  return Promise.race([result, late]).finally(() => cancel());
}
