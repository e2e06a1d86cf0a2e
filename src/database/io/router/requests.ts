/**
 * The way from a client to its server connection: messages are passed on as they are, but for the names of prepared
 * statements, which are the client's on one side and ours on the other.
 */
import { cstringEnd, FRONTEND, SQLSTATE, textOf, utf8 } from "../../../pgwire/index.ts";
import { isOurName, type Statement } from "../../router/prepared.ts";
import { REPLY, type ReplyDetail } from "../../router/reply-queue.ts";
import {
  lookAtStatement,
  maySuspect,
  NO_EFFECTS,
  type StatementEffects,
} from "../../router/statement-effects.ts";
import type { ClientConnection } from "./client-connection.ts";
import { keepServer } from "./hand-back.ts";
import { makeAnswers } from "./made-answers.ts";
import { answer } from "./own-answers.ts";
import { queryBegins } from "./query-times.ts";
import type { ServerConnection } from "./server-connection.ts";

/** A message, or its beginning: `bytes[start, end)`; `rest` bytes follow. */
export interface Frame {
  readonly type: number;
  readonly bytes: Uint8Array;
  readonly start: number;
  readonly end: number;
  readonly rest: number;
}

const HEADER = 5;

/** "S" for a statement, "P" for a portal. */
const STATEMENT = 83;

/** Longest body of a Parse without a name that is kept, in case the session goes on elsewhere before its Bind. */
const UNNAMED_MAX = 4096;

/** Messages without an answer yet, of one server connection. Each took five bytes of the client's or more, and takes one of ours… */
const REPLIES_MAX = 1_000_000;
/** …but for those with a name or a setting to undo: some 100 bytes each. */
const DETAILED_MAX = 100_000;

/** Prepared statements of one client: far more than anybody uses, and less than fills the memory. */
const STATEMENTS_MAX = 100_000;

/** Characters by which search paths are told apart: they are kept with each statement. */
const PATH_MAX = 1000;

/** A statement that cannot exist: what is done with it fails, and has the server skip what follows. */
const NO_STATEMENT = utf8("tenfold: none\0");

const NO_UNNAMED = "unnamed prepared statement does not exist";
const noSuch = (name: string): string => `prepared statement "${name}" does not exist`;

/** Passes bytes on. `stays`: they stay as they are until the batch goes out. */
export function forward(server: ServerConnection, { bytes, start, end }: Frame, stays: boolean): void {
  if (stays) server.batch.add(bytes, start, end);
  else server.batch.addCopy(bytes, start, end);
}

/** Deals with one message of the client. When it needs a server connection and there is none, it will be passed again. */
export function passRequest(client: ClientConnection, frame: Frame, stays: boolean): void {
  if (client.recovery?.takes(frame) === true) return;
  switch (frame.type) {
    case FRONTEND.terminate:
      return client.leave();
    case FRONTEND.password:
      return client.failWith("protocol-violation", "a password nobody asked for");
    case FRONTEND.flush:
      if (client.server === undefined && client.reads?.flushes(frame) === true) return;
      if (client.server !== undefined && client.recovery?.writes.takeFlush(client.server, frame) !== true)
        forward(client.server, frame, stays);
      return;
    case FRONTEND.copyDone:
    case FRONTEND.copyFail:
      return copyEnds(client, frame, stays);
    case FRONTEND.query:
      if (client.moves && endsHere(client, frame)) return;
  }
  if (client.reads !== undefined) {
    if (client.server !== undefined) client.reads.continues(frame);
    else if (client.reads.take(frame)) return;
  }
  const server = client.serverFor(frame);
  if (server === undefined) return;
  // Nothing comes of it, so nothing is noted of it either.
  if (server.skips && frame.type !== FRONTEND.sync) return forward(server, frame, stays);
  const { length, detailed } = server.replies;
  if (length >= REPLIES_MAX || detailed >= DETAILED_MAX) return client.failWith("pipeline-exceeded");
  const write = WRITERS[frame.type];
  if (write === undefined) return forward(server, frame, stays);
  if (server.queryMs < 0) queryBegins(server);
  if (client.recovery?.tracks(server, frame) === true) return;
  server.isInBatch = frame.type !== FRONTEND.sync && frame.type !== FRONTEND.query;
  write(client, server, frame, stays);
}

type Write = (client: ClientConnection, server: ServerConnection, frame: Frame, stays: boolean) => void;

/** Message type -> what is done with it. */
const WRITERS: Readonly<Record<number, Write>> = {
  [FRONTEND.query]: query,
  [FRONTEND.parse]: parse,
  [FRONTEND.bind]: bind,
  [FRONTEND.describe]: describe,
  [FRONTEND.execute]: execute,
  [FRONTEND.close]: close,
  [FRONTEND.sync]: sync,
  [FRONTEND.functionCall]: call,
};

