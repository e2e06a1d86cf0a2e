/**
 * Who is about to put what into L1: between asking a store and keeping its answer an invalidation may overtake.
 *
 * Each such wait is registered BEFORE the question is asked. An invalidation of the key voids it; one by tag or prefix is found out by the
 * counter that the watch remembers.
 */

/** One wait. */
export interface Watch {
  readonly key: string;
  /** `Generations.now` when it began. */
  readonly since: number;
  isVoid: boolean;
}

/** All waits of a cache, by key. */
export class Watches {
  readonly #byKey: Map<string, Set<Watch>> = new Map<string, Set<Watch>>();

  /** Begins one. */
  begin(key: string, since: number): Watch {
    const watch: Watch = { key, since, isVoid: false };
    const known = this.#byKey.get(key);
    if (known === undefined) this.#byKey.set(key, new Set([watch]));
    else known.add(watch);
    return watch;
  }

  /** Ends one, void or not. */
  end(watch: Watch): void {
    const known = this.#byKey.get(watch.key);
    known?.delete(watch);
    if (known?.size === 0) this.#byKey.delete(watch.key);
  }

  /** Voids all of a key. */
  void(key: string): void {
    for (const watch of this.#byKey.get(key) ?? []) watch.isVoid = true;
  }
}
