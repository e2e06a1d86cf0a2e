/**
 * The pools of one server, and the bounds that they share: connections of a database, whoever its users are, and of a user, whatever the
 * databases. PgBouncer's `max_db_connections` and `max_user_connections`.
 *
 * A pool that may not open one has its clients wait. A free connection of another pool makes room: the one that nobody has used for longest
 * is closed.
 */
import type { Pool } from "./pool.ts";
import type { ServerConnection } from "./server-connection.ts";

type Bound = "databaseMax" | "userMax";

const BOUNDS: readonly (readonly [bound: Bound, of: "database" | "user"])[] = [
  ["databaseMax", "database"],
  ["userMax", "user"],
];

export class PoolGroup {
  readonly #pools = new Set<Pool>();
  #isMakingRoom = false;

  /** The group of that name; a new one if there is none yet. */
  static of(groups: Map<string, PoolGroup>, name: string): PoolGroup {
    let group = groups.get(name);
    if (group === undefined) {
      group = new PoolGroup();
      groups.set(name, group);
    }
    return group;
  }

  add(pool: Pool): void {
    this.#pools.add(pool);
  }

  /** Whether `pool` may open one more, for which free ones of others may be closed. O(pools) where there is a bound. */
  makesRoomFor(pool: Pool): boolean {
    if (!hasBound(pool)) return true;
    return BOUNDS.every(([bound, of]) => {
      while (this.#isFull(pool, bound, of)) if (!this.#closeUnused(pool, of)) return false;
      return true;
    });
  }

  /** Whether there are more than there may be: the bound is less than it was. O(pools) where there is a bound. */
  exceeds(pool: Pool): boolean {
    return hasBound(pool) && BOUNDS.some(([bound, of]) => this.#isFull(pool, bound, of, 1));
  }

  /** Whether a connection that `pool` could keep is to go: clients of another pool wait, which may open none else. O(pools) where there is a bound. */
  wantsRoomOf(pool: Pool): boolean {
    if (!hasBound(pool)) return false;
    return BOUNDS.some(
      ([bound, of]) =>
        this.#isFull(pool, bound, of) &&
        this.#alike(pool, of).some((other) => other !== pool && other.couldGrow),
    );
  }

  /** One of `pool` has been closed: who waits for room has it, who has waited for longest first. */
  closed(pool: Pool): void {
    if (this.#isMakingRoom || !hasBound(pool)) return;
    const waiting = [...this.#pools].filter((other) => other !== pool && other.couldGrow);
    for (const other of waiting.toSorted((a, b) => a.waitsSinceMs - b.waitsSinceMs)) other.grow();
  }

  /** `more`: how many more than the bound there have to be. */
  #isFull(pool: Pool, bound: Bound, of: "database" | "user", more = 0): boolean {
    const max = pool.settings[bound];
    if (max === 0) return false;
    return this.#alike(pool, of).reduce((sum, { open }) => sum + open, 0) >= max + more;
  }

  #alike(pool: Pool, of: "database" | "user"): Pool[] {
    return [...this.#pools].filter((other) => other[of] === pool[of]);
  }

  #closeUnused(pool: Pool, of: "database" | "user"): boolean {
    let unused: ServerConnection | undefined;
    for (const { unusedLongest } of this.#alike(pool, of))
      if (unusedLongest !== undefined && (unused === undefined || unusedLongest.usedMs < unused.usedMs))
        unused = unusedLongest;
    if (unused === undefined) return false;
    // Whoever it is for opens the next one, and nobody else meanwhile.
    this.#isMakingRoom = true;
    unused.close();
    this.#isMakingRoom = false;
    return true;
  }
}

/** Asked at the end of each transaction: in plain words. */
function hasBound({ settings }: Pool): boolean {
  return settings.databaseMax > 0 || settings.userMax > 0;
}
