/** Messages of the router's own around a write whose outcome it wants to know. */
import {
  BACKEND,
  cstringEnd,
  FRONTEND,
  int32At,
  type MessageWriter,
  TRANSACTION,
  textOf,
  utf8,
  writeCommandComplete,
  writeReadyForQuery,
} from "../../../pgwire/index.ts";
import type { Statement } from "../../router/prepared.ts";
import { REPLY } from "../../router/reply-queue.ts";
import { NO_EFFECTS } from "../../router/statement-effects.ts";
import type { Bytes } from "./bytes.ts";
import { type Frame, provide } from "./requests.ts";
import type { ServerConnection } from "./server-connection.ts";
import type { WriteState } from "./write-state.ts";

const HEADER = 5;

/** Gives the id of the transaction under way, and none to one that has written nothing. */
export const ID_SQL = "SELECT pg_catalog.pg_current_xact_id_if_assigned()";

/** The portal of that: the client's own stay as they are. It ends with the transaction. */
const ID_PORTAL = utf8("tenfold_id\0");

const NO_NAME = Uint8Array.of(0);
/** No formats, no parameters: all is text. */
const NO_PARAMETERS = new Uint8Array(6);
const NO_TYPES = new Uint8Array(2);
const ALL_ROWS = new Uint8Array(4);
const PORTAL = Uint8Array.of(80);

/** Asks for the transaction's id, behind what has been sent. */
export function askForId(server: ServerConnection, statement: Statement): void {
  provide(server, statement);
  server.replies.push(REPLY.ownBind);
  server.write(FRONTEND.bind, [ID_PORTAL, statement.name, NO_PARAMETERS], 0);
  server.replies.push(REPLY.ownId);
  server.write(FRONTEND.execute, [ID_PORTAL, ALL_ROWS], 0);
  server.write(FRONTEND.flush, [], 0);
  server.isInBatch = true;
}

/** Ends a batch: outside of a transaction it is committed now. */
export function sendSync(server: ServerConnection): void {
  server.replies.push(REPLY.sync);
  server.skips = false;
  server.isInBatch = false;
  server.write(FRONTEND.sync, [], 0);
  server.flush();
}

/** "$1" means something in an extended query. */
const PARAMETER = /\$\d/;

/**
 * Sends a simple query of one statement as an extended one without its Sync, its answers as those of a simple query. False: it might not be
 * the same.
 */
export function sendAsExtended(server: ServerConnection, { bytes, start, end }: Frame): boolean {
  const textEnd = cstringEnd(bytes, start + HEADER, end);
  const text = textEnd < 0 ? "" : textOf(bytes, start + HEADER, textEnd);
  if (text === "" || PARAMETER.test(text) || server.context.lookAt(text) !== NO_EFFECTS) return false;
  server.client?.reads?.session.sawText(text);
  // Where a backslash is an escape a statement may end elsewhere.
  const setting = "standard_conforming_strings";
  if (server.settings.get(setting) !== undefined || server.pool.baseline?.get(setting) === "off")
    return false;
  server.unnamedOf = undefined;
  server.isInBatch = true;
  server.replies.push(REPLY.ownParse);
  server.write(FRONTEND.parse, [NO_NAME, bytes.subarray(start + HEADER, textEnd + 1), NO_TYPES], 0);
  server.replies.push(REPLY.ownBind);
  server.write(FRONTEND.bind, [NO_NAME, NO_NAME, NO_PARAMETERS], 0);
  server.replies.push(REPLY.ownDescribe);
  server.write(FRONTEND.describe, [PORTAL, NO_NAME], 0);
  server.replies.push(REPLY.execute);
  server.write(FRONTEND.execute, [NO_NAME, ALL_ROWS], 0);
  return true;
}

const LETTER_ROW = 68;

/** The id in the answer: messages, of which one is a row of one value; null: the transaction has none. */
export function idIn({ bytes, length }: Bytes): bigint | null {
  for (let at = 0; at + HEADER <= length; at += 1 + int32At(bytes, at + 1)) {
    if (bytes[at] !== LETTER_ROW) continue;
    const size = int32At(bytes, at + HEADER + 2);
    const start = at + HEADER + 6;
    return size < 0 ? null : BigInt(textOf(bytes, start, start + size));
  }
  return null;
}

/** Sends the COMMIT that waited for the id. */
export function sendCommit(batch: WriteState, server: ServerConnection): void {
  batch.step = "committing";
  batch.feed(batch.kept.frames());
  // Behind a Flush more may follow.
  batch.isComplete = !server.isInBatch;
}

/** The answers to a COMMIT that was carried out, as far as they are `owed`. */
export function writeCommitted(writer: MessageWriter, owed: readonly number[]): void {
  for (const kind of owed) {
    if (kind === REPLY.parse) writer.begin(BACKEND.parseComplete).end();
    else if (kind === REPLY.bind) writer.begin(BACKEND.bindComplete).end();
    else if (kind === REPLY.describe) writer.begin(BACKEND.noData).end();
    else if (kind === REPLY.close || kind === REPLY.madeClose) writer.begin(BACKEND.closeComplete).end();
    else if (kind === REPLY.madeDeallocate) writeCommandComplete(writer, "DEALLOCATE");
    else if (kind === REPLY.execute || kind === REPLY.query) writeCommandComplete(writer, "COMMIT");
    if (kind === REPLY.query || kind === REPLY.sync) writeReadyForQuery(writer, TRANSACTION.idle);
  }
}
