/** Clients that take longer than they may, looked for about once a second. */

import type { ClientConnection } from "./client-connection.ts";
import { stateOf } from "./client-state.ts";
import type { Pool } from "./pool.ts";

/** Ends those that hold a connection of the pool for too long with one query, or in the middle of one message. O(server connections). */
export function endOverdue({ servers, settings, context }: Pool): void {
  const { queryTimeoutMs, messageTimeoutMs } = settings;
  const { nowMs } = context;
  const busy = [...servers];
  for (const { client, queryMs, outbox } of busy) {
    if (client === undefined) continue;
    if (queryTimeoutMs > 0 && queryMs >= 0 && nowMs - queryMs >= queryTimeoutMs)
      client.failWith("query-timeout");
    // What the server does not take is not the client's fault.
    else if (messageTimeoutMs > 0 && client.input.isOverdue(nowMs, messageTimeoutMs, outbox === undefined))
      client.failWith("message-timeout");
  }
}

/** Ends those that hold no server connection and have not said anything since their last answer for too long. O(clients). */
export function endIdle(clients: Iterable<ClientConnection>, clientIdleMs: number, nowMs: number): void {
  if (clientIdleMs === 0) return;
  for (const client of clients)
    if (stateOf(client) === "idle" && nowMs - client.record.quietSinceMs >= clientIdleMs)
      client.failWith("idle-client");
}
