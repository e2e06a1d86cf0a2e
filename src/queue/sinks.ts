/** Handlers for a relay's topics: what an outbox is mostly for. */

/** What is used of an event. */
interface Delivered {
  readonly payload: unknown;
}

/** A cache of `tenfold/cache`, as far as it is used here. */
interface Invalidated<Input> {
  invalidate(input: Input): Promise<"everywhere" | "here">;
}

/**
 * Invalidates a cache by events whose payload is `invalidate`'s argument: `{ keys: ["user:7"] }`, `{ tags: ["users"] }` … An invalidation
 * that did not reach the store is delivered again.
 */
export function cacheInvalidations<Input>(cache: Invalidated<Input>): (event: Delivered) => Promise<void> {
  return async ({ payload }) => {
    const reach = await cache.invalidate(payload as Input);
    if (reach !== "everywhere") throw new Error("the cache's store did not hear of the invalidation");
  };
}

/** Tells a query cache of tables that were written: `payload` is a list such as `["public.users"]`. */
export function queryCacheWrites(queryCache: {
  invalidate(tables: readonly string[]): Promise<void>;
}): (event: Delivered) => Promise<void> {
  return ({ payload }) => queryCache.invalidate(payload as readonly string[]);
}