// --- simple queries -----------------------------------------------------------------------------------------------

function query(client: ClientConnection, server: ServerConnection, frame: Frame, stays: boolean): void {
  const effects = client.hasSettings ? effectsOf(client, frame, frame.start + HEADER) : NO_EFFECTS;
  if (effects.pin !== undefined && client.moves) keepServer(client, effects.pin);
  client.recovery?.sends(server, frame.bytes, frame.start + HEADER, frame.end);
  client.session.unnamed = server.unnamedOf = undefined; // a simple query ends it
  pathChanges(server, effects);
  server.replies.push(REPLY.query, effects.settings.length > 0 ? { effects } : undefined);
  forward(server, frame, stays);
}

/** What makes the search path that the next message meets, as far as it tells paths apart; "": the default. */
function searchPathOf({ searchPath, settings }: ServerConnection): string {
  const path = searchPath ?? settings.get("search_path") ?? "";
  return path.length > PATH_MAX ? path.slice(0, PATH_MAX) : path;
}

/** What is prepared from here on means other tables. */
function pathChanges(server: ServerConnection, { searchPath }: StatementEffects): void {
  if (searchPath !== undefined) server.searchPath = searchPath;
}

function effectsOf(client: ClientConnection, { bytes, end }: Frame, start: number): StatementEffects {
  const { reads, context } = client;
  if (reads === undefined && context.lookAt === lookAtStatement && !maySuspect(bytes, start, end))
    return NO_EFFECTS;
  const textEnd = cstringEnd(bytes, start, end);
  const text = textOf(bytes, start, textEnd < 0 ? end : textEnd);
  reads?.session.sawText(text);
  return context.lookAt(text);
}

/** "D" or "d", as in DEALLOCATE. */
const isLetterD = (byte: number | undefined): boolean => byte === 68 || byte === 100;

/** DEALLOCATE of a statement that was prepared by Parse: no server knows it by that name. */
function endsHere(client: ClientConnection, frame: Frame): boolean {
  if (!isLetterD(frame.bytes[frame.start + HEADER]) || client.session.size === 0) return false;
  if (client.server !== undefined && !client.server.canBeSpokenFor) return false;
  const { deallocates } = effectsOf(client, frame, frame.start + HEADER);
  if (deallocates === undefined || client.session.named(deallocates) === undefined) return false;
  client.session.forget(deallocates);
  answer(client, { columns: [], rows: [], tag: "DEALLOCATE" });
  return true;
}

function call(_: ClientConnection, server: ServerConnection, frame: Frame, stays: boolean): void {
  server.replies.push(REPLY.call);
  forward(server, frame, stays);
}

function copyEnds({ server }: ClientConnection, frame: Frame, stays: boolean): void {
  if (server === undefined) return;
  if (!server.copiesIn) server.replies.pushCopyEnd();
  server.copiesIn = false;
  forward(server, frame, stays);
}

// --- extended queries ---------------------------------------------------------------------------------------------

function sync(_: ClientConnection, server: ServerConnection, frame: Frame, stays: boolean): void {
  // While it reads rows the server ignores it.
  if (!server.copiesIn) server.replies.push(REPLY.sync);
  server.skips = false;
  forward(server, frame, stays);
}

function parse(client: ClientConnection, server: ServerConnection, frame: Frame, stays: boolean): void {
  if (!client.moves) return passAs(server, REPLY.parse, frame, stays);
  const { bytes, start, end, rest } = frame;
  const nameEnd = cstringEnd(bytes, start + HEADER, end);
  if (nameEnd === start + HEADER) return parseUnnamed(client, server, frame, stays);
  if (nameEnd < 0 || rest > 0) {
    keepServer(client, "long-statement");
    return passAs(server, REPLY.parse, frame, stays);
  }
  const name = textOf(bytes, start + HEADER, nameEnd);
  if (client.session.named(name) !== undefined) return failParse(server, name);
  if (client.session.size >= STATEMENTS_MAX) return client.failWith("statements-exceeded");
  const statement = client.context.statements.use(
    bytes,
    nameEnd + 1,
    end,
    () => effectsOf(client, frame, nameEnd + 1),
    searchPathOf(server),
  );
  client.session.name(name, statement);
  client.record.traffic.clientParses++;
  if (statement.effects.pin !== undefined) keepServer(client, statement.effects.pin);
  if (server.prepared.touch(statement)) {
    client.context.counters.statementsReused++;
    server.replies.push(REPLY.madeParse, { name, statement });
    makeAnswers(server);
  } else {
    prepare(server, statement, REPLY.parse, name);
  }
}

