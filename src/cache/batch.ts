/** Loading many keys in one go: each key is loaded as any other, and those asked for at about the same time share a call. */
import type { Scheduler } from "../base/index.ts";
import { CacheError } from "./errors.ts";
import type { LoadContext, Loader } from "./loads.ts";
import type { SharedStore } from "./store/store.ts";

/** Loads many keys at once. Keys that do not exist may be left out of the map. */
export type BatchLoader<V> = (
  keys: readonly string[],
  context: { readonly signal: AbortSignal },
) => ReadonlyMap<string, V> | Promise<ReadonlyMap<string, V>>;

interface Waiting<V> {
  readonly context: LoadContext;
  readonly resolve: (value: V | null) => void;
  readonly reject: (error: unknown) => void;
}

/** The replies of a store's lookups come close together, but not in one turn of the event loop. */
const GATHER_MS = 1;

/** A loader of single keys that gathers them for `loadMany`. Missing keys become null. */
export function batched<V>(
  loadMany: BatchLoader<V>,
  { scheduler, store }: { readonly scheduler: Scheduler; readonly store: SharedStore | undefined },
): Loader<V | null> {
  let waiting: Waiting<V>[] = [];
  const run = async (): Promise<void> => {
    const batch = waiting;
    waiting = [];
    const keys = batch.map(({ context }) => context.key);
    try {
      const signal = AbortSignal.any(batch.map(({ context }) => context.signal));
      const values = await loadMany(keys, { signal });
      if (!(values instanceof Map)) throw new CacheError("batch-incomplete", `${keys.length} keys`);
      for (const { context, resolve } of batch) resolve(values.get(context.key) ?? null);
    } catch (error) {
      for (const { reject } of batch) reject(error);
    }
  };
  return (context) =>
    new Promise((resolve, reject) => {
      waiting.push({ context, resolve, reject });
      if (waiting.length > 1) return;
      if (store === undefined) queueMicrotask(() => void run());
      else scheduler.after(GATHER_MS, () => void run());
    });
}
