/** How many clients each user and each database has: PgBouncer's `max_user_client_connections` and `max_db_client_connections`. */
import type { ErrorReply } from "../../../pgwire/index.ts";
import type { PoolSettings } from "../../router/pool-settings.ts";
import { routerError } from "../../router/refusals.ts";
import type { ClientConnection } from "./client-connection.ts";

export class ClientCounts {
  readonly #inside = new Set<ClientConnection>();
  readonly #users = new Map<string, number>();
  readonly #databases = new Map<string, number>();

  /** Counts a client that has shown who it is; why it is one too many. */
  enter(client: ClientConnection, settings: PoolSettings): ErrorReply | undefined {
    const { user, database } = client;
    const { userClientsMax, databaseClientsMax } = settings;
    if (isFull(this.#users, user, userClientsMax)) return routerError("user-clients-exceeded");
    if (isFull(this.#databases, database, databaseClientsMax))
      return routerError("database-clients-exceeded");
    this.#inside.add(client);
    count(this.#users, user, 1);
    count(this.#databases, database, 1);
    return undefined;
  }

  /** One that is gone; it need not have been counted. */
  leave(client: ClientConnection): void {
    if (!this.#inside.delete(client)) return;
    count(this.#users, client.user, -1);
    count(this.#databases, client.database, -1);
  }
}

/** A bound of 0 is none. */
function isFull(counts: ReadonlyMap<string, number>, name: string, max: number): boolean {
  return max > 0 && (counts.get(name) ?? 0) >= max;
}

function count(counts: Map<string, number>, name: string, by: number): void {
  const sum = (counts.get(name) ?? 0) + by;
  if (sum > 0) counts.set(name, sum);
  else counts.delete(name);
}