function passAs(server: ServerConnection, kind: number, frame: Frame, stays: boolean): void {
  server.replies.push(kind);
  forward(server, frame, stays);
}

function parseUnnamed(
  client: ClientConnection,
  server: ServerConnection,
  frame: Frame,
  stays: boolean,
): void {
  const { bytes, start, end, rest } = frame;
  const { session } = client;
  const bodyStart = start + HEADER + 1;
  server.unnamedOf = client;
  // The statement of before, as in a loop over parameters: what it leaves behind is known.
  if (rest === 0 && session.isUnnamed(bytes, bodyStart, end) && session.unnamedEffects === NO_EFFECTS)
    return passAs(server, REPLY.parse, frame, stays);
  const isKept = rest === 0 && end - bodyStart <= UNNAMED_MAX;
  session.unnamed = isKept ? bytes.slice(bodyStart, end) : undefined;
  const effects = effectsOf(client, frame, bodyStart);
  session.unnamedEffects = effects;
  if (effects.pin !== undefined) keepServer(client, effects.pin);
  passAs(server, REPLY.parse, frame, stays);
}

/** A second Parse by one name. */
function failParse(server: ServerConnection, name: string): void {
  fails(server, SQLSTATE.duplicateStatement, `prepared statement "${name}" already exists`);
  server.write(FRONTEND.describe, [Uint8Array.of(STATEMENT), NO_STATEMENT], 0);
}

/** What is sent next has the server fail, and skip what follows: the client is told this. */
function fails(server: ServerConnection, code: string, message: string): void {
  server.replies.push(REPLY.failing, { error: { severity: "ERROR", code, message } });
}

/** Sends a Parse of ours; the statement used least recently goes when there are too many. */
function prepare(server: ServerConnection, statement: Statement, kind: number, name?: string): void {
  server.context.counters.statementsPrepared++;
  server.pool.traffic.serverParses++;
  const detail: ReplyDetail = { statement, name };
  server.replies.push(kind, detail);
  server.write(FRONTEND.parse, [statement.name, statement.body], 0);
  const surplus = server.prepared.add(statement);
  if (surplus === undefined) return;
  server.replies.push(REPLY.ownClose, { statement: surplus });
  server.write(FRONTEND.close, [Uint8Array.of(STATEMENT), surplus.name], 0);
}

/** The client's statement. Where names mean other tables by now it is the one for those, as the server would analyse it anew. */
function statementNamed(
  { session, context }: ClientConnection,
  server: ServerConnection,
  name: string,
): Statement | undefined {
  const statement = session.named(name);
  const path = searchPathOf(server);
  if (statement === undefined || statement.path === path) return statement;
  const { body, effects } = statement;
  const present = context.statements.use(body, 0, body.length, () => effects, path);
  session.forget(name);
  session.name(name, present);
  return present;
}

/** The server has the client's statement after this, under our name. */
export function provide(server: ServerConnection, statement: Statement): void {
  if (!server.prepared.touch(statement)) prepare(server, statement, REPLY.ownParse);
}

/** The statement without a name belongs to whoever sent the last Parse: whether it is this client's after this, and not another's. */
function provideUnnamed(client: ClientConnection, server: ServerConnection): boolean {
  if (server.unnamedOf === client) return true;
  if (client.session.unnamed === undefined) return false;
  server.unnamedOf = client;
  server.replies.push(REPLY.ownParse);
  server.write(FRONTEND.parse, [Uint8Array.of(0), client.session.unnamed], 0);
  return true;
}

function bind(client: ClientConnection, server: ServerConnection, frame: Frame, stays: boolean): void {
  if (!client.moves) return passAs(server, REPLY.bind, frame, stays);
  const { bytes, start, end, rest } = frame;
  const portalEnd = cstringEnd(bytes, start + HEADER, end);
  const nameEnd = portalEnd < 0 ? -1 : cstringEnd(bytes, portalEnd + 1, end);
  if (nameEnd < 0 && rest > 0)
    return client.failWith("protocol-violation", "the names in a Bind are too long");
  if (nameEnd < 0) return passAs(server, REPLY.bind, frame, stays); // the server says what is wrong with it
  if (nameEnd === portalEnd + 1) {
    if (!provideUnnamed(client, server)) return bindNone(server, frame, portalEnd, NO_UNNAMED);
    client.session.bound = client.session.unnamedEffects;
    const { unnamed } = client.session;
    if (unnamed === undefined) client.recovery?.sendsUnknown(server);
    else client.recovery?.sends(server, unnamed, 0, unnamed.length);
    return passAs(server, REPLY.bind, frame, stays);
  }
  const name = textOf(bytes, portalEnd + 1, nameEnd);
  const statement = statementNamed(client, server, name);
  if (statement === undefined && isOurName(name)) return bindNone(server, frame, portalEnd, noSuch(name));
  if (statement === undefined) return passAs(server, REPLY.bind, frame, stays);
  provide(server, statement);
  server.pool.traffic.binds++;
  client.session.bound = statement.effects;
  client.recovery?.sends(server, statement.body, 0, statement.body.length);
  server.replies.push(REPLY.bind);
  const writer = server.begin(FRONTEND.bind);
  writer
    .copy(bytes, start + HEADER, portalEnd + 1)
    .raw(statement.name)
    .copy(bytes, nameEnd + 1, end);
  server.end(rest);
}

