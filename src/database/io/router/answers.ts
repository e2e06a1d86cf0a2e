/**
 * The way from a server to its client: answers are passed on as they are, but for what answers messages of our own.
 *
 * Bytes that nobody need look at (rows, foremost) are not looked at. Of the others the type alone says whose turn is over.
 */
import {
  BACKEND,
  cstringEnd,
  int32At,
  MessageWriter,
  readError,
  SQLSTATE,
  TRANSACTION,
  textOf,
  writeError,
} from "../../../pgwire/index.ts";
import { routerError } from "../../router/refusals.ts";
import { REPLY } from "../../router/reply-queue.ts";
import type { ClientConnection } from "./client-connection.ts";
import type { ClientWrites } from "./client-writes.ts";
import { makeAnswers } from "./made-answers.ts";
import { ready } from "./ready.ts";
import { parameterChanged } from "./reported-settings.ts";
import type { ServerConnection } from "./server-connection.ts";
import { skipToSync, statementsGone } from "./skipped.ts";

const HEADER = 5;
const LETTER_A = 65;
const LETTER_C = 67;
const LETTER_D = 68;
const LETTER_L = 76;
const LETTER_R = 82;

/** What a server may say without having been asked: notices, notifications, settings that changed, and why it ends the session. */
const UNASKED: ReadonlySet<number | undefined> = new Set([
  BACKEND.notice,
  BACKEND.notification,
  BACKEND.parameterStatus,
  BACKEND.error,
]);

/** …and the answer to a Sync that was sent while it read rows, but had met an error already. */
function isUnasked({ skips }: ServerConnection, type: number | undefined): boolean {
  return UNASKED.has(type) || (skips && type === BACKEND.readyForQuery);
}

/** What the server sent: `bytes[start, end)`, borrowed. */
export function passAnswers(server: ServerConnection, bytes: Uint8Array, start: number, end: number): void {
  const { scanner, context } = server;
  context.counters.receivedBytes += end - start;
  server.pool.traffic.sentBytes += end - start;
  // What a deposed primary says reaches nobody.
  if (server.pool.gate?.passes(server) === false)
    return server.fail(routerError("server-lost", "it is not the primary any more"));
  // An answer that belongs to nobody must not become the next client's.
  if (server.replies.length === 0 && scanner.isBetween && !isUnasked(server, bytes[start]))
    return garbled(server, "it answers what nobody has asked");
  scanner.push(bytes, start, end);
  for (let outcome = scanner.next(); outcome !== "more"; outcome = scanner.next()) {
    if (outcome === "frame") {
      if (server.replies.length === 0 && !isUnasked(server, scanner.type))
        return garbled(server, "it answers what nobody has asked");
      const isSeen = answered(server) && server.held?.drops !== true;
      // What follows a message whole is another one: a notice, or rows of a COPY.
      server.dropsRest = !isSeen && (scanner.rest > 0 || server.held?.drops === true);
      if (scanner.type === BACKEND.readyForQuery) server.held?.release(server);
      if (isSeen) pass(server, bytes);
      makeAnswers(server);
      if (scanner.type === BACKEND.readyForQuery) ready(server);
    } else if (outcome === "pass") {
      const { front } = server.replies;
      if (front === REPLY.ownId) writesOf(server)?.idArrives(scanner.bytes, scanner.start, scanner.end);
      else if (!server.dropsRest && front !== REPLY.ownQuery) pass(server, bytes);
    } else {
      return garbled(server, scanner.mistake);
    }
    if (!server.isOpen) return;
  }
  server.flushToClient();
}

/** It does not keep to the protocol: nobody can use it any more. */
function garbled(server: ServerConnection, how: string): void {
  server.context.log.warn("server-garbled", { server: `${server.address.host}:${server.address.port}`, how });
  server.fail(routerError("server-garbled", how));
}

/** Hands the scanner's outcome to the client. */
function pass(server: ServerConnection, lent: Uint8Array): void {
  const { client, scanner } = server;
  if (client === undefined) return;
  if (server.held?.hold(server, scanner.bytes, scanner.start, scanner.end) === true) return;
  server.passed = true;
  if (scanner.bytes === lent) client.batch.add(lent, scanner.start, scanner.end);
  else client.batch.addCopy(scanner.bytes, scanner.start, scanner.end);
}

/** Deals with a message; whether the client is to see it. */
function answered(server: ServerConnection): boolean {
  const { scanner, replies } = server;
  const front = replies.front;
  if (front === REPLY.ownQuery) return answeredOwn(server);
  switch (scanner.type) {
    case BACKEND.rowDescription:
    case BACKEND.noData:
      if (front === REPLY.describe || front === REPLY.ownDescribe) replies.shift();
      return front !== REPLY.ownDescribe || scanner.type === BACKEND.rowDescription;
    case BACKEND.commandComplete:
      if (front === REPLY.ownId) return idKnown(server);
      commandDone(server);
      if (front === REPLY.execute) executed(server);
      return true;
    case BACKEND.emptyQuery:
    case BACKEND.portalSuspended:
      if (front === REPLY.execute) replies.shift();
      return true;
    case BACKEND.bindComplete:
      if (front === REPLY.bind || front === REPLY.ownBind) replies.shift();
      return front !== REPLY.ownBind;
    case BACKEND.parseComplete:
      if (front === REPLY.parse || front === REPLY.ownParse) replies.shift();
      return front === REPLY.parse;
    case BACKEND.closeComplete:
      if (front === REPLY.close || front === REPLY.ownClose) replies.shift();
      return front === REPLY.close;
    case BACKEND.readyForQuery:
      return readyMet(server);
    case BACKEND.error:
      return failed(server);
    case BACKEND.parameterStatus:
      return parameter(server, false);
    case BACKEND.authentication:
    case BACKEND.backendKey:
    case BACKEND.negotiateVersion:
      garbled(server, "it logs in again");
      return false;
    case BACKEND.notification:
      if (server.client !== undefined) signOwn(server, server.client);
      return true;
    case BACKEND.copyInResponse:
      server.copiesIn = !replies.copyBegins();
      return true;
    default:
      return true;
  }
}

