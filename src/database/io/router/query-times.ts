/** How long queries and transactions take, by the clock of ticks: no clock is read for it. */
import { TRANSACTION } from "../../../pgwire/index.ts";
import type { ServerConnection } from "./server-connection.ts";

/** The first message of a query goes out. */
export function queryBegins(server: ServerConnection): void {
  server.queryMs = server.context.nowMs;
  if (server.status === TRANSACTION.idle) server.transactionMs = server.queryMs;
}

/** Its ReadyForQuery has come. `isFollowed`: another one has gone out behind it. */
export function queryEnds(server: ServerConnection, isFollowed: boolean): void {
  const { traffic } = server.pool;
  const { nowMs } = server.context;
  traffic.queries++;
  if (server.queryMs >= 0) traffic.queryMs += nowMs - server.queryMs;
  server.queryMs = isFollowed ? nowMs : -1;
  if (server.status !== TRANSACTION.idle) return;
  traffic.transactions++;
  if (server.transactionMs >= 0) traffic.transactionMs += nowMs - server.transactionMs;
  server.transactionMs = server.queryMs;
}
