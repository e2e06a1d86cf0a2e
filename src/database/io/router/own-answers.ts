/** What the router says to a client by itself, when no server owes it an answer. */
import {
  type ErrorReply,
  MessageWriter,
  TRANSACTION,
  writeCommandComplete,
  writeError,
  writeReadyForQuery,
  writeTable,
} from "../../../pgwire/index.ts";
import type { ClientConnection } from "./client-connection.ts";
import type { RouterContext } from "./context.ts";

/** Rows of text and the tag of the command; without columns only the tag. */
export interface OwnAnswer {
  readonly columns: readonly string[];
  readonly rows: readonly (readonly (string | null)[])[];
  readonly tag: string;
}

/** An error of the router's own, in `writer`. It is counted. */
export function writeRefusal(
  writer: MessageWriter,
  error: ErrorReply,
  { refusals }: RouterContext,
): MessageWriter {
  refusals.count(error.code);
  writeError(writer, error);
  return writer;
}

/** An error that does not end the session. */
export function refuse(client: ClientConnection, error: ErrorReply): void {
  const writer = new MessageWriter();
  writeRefusal(writer, error, client.context);
  say(client, writer);
}

/** A command that has been carried out. */
export function answer(client: ClientConnection, { columns, rows, tag }: OwnAnswer): void {
  const writer = new MessageWriter();
  if (columns.length > 0) writeTable(writer, columns, rows);
  writeCommandComplete(writer, tag);
  say(client, writer);
}

function say(client: ClientConnection, writer: MessageWriter): void {
  writeReadyForQuery(writer, client.server?.status ?? TRANSACTION.idle);
  client.batch.addCopy(writer.bytes, 0, writer.length);
  if (!client.input.isProcessing) client.batch.flush();
}
