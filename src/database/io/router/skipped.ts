/** What a server skips after an error in an extended query, and what that undoes. */
import type { Statement } from "../../router/prepared.ts";
import { REPLY, type ReplyDetail } from "../../router/reply-queue.ts";
import type { ServerConnection } from "./server-connection.ts";

/** The server skips what is owed up to the next Sync. Where none was sent yet it skips all until then, simple queries too. */
export function skipToSync(server: ServerConnection): void {
  const { replies } = server;
  const skipped: (readonly [number, ReplyDetail])[] = [];
  let losesUnnamed = false;
  for (let front = replies.front; front !== REPLY.sync && front !== REPLY.none; front = replies.front) {
    if (replies.frontDetail !== undefined) skipped.push([front, replies.frontDetail]);
    losesUnnamed ||= front === REPLY.parse && replies.frontDetail === undefined;
    replies.shift();
  }
  if (losesUnnamed) forgetUnnamed(server);
  for (const [kind, detail] of skipped.toReversed()) undo(server, kind, detail);
  server.skips = replies.front === REPLY.none;
}

/** A Parse without a name was not carried out: there is no such statement, unless one more is on its way. */
function forgetUnnamed(server: ServerConnection): void {
  for (const [kind, detail] of server.replies.entries(REPLY.parse))
    if (kind === REPLY.parse && detail === undefined) return;
  server.unnamedOf = undefined;
  if (server.client !== undefined) server.client.session.unnamed = undefined;
}

/** All prepared statements are gone (DEALLOCATE ALL), but for those whose Parse was sent behind that. */
export function statementsGone(server: ServerConnection): void {
  const { prepared, client, replies } = server;
  prepared.clear();
  server.unnamedOf = undefined;
  const later = [...replies.entries()];
  const named: (readonly [string, Statement])[] = [];
  for (const [kind, { statement, name } = {}] of later) {
    if (statement === undefined || kind === REPLY.ownClose || isForgotten(kind)) continue;
    if (kind !== REPLY.madeParse) prepared.add(statement);
    if (name === undefined || client === undefined) continue;
    client.session.retain(statement);
    named.push([name, statement]);
  }
  client?.session.forgetAll();
  for (const [name, statement] of named) client?.session.name(name, statement);
}

/** Whether the client's name was forgotten with it. */
function isForgotten(kind: number): boolean {
  return kind === REPLY.madeClose || kind === REPLY.madeDeallocate;
}

/** Undoes what a message noted ahead in the session, when it was not carried out. */
export function undo(server: ServerConnection, kind: number, { statement, name }: ReplyDetail): void {
  const { client, prepared } = server;
  if (statement === undefined) return;
  if (kind === REPLY.parse || kind === REPLY.ownParse) prepared.delete(statement);
  if (kind === REPLY.ownClose) prepared.add(statement);
  if (name === undefined) return;
  if (isForgotten(kind)) client?.session.restore(name, statement);
  else client?.session.forget(name);
}
