/** What a server sends, written: log-in, errors, and tables of text. */
import { utf8 } from "./bytes.ts";
import type { MessageWriter } from "./message-writer.ts";
import { AUTHENTICATION, BACKEND } from "./messages.ts";

/** FATAL ends the session. */
export type ErrorSeverity = "ERROR" | "FATAL";

/** An error as a client gets it. */
export interface ErrorReply {
  readonly severity: ErrorSeverity;
  /** SQLSTATE. */
  readonly code: string;
  readonly message: string;
  readonly detail?: string | undefined;
  readonly hint?: string | undefined;
}

/** An ErrorResponse. */
export function writeError(writer: MessageWriter, error: ErrorReply): void {
  writer.begin(BACKEND.error);
  const field = (kind: string, text: string | undefined): void => {
    // A zero byte would end the field.
    if (text !== undefined) writer.byte(kind.charCodeAt(0)).cstring(text.replaceAll("\0", ""));
  };
  field("S", error.severity);
  field("V", error.severity);
  field("C", error.code);
  field("M", error.message);
  field("D", error.detail);
  field("H", error.hint);
  writer.byte(0).end();
}

/** Who the client is has been shown. */
export function writeAuthenticationOk(writer: MessageWriter): void {
  writer.begin(BACKEND.authentication).int32(AUTHENTICATION.ok).end();
}

/** Asks for something without further data: a password in clear. */
export function writeAuthentication(writer: MessageWriter, kind: number, data?: Uint8Array): void {
  writer.begin(BACKEND.authentication).int32(kind);
  if (data !== undefined) writer.raw(data);
  writer.end();
}

/** A step of SASL: the mechanisms (`sasl`), or the text of the exchange. */
export function writeSasl(writer: MessageWriter, kind: number, data: string | readonly string[]): void {
  writer.begin(BACKEND.authentication).int32(kind);
  if (typeof data === "string") writer.raw(utf8(data));
  else {
    for (const mechanism of data) writer.cstring(mechanism);
    writer.byte(0);
  }
  writer.end();
}

/** What the session has to show when it wants something cancelled. */
export function writeBackendKey(writer: MessageWriter, processId: number, secret: Uint8Array): void {
  writer.begin(BACKEND.backendKey).int32(processId).raw(secret).end();
}

/** The newest minor version that is spoken, and the extensions that are not. */
export function writeNegotiateVersion(
  writer: MessageWriter,
  version: number,
  unknown: readonly string[],
): void {
  writer.begin(BACKEND.negotiateVersion).int32(version).int32(unknown.length);
  for (const name of unknown) writer.cstring(name);
  writer.end();
}

/** A setting's value. */
export function writeParameterStatus(writer: MessageWriter, name: string, value: string): void {
  writer.begin(BACKEND.parameterStatus).cstring(name).cstring(value).end();
}

/** The session waits; `status` is one of `TRANSACTION`. */
export function writeReadyForQuery(writer: MessageWriter, status: number): void {
  writer.begin(BACKEND.readyForQuery).byte(status).end();
}

/** The end of a command: "SELECT 3", "INSERT 0 1". */
export function writeCommandComplete(writer: MessageWriter, tag: string): void {
  writer.begin(BACKEND.commandComplete).cstring(tag).end();
}

/** OID of `text`, which every client can read. */
const TEXT = 25;

/** Rows of text with their columns' names, null included, without the command's end. */
export function writeTable(
  writer: MessageWriter,
  columns: readonly string[],
  rows: readonly (readonly (string | null)[])[],
): void {
  writer.begin(BACKEND.rowDescription).int16(columns.length);
  for (const name of columns) writer.cstring(name).int32(0).int16(0).int32(TEXT).int16(-1).int32(-1).int16(0);
  writer.end();
  for (const row of rows) {
    writer.begin(BACKEND.dataRow).int16(row.length);
    for (const cell of row) {
      const bytes = cell === null ? undefined : utf8(cell);
      writer.int32(bytes?.length ?? -1);
      if (bytes !== undefined) writer.raw(bytes);
    }
    writer.end();
  }
}