/** What a client has notified itself comes from the process that it was told is its own: many leave out what is theirs. */
function signOwn({ scanner, cancelKey }: ServerConnection, { processId }: ClientConnection): void {
  const { bytes, start } = scanner;
  if (int32At(bytes, start + HEADER) !== cancelKey.processId) return;
  new DataView(bytes.buffer, bytes.byteOffset + start + HEADER).setInt32(0, processId);
}

function readyMet(server: ServerConnection): boolean {
  const { scanner } = server;
  server.status = scanner.bytes[scanner.start + HEADER] ?? TRANSACTION.idle;
  if (server.replies.length === 0) server.skips = false;
  return true;
}

/** An answer to a query of our own. */
function answeredOwn(server: ServerConnection): boolean {
  const { scanner } = server;
  if (scanner.type === BACKEND.parameterStatus) return parameter(server, true);
  if (scanner.type === BACKEND.commandComplete) commandDone(server);
  else if (scanner.type === BACKEND.readyForQuery) readyMet(server);
  else if (scanner.type === BACKEND.error) server.ownQueryFailed(scanner.bytes, scanner.start, scanner.end);
  return false;
}

function parameter(server: ServerConnection, isOwn: boolean): boolean {
  const { bytes, start, end } = server.scanner;
  const nameEnd = cstringEnd(bytes, start + HEADER, end);
  if (nameEnd < 0) return true;
  const name = textOf(bytes, start + HEADER, nameEnd);
  return parameterChanged(server, name, textOf(bytes, nameEnd + 1, end - 1), isOwn);
}

function writesOf({ client }: ServerConnection): ClientWrites | undefined {
  return client?.recovery?.writes;
}

/** The transaction's id has been told. */
function idKnown(server: ServerConnection): false {
  server.replies.shift();
  writesOf(server)?.idKnown(server);
  return false;
}

/** A command's tag tells what a statement did to the session, however it was written. */
function commandDone(server: ServerConnection): void {
  const { bytes, start, end } = server.scanner;
  const first = bytes[start + HEADER];
  if (isSchemaChange(first, bytes[start + HEADER + 1])) {
    server.changedSchema = true;
    server.context.statements.schemaChanged();
  }
  if (first !== LETTER_D && first !== LETTER_R) return;
  const tag = textOf(bytes, start + HEADER, end - 1);
  if (tag === "ROLLBACK") server.undone = true;
  else if (tag === "DEALLOCATE ALL") statementsGone(server);
  else if (tag === "DISCARD ALL") server.sessionGone();
  else if (tag === "DISCARD PLANS") return;
}

/** ALTER, CREATE, DROP. */
function isSchemaChange(first: number | undefined, second: number | undefined): boolean {
  if (second === LETTER_R) return first === LETTER_C || first === LETTER_D;
  return second === LETTER_L && first === LETTER_A;
}

function executed(server: ServerConnection): void {
  const { replies } = server;
  const changes = replies.frontDetail?.effects?.settings;
  if (changes !== undefined) server.pending.push(...changes);
  replies.shift();
}

/** An error: the server skips what was sent with it, up to the next sync. What was noted ahead is undone, the last first. */
function failed(server: ServerConnection): boolean {
  const { replies, client } = server;
  server.undone = true;
  server.copiesIn = false;
  const { bytes, start, end } = server.scanner;
  const said = readError(bytes, start, end);
  const goesElsewhere = server.held?.failed(said) === true;
  server.saidGoodbye = said.severity !== "ERROR" && !goesElsewhere;
  // The end of the connection follows, which its session survives.
  if (server.saidGoodbye && client?.recovery?.canSurvive(server) === true) {
    server.saidGoodbye = false;
    writesOf(server)?.terminated();
    return false;
  }
  if (replies.front < REPLY.parse) return !goesElsewhere;
  if (isOutdatedPlan(said.code, replies.front)) server.context.statements.schemaChanged();
  const error = replies.front === REPLY.failing ? replies.frontDetail?.error : undefined;
  if (error !== undefined && client !== undefined) {
    const writer = new MessageWriter();
    writeError(writer, error);
    client.batch.addCopy(writer.bytes, 0, writer.length);
  }
  skipToSync(server);
  writesOf(server)?.errorMet(server);
  return error === undefined && !goesElsewhere;
}

/** Whether an error may come of a statement that was prepared before its tables changed, behind our back. */
function isOutdatedPlan(code: string, front: number): boolean {
  const usesStatement = front === REPLY.bind || front === REPLY.describe || front === REPLY.execute;
  return usesStatement && (code === SQLSTATE.featureNotSupported || code.startsWith("42"));
}
