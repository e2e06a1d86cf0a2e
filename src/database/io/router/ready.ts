/**
 * The server waits for the next query: what a batch changed in the session is settled, and the connection goes on to
 * whoever needs it next.
 */
import { TRANSACTION } from "../../../pgwire/index.ts";
import { REPLY } from "../../router/reply-queue.ts";
import { COMMITS } from "../../router/transaction-end.ts";
import { makeAnswers } from "./made-answers.ts";
import { queryEnds } from "./query-times.ts";
import { applySettings } from "./reported-settings.ts";
import type { ServerConnection } from "./server-connection.ts";
import { adopt } from "./settling.ts";

/** ReadyForQuery has come, and has been passed on. */
export function ready(server: ServerConnection): void {
  const { replies, client } = server;
  const { front, frontDetail } = replies;
  if (front === REPLY.query && !server.undone && frontDetail?.effects !== undefined)
    server.pending.push(...frontDetail.effects.settings);
  if (front !== REPLY.none && front <= REPLY.sync) {
    if (front !== REPLY.ownQuery) {
      server.context.counters.queries++;
      queryEnds(server, replies.length > 1);
    }
    replies.shift();
    makeAnswers(server);
  }
  if (server.pending.length > 0 || server.undone) settle(server);
  if (server.changedSchema && server.status === TRANSACTION.idle) {
    server.changedSchema = false;
    server.context.statements.schemaChanged(); // others may have prepared statements before the commit
  }
  if (replies.length > 0) return;
  server.commits = COMMITS.no;
  if (server.status === TRANSACTION.idle) server.searchPath = undefined;
  if (client === undefined) return server.pool.cleaned(server);
  server.tells = false;
  if (client.isSettling) {
    client.serverReady(server);
    return;
  }
  client.reads?.answered();
  const hasWaited = client.recovery?.writes.answered() === true;
  if (server.status === TRANSACTION.idle) {
    if (!client.keepsServer) {
      server.flushToClient();
      client.detach();
    } else {
      server.tells = !adopt(client, server); // a RESET went back to the server's default, not to the client's own
    }
  } else {
    client.transactionRests();
  }
  if (hasWaited || client.reads !== undefined) client.readOn();
}

/** Settings that the server does not report stay when the transaction is committed. */
function settle(server: ServerConnection): void {
  if (server.status === TRANSACTION.idle) {
    if (!server.undone) applySettings(server, server.pending);
    server.pending = [];
  }
  server.undone = false;
}
