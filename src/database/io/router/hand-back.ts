/** Whether and how a client's server connection goes on to others. */
import { TRANSACTION } from "../../../pgwire/index.ts";
import type { PinReason } from "../../router/statement-effects.ts";
import { abandon } from "./cancel.ts";
import type { ClientConnection } from "./client-connection.ts";
import type { ServerConnection } from "./server-connection.ts";

/** The client keeps its server connection from now on. */
export function keepServer(client: ClientConnection, reason: PinReason): void {
  const { session, reads, server, context } = client;
  if (session.pin !== undefined) return;
  if (reads?.leavesNothingOn(server) === true) return;
  session.pin = reason;
  context.counters.pins++;
  context.pins.count(reason);
  if (server !== undefined) server.isDirty = true;
}

/** The client is gone: its connection goes on to others if nothing is under way; else what is under way is ended with it. */
export function handBack(client: ClientConnection, server: ServerConnection): void {
  server.client = undefined;
  // What a batch without its Sync has done must not be committed by the next client's.
  const isUnderWay = server.replies.length > 0 || server.isInBatch || !server.batch.isEmpty;
  if (isUnderWay || client.input.isWithin) return abandon(server);
  if (server.status !== TRANSACTION.idle) server.ask("ROLLBACK");
  if (!client.moves) server.isDirty = true;
  if (server.replies.length === 0) return server.pool.release(server);
  server.flush();
}
