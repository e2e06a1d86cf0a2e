/** How long queries and transactions take, and waits for a server connection: the clock is read twice for each. */
import { TRANSACTION } from "../../../pgwire/index.ts";
import type { Pool } from "./pool.ts";
import type { ServerConnection } from "./server-connection.ts";

/** The first message of a query goes out. */
export function queryBegins(server: ServerConnection): void {
  server.queryMs = server.context.clock.nowMs();
  if (server.status === TRANSACTION.idle) server.transactionMs = server.queryMs;
}

/** Its ReadyForQuery has come. `isFollowed`: another one has gone out behind it. */
export function queryEnds(server: ServerConnection, isFollowed: boolean): void {
  const { traffic } = server.pool;
  const { context } = server;
  const nowMs = context.clock.nowMs();
  traffic.queries++;
  if (server.queryMs >= 0) {
    traffic.queryMs += nowMs - server.queryMs;
    context.queryTimes.record(nowMs - server.queryMs);
  }
  server.queryMs = isFollowed ? nowMs : -1;
  if (server.status !== TRANSACTION.idle) return;
  traffic.transactions++;
  if (server.transactionMs >= 0) traffic.transactionMs += nowMs - server.transactionMs;
  server.transactionMs = server.queryMs;
}

/** A client has waited for a connection of the pool since `sinceMs`, and has it or has given up. */
export function waitEnds({ traffic, context }: Pool, sinceMs: number): void {
  const waitMs = context.clock.nowMs() - sinceMs;
  traffic.waitMs += waitMs;
  context.waitTimes.record(waitMs);
}
