/** Where values come from and are written to: a database table, an API. The strategies of strategies.ts go over it. */

/** What a write is told, so that a source can tell a repeated one. */
export interface WriteContext {
  /** Rises with each write of one process's log; of two writes of a key the higher is the later. */
  readonly version: number;
  /** The same when a write is repeated after a crash: a source that notes it applies each write once. */
  readonly idempotencyKey: string;
}

/** A user's source. `undefined` from `load` means that there is no such thing. */
export interface Source<K, V> {
  readonly load: (
    key: K,
    context: { readonly signal: AbortSignal },
  ) => Promise<V | undefined> | V | undefined;
  /** Loads many at once; what does not exist is left out. */
  readonly loadMany?: (keys: readonly K[]) => Promise<ReadonlyMap<K, V>> | ReadonlyMap<K, V>;
  readonly store?: (key: K, value: V, context: WriteContext) => Promise<void> | void;
  readonly remove?: (key: K, context: WriteContext) => Promise<void> | void;
}
