/**
 * A breaker and a queue of invalidations in front of a shared cache.
 *
 * A cache that is away is soon not asked any more. An invalidation that it could not be told is owed: it is told as soon as
 * the cache is back, before anything else is asked of it by this process. For Next.js forgets it, and carries most of them out
 * after the response, where nobody sees them fail.
 *
 * What is marked while another mark is on its way goes in one: Next.js tells each handler of the same invalidation.
 */
import type { Cancel, Clock, Scheduler } from "../base/index.ts";
import { Breaker } from "../cache/index.ts";
import type { NextCacheBackend, TagChange } from "./backend.ts";

/** Owed invalidations told apart; beyond, everything is invalidated. */
const OWED_MAX = 10_000;

/** While some are owed the cache is tried so often. */
const RETRY_MS = 500;

/** A backend with a guard, and how its retries end. */
export interface GuardedBackend extends NextCacheBackend {
  stop(): void;
}

/** Guards a backend, whose calls must each end by a deadline. Calls reject at once while the breaker is open. */
export function guardedBackend(
  backend: NextCacheBackend,
  { clock, scheduler }: { readonly clock: Clock; readonly scheduler: Scheduler },
): GuardedBackend {
  const breaker = new Breaker(clock);
  const run = async <T>(call: () => Promise<T>): Promise<T> => {
    if (!breaker.mayTry()) throw new Error("the cache failed several times in a row: not asked for a while");
    try {
      const answer = await call();
      breaker.succeeded();
      return answer;
    } catch (error) {
      breaker.failed();
      throw error;
    }
  };
  const owed = owedMarks(
    {
      mark: (tags, change) => run(() => backend.mark(tags, change)),
      forget: () => run(() => backend.forget()),
    },
    scheduler,
  );
  return {
    read: async (key) => {
      await owed.settled();
      return run(() => backend.read(key));
    },
    write: (key, entry, ttlMs) => run(() => backend.write(key, entry, ttlMs)),
    remove: (key) => run(() => backend.remove(key)),
    marks: (tags) => run(() => backend.marks(tags)),
    mark: owed.mark,
    forget: () => run(() => backend.forget()),
    stop: owed.stop,
  };
}

/** The queue: one batch on its way, and one that gathers what comes meanwhile. */
function owedMarks({ mark, forget }: Pick<NextCacheBackend, "mark" | "forget">, scheduler: Scheduler) {
  const owed = new Map<string, TagChange>();
  let isAllOwed = false;
  let last: Promise<unknown> = Promise.resolve();
  let gathering: Promise<void> | undefined;
  let retry: Cancel | undefined;
  let isStopped = false;

  const pay = async (): Promise<void> => {
    gathering = undefined;
    if (isAllOwed) {
      isAllOwed = false;
      await forget().catch((error: unknown) => {
        isAllOwed = true;
        throw error;
      });
    }
    for (const batch of batches(owed)) {
      const [change] = batch.values();
      // oxlint-disable-next-line no-await-in-loop -- one connection; nearly always one batch
      if (change !== undefined) await mark([...batch.keys()], change);
      // What was marked anew meanwhile is owed anew.
      for (const [tag, paid] of batch) if (owed.get(tag) === paid) owed.delete(tag);
    }
  };
  const retryLater = (): void => {
    if (isStopped) return;
    retry ??= scheduler.after(RETRY_MS, () => {
      retry = undefined;
      void settled().catch(() => undefined);
    });
  };
  const settled = (): Promise<void> => {
    if (gathering === undefined && (owed.size > 0 || isAllOwed)) {
      gathering = last.then(pay);
      last = gathering.catch(retryLater);
    }
    return gathering ?? Promise.resolve();
  };

  return {
    /** Resolves when nothing is owed of what was before. */
    settled,
    mark: (tags: readonly string[], change: TagChange): Promise<void> => {
      for (const tag of tags) {
        if (owed.size >= OWED_MAX) isAllOwed = true;
        else owed.set(tag, owed.get(tag)?.kind === "expire" ? { kind: "expire" } : { ...change });
      }
      return settled();
    },
    stop: () => {
      isStopped = true;
      retry?.();
    },
  };
}

/** What is owed, tags with the same change together. */
function batches(owed: ReadonlyMap<string, TagChange>): Map<string, TagChange>[] {
  const grouped = new Map<number, Map<string, TagChange>>();
  for (const [tag, change] of owed) {
    const until = change.kind === "expire" ? -1 : change.untilMs;
    grouped.set(until, (grouped.get(until) ?? new Map()).set(tag, change));
  }
  return [...grouped.values()];
}
