/** Turns per key: what is run for one key waits for what was run for it before. */

/** Runs one thing per key at a time, in order. */
export class KeyTurns {
  readonly #last: Map<string, Promise<unknown>> = new Map<string, Promise<unknown>>();

  /** Runs when the key's turn has come. A failure before it does not matter to it. */
  run<T>(key: string, work: () => Promise<T>): Promise<T> {
    const before = this.#last.get(key);
    const mine = before === undefined ? work() : before.then(work, work);
    const settled = mine
      .catch(() => {})
      .then(() => {
        if (this.#last.get(key) === settled) this.#last.delete(key);
      });
    this.#last.set(key, settled);
    return mine;
  }
}