/** A Bind to a statement that this client does not have, though the server may have one of that name. */
function bindNone(server: ServerConnection, frame: Frame, portalEnd: number, message: string): void {
  const { bytes, start, end, rest } = frame;
  const nameEnd = cstringEnd(bytes, portalEnd + 1, end);
  fails(server, SQLSTATE.invalidStatementName, message);
  const portal = bytes.subarray(start + HEADER, portalEnd + 1);
  server.write(FRONTEND.bind, [portal, NO_STATEMENT, bytes.subarray(nameEnd + 1, end)], rest);
}

function describe(client: ClientConnection, server: ServerConnection, frame: Frame, stays: boolean): void {
  const { bytes, start, end } = frame;
  if (!client.moves || bytes[start + HEADER] !== STATEMENT)
    return passAs(server, REPLY.describe, frame, stays);
  const nameStart = start + HEADER + 1;
  const nameEnd = cstringEnd(bytes, nameStart, end);
  const name = nameEnd > nameStart ? textOf(bytes, nameStart, nameEnd) : "";
  const statement = statementNamed(client, server, name);
  const isMissing = nameEnd === nameStart ? !provideUnnamed(client, server) : isOurName(name);
  if (statement === undefined && !isMissing) return passAs(server, REPLY.describe, frame, stays);
  if (statement === undefined) {
    fails(server, SQLSTATE.invalidStatementName, name === "" ? NO_UNNAMED : noSuch(name));
    return server.write(FRONTEND.describe, [Uint8Array.of(STATEMENT), NO_STATEMENT], 0);
  }
  provide(server, statement);
  server.replies.push(REPLY.describe);
  server.write(FRONTEND.describe, [Uint8Array.of(STATEMENT), statement.name], 0);
}

function execute(client: ClientConnection, server: ServerConnection, frame: Frame, stays: boolean): void {
  const effects = client.session.bound;
  if (client.moves && frame.rest === 0 && deallocated(client, server, effects?.deallocates)) return;
  const changes = effects !== undefined && effects.settings.length > 0;
  if (effects !== undefined) pathChanges(server, effects);
  server.replies.push(REPLY.execute, changes ? { effects } : undefined);
  forward(server, frame, stays);
}

function close(client: ClientConnection, server: ServerConnection, frame: Frame, stays: boolean): void {
  const { bytes, start, end } = frame;
  const nameStart = start + HEADER + 1;
  const nameEnd = cstringEnd(bytes, nameStart, end);
  const isNamed = client.moves && bytes[start + HEADER] === STATEMENT && nameEnd > nameStart;
  const name = isNamed ? textOf(bytes, nameStart, nameEnd) : "";
  const statement = client.session.named(name);
  if (statement === undefined) {
    if (client.moves && bytes[start + HEADER] === STATEMENT && nameEnd === nameStart)
      client.session.unnamed = server.unnamedOf = undefined;
    if (!isOurName(name)) return passAs(server, REPLY.close, frame, stays);
    server.replies.push(REPLY.close);
    return server.write(FRONTEND.close, [Uint8Array.of(STATEMENT), NO_STATEMENT], 0);
  }
  client.session.forget(name);
  server.replies.push(REPLY.madeClose, { name, statement });
  makeAnswers(server);
}

/** DEALLOCATE, in an extended query, of a statement that was prepared by Parse. The server has agreed to its Parse and Bind. */
function deallocated(client: ClientConnection, server: ServerConnection, name: string | undefined): boolean {
  const statement = name === undefined ? undefined : client.session.named(name);
  if (name === undefined || statement === undefined) return false;
  client.session.forget(name);
  server.replies.push(REPLY.madeDeallocate, { name, statement });
  makeAnswers(server);
  return true;
}
