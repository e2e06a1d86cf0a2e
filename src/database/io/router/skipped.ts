/** What a server skips after an error in an extended query, and what that undoes. */
import { REPLY, type ReplyDetail } from "../../router/reply-queue.ts";
import type { ServerConnection } from "./server-connection.ts";

/** The server skips what is owed up to the next Sync. Where none was sent yet it skips all until then, simple queries too. */
export function skipToSync(server: ServerConnection): void {
  const { replies } = server;
  const skipped: (readonly [number, ReplyDetail])[] = [];
  for (let front = replies.front; front !== REPLY.sync && front !== REPLY.none; front = replies.front) {
    if (replies.frontDetail !== undefined) skipped.push([front, replies.frontDetail]);
    replies.shift();
  }
  for (const [kind, detail] of skipped.toReversed()) undo(server, kind, detail);
  server.skips = replies.front === REPLY.none;
}

/** Undoes what a message noted ahead in the session, when it was not carried out. */
export function undo(server: ServerConnection, kind: number, { statement, name }: ReplyDetail): void {
  const { client, prepared } = server;
  if (statement === undefined) return;
  if (kind === REPLY.parse || kind === REPLY.ownParse) prepared.delete(statement);
  if (kind === REPLY.ownClose) prepared.add(statement);
  if (name === undefined) return;
  if (kind === REPLY.madeClose) client?.session.restore(name, statement);
  else client?.session.forget(name);
}
