/** What becomes of a pool's clients and connections while there is no confirmed primary. */
import type { ErrorReply } from "../../../pgwire/index.ts";
import { routerError } from "../../router/refusals.ts";
import type { ClientConnection } from "./client-connection.ts";
import type { Pool } from "./pool.ts";

/** A client is about to wait for a primary; why it cannot. */
export function holdBack(client: ClientConnection, { gate, context }: Pool): ErrorReply | undefined {
  if (gate === undefined) return undefined;
  const { counters } = context;
  if (counters.waitingClients >= gate.hold.max) {
    counters.holdsRefused++;
    return routerError("hold-full", gate.reason);
  }
  counters.held++;
  client.isHeldBack = true;
  return undefined;
}

/** A few times a second: who has waited long enough is told, and what failed is tried again. O(clients that wait). */
export function holdTick(pool: Pool): void {
  const { gate, context } = pool;
  if (gate === undefined) return;
  if (gate.isDrained) cutLost(pool);
  if (pool.waiting === 0) return;
  pool.grow();
  if (!pool.isHeld) return;
  const due = pool.waitingSince(context.clock.nowMs() - gate.hold.ms);
  for (const client of due) {
    context.counters.holdsExpired++;
    pool.leaveQueue(client);
    client.holdExpired(routerError("hold-expired", gate.reason ?? pool.lastError?.message));
  }
}

/** Connections to a primary that is none any more are closed at once, whatever they do. */
export function cutLost(pool: Pool): void {
  const { gate } = pool;
  if (gate === undefined) return;
  const servers = [...pool.servers];
  for (const server of servers) {
    const { host, port } = server.address;
    if (!gate.stands(server) || (gate.isDrained && server.client !== undefined))
      server.fail(routerError("server-lost", `${host}:${port}: ${gate.reason ?? "replaced"}`));
    else if (gate.reason === "switching-over" && pool.isFree(server)) server.close();
  }
}
