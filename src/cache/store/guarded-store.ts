/**
 * A deadline and a breaker around a shared store: a server that is killed, hangs or answers nonsense makes things slower,
 * never wrong and never hung.
 *
 * Reads that fail are misses. What must not be lost are invalidations: one that fails, or a write of which nobody knows
 * whether it arrived, is owed, and is told before anything else is asked of the server again. Beyond a bound, all of it is
 * invalidated once.
 */
import type { Clock, Scheduler } from "../../base/index.ts";
import { CacheError } from "../errors.ts";
import { Breaker } from "./breaker.ts";
import type { Invalidation, SharedStore } from "./store.ts";

/** What a guard is made of. */
export interface GuardOptions {
  readonly name: string;
  /** Longest wait per call. */
  readonly deadlineMs: number;
  readonly clock: Clock;
  readonly scheduler: Scheduler;
}

/** What a guard knows. */
export interface GuardState {
  /** Whether calls are refused now; from time to time one is not, and finds out whether the server is back. */
  readonly isRefusing: boolean;
  /** Invalidations that the server has not been told yet. */
  readonly owed: number;
}

/** Owed invalidations told apart; beyond, everything is invalidated. */
const OWED_MAX = 1000;
/** While some are owed the server is tried so often. */
const RETRY_MS = 250;

/** A store whose every call ends by its deadline. */
export interface GuardedStore extends SharedStore {
  readonly state: GuardState;
}

/** Wraps a store. */
export function guarded(store: SharedStore, options: GuardOptions): GuardedStore {
  const guard = new Guard(store, options);
  const owing = async <T>(owed: Invalidation, call: () => Promise<T>): Promise<T> => {
    try {
      return await guard.run(call);
    } catch (error) {
      guard.owe(owed);
      throw error;
    }
  };
  const byKey = (key: string): Invalidation => ({ kind: "key", key, soft: false });
  return {
    get state() {
      return guard.state;
    },
    lookup: (key, request) => guard.run(() => store.lookup(key, request)),
    peek: (key) => guard.run(() => store.peek(key)),
    fill: (key, token, value) => guard.run(() => store.fill(key, token, value)),
    renew: (key, token, leaseMs) => guard.run(() => store.renew(key, token, leaseMs)),
    release: (key, token) => guard.run(() => store.release(key, token)),
    beginWrite: (key, token, leaseMs) => guard.run(() => store.beginWrite(key, token, leaseMs)),
    put: (key, value) => owing(byKey(key), () => store.put(key, value)),
    endWrite: (key, token, value) => owing(byKey(key), () => store.endWrite(key, token, value)),
    invalidate: (invalidation) => owing(invalidation, () => store.invalidate(invalidation)),
    listen: (listener) => store.listen(listener),
    close: () => {
      guard.close();
      return store.close();
    },
  };
}

class Guard {
  readonly #store: SharedStore;
  readonly #options: GuardOptions;
  readonly #breaker: Breaker;
  #owed: Map<string, Invalidation> = new Map<string, Invalidation>();
  #paying: Promise<void> | undefined;
  #isRetrying = false;
  #isClosed = false;

  constructor(store: SharedStore, options: GuardOptions) {
    this.#store = store;
    this.#options = options;
    this.#breaker = new Breaker(options.clock);
  }

  get state(): GuardState {
    return { isRefusing: this.#breaker.isRefusing, owed: this.#owed.size };
  }

  /** Runs a call within the deadline, once all that is owed has been told. */
  async run<T>(call: () => Promise<T>): Promise<T> {
    if (!this.#breaker.mayTry()) throw new CacheError("cache-server-down", this.#options.name);
    return this.#deadline(async () => {
      if (this.#owed.size > 0) await (this.#paying ??= this.#pay());
      return call();
    });
  }

  owe(invalidation: Invalidation): void {
    this.#owed.set(JSON.stringify(invalidation), invalidation);
    if (this.#owed.size > OWED_MAX) {
      this.#owed.clear();
      this.#owed.set("all", { kind: "all" });
    }
    this.#retryLater();
  }

  close(): void {
    this.#isClosed = true;
  }

  async #pay(): Promise<void> {
    try {
      for (const [name, invalidation] of this.#owed) {
        await this.#store.invalidate(invalidation);
        this.#owed.delete(name);
      }
    } finally {
      this.#paying = undefined;
    }
  }

  #retryLater(): void {
    if (this.#isRetrying || this.#isClosed) return;
    this.#isRetrying = true;
    this.#options.scheduler.after(RETRY_MS, () => {
      this.#isRetrying = false;
      if (this.#owed.size === 0 || this.#isClosed) return;
      this.run(async () => {}).then(
        () => {},
        () => this.#retryLater(),
      );
    });
  }

  #deadline<T>(work: () => Promise<T>): Promise<T> {
    const { deadlineMs, name, scheduler } = this.#options;
    return new Promise<T>((resolve, reject) => {
      let isOver = false;
      const over = (settle: () => void, succeeded: boolean): void => {
        if (isOver) return;
        isOver = true;
        cancel();
        if (succeeded) this.#breaker.succeeded();
        else this.#breaker.failed();
        settle();
      };
      // An error is made when it is needed: its stack costs more than the rest of the call.
      const late = (): void => reject(new CacheError("cache-server-down", `${name}, ${deadlineMs} ms`));
      const cancel = scheduler.after(deadlineMs, () => over(late, false));
      work().then(
        (value) => over(() => resolve(value), true),
        (error: unknown) => over(() => reject(new CacheError("cache-server-down", name, error)), false),
      );
    });
  }
}
