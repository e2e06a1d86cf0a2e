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
type Owner = "database" | "user";

const BOUNDS: readonly (readonly [bound: Bound, of: Owner])[] = [
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

  /** Whether `pool` may open one more, for which free ones of others may be closed: none in vain. O(pools) where there is a bound. */
  makesRoomFor(pool: Pool): boolean {
    if (!hasBound(pool)) return true;
    for (let full = this.#fullBounds(pool); full.length > 0; full = this.#fullBounds(pool)) {
      const unused = full.map((of) => this.#unused(pool, of));
      const [first] = unused;
      if (first === undefined || unused.includes(undefined)) return false;
      // Whoever it is for opens the next one, and nobody else meanwhile.
      this.#isMakingRoom = true;
      first.close();
      this.#isMakingRoom = false;
    }
    return true;
  }

  /** Whether there are more than there may be: the bound is less than it was. O(pools) where there is a bound. */
  exceeds(pool: Pool): boolean {
    return hasBound(pool) && BOUNDS.some(([bound, of]) => this.#isFull(pool, bound, of, 1));
  }

  /** Whether a connection that `pool` could keep is to go: it alone keeps another pool, whose clients wait, from opening one. O(pools) where there is a bound. */
  wantsRoomOf(pool: Pool): boolean {
    if (!hasBound(pool)) return false;
    return [...this.#pools].some((other) => {
      if (other === pool || !other.couldGrow) return false;
      const full = this.#fullBounds(other);
      return full.length > 0 && full.every((of) => other[of] === pool[of]);
    });
  }

  /** One of `pool` has been closed: who waits for room has it, who has waited for longest first. */
  closed(pool: Pool): void {
    if (this.#isMakingRoom || !hasBound(pool)) return;
    const waiting = [...this.#pools].filter((other) => other !== pool && other.couldGrow);
    for (const other of waiting.toSorted((a, b) => a.waitsSinceMs - b.waitsSinceMs)) other.grow();
  }

  /** What the bounds are of that keep `pool` from opening one more. */
  #fullBounds(pool: Pool): Owner[] {
    return BOUNDS.filter(([bound, of]) => this.#isFull(pool, bound, of)).map(([, of]) => of);
  }

  /** `more`: how many more than the bound there have to be. */
  #isFull(pool: Pool, bound: Bound, of: Owner, more = 0): boolean {
    const max = pool.settings[bound];
    if (max === 0) return false;
    return this.#alike(pool, of).reduce((sum, { open }) => sum + open, 0) >= max + more;
  }

  #alike(pool: Pool, of: Owner): Pool[] {
    return [...this.#pools].filter((other) => other[of] === pool[of]);
  }

  /** The free connection that nobody has used for longest. */
  #unused(pool: Pool, of: Owner): ServerConnection | undefined {
    let unused: ServerConnection | undefined;
    for (const { unusedLongest } of this.#alike(pool, of))
      if (unusedLongest !== undefined && (unused === undefined || unusedLongest.usedMs < unused.usedMs))
        unused = unusedLongest;
    return unused;
  }
}

/** Asked at the end of each transaction: in plain words. */
function hasBound({ settings }: Pool): boolean {
  return settings.databaseMax > 0 || settings.userMax > 0;
}
