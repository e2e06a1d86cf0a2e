/** What the console has done to a worker's pools. */
import { isPaused, type PausedNames } from "../../../router/console/facts.ts";
import { routerError } from "../../../router/refusals.ts";
import type { ClientConnection } from "../client-connection.ts";
import type { Pool } from "../pool.ts";

/** Databases whose statements wait. */
export class Paused {
  #names: PausedNames = { all: false, databases: [] };

  has(database: string): boolean {
    return isPaused(this.#names, database);
  }

  /** Others from now on: connections of those that are new are closed as they come free, those that are not any more go on. */
  set(names: PausedNames, pools: readonly Pool[]): void {
    const before = this.#names;
    this.#names = names;
    for (const pool of pools) {
      const isNow = isPaused(names, pool.database);
      if (isNow === isPaused(before, pool.database)) continue;
      if (isNow) renew([pool]);
      pool.targetChanged();
    }
  }
}

/** Connections are closed when they are free, so that others take their place. */
export function renew(pools: readonly Pool[]): void {
  for (const pool of pools) {
    const servers = [...pool.servers];
    for (const server of servers) {
      server.isOutdated = true;
      if (pool.isFree(server)) server.close();
    }
  }
}

/** Cuts all clients of a database, and its server connections. */
export function kill(database: string, clients: Iterable<ClientConnection>, pools: readonly Pool[]): void {
  const doomed = [...clients].filter((client) => client.isLoggedIn && client.database === database);
  for (const client of doomed) client.failWith("killed");
  for (const pool of pools) if (pool.database === database) pool.cut(routerError("killed"));
}
