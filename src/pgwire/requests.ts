/** What a client sends, written: start-up, log-in, simple queries, and the few messages that need no more than this. */
import { utf8 } from "./bytes.ts";
import type { MessageWriter } from "./message-writer.ts";
import { FRONTEND } from "./messages.ts";
import { VERSION_3_0 } from "./startup.ts";

const CANCEL_REQUEST = 0x04d2_162e;

/** Opens a session; `parameters` hold at least `user`. */
export function writeStartup(
  writer: MessageWriter,
  parameters: Iterable<readonly [string, string]>,
  version: number = VERSION_3_0,
): void {
  writer.begin().int32(version);
  for (const [name, value] of parameters) writer.cstring(name).cstring(value);
  writer.byte(0).end();
}

/** Asks to cancel what the session with this key does; for a connection of its own. */
export function writeCancelRequest(writer: MessageWriter, processId: number, secret: Uint8Array): void {
  writer.begin().int32(CANCEL_REQUEST).int32(processId).raw(secret).end();
}

/** A simple query. */
export function writeQuery(writer: MessageWriter, sql: string): void {
  writer.begin(FRONTEND.query).cstring(sql).end();
}

/** A password in clear, or the answer to md5. */
export function writePassword(writer: MessageWriter, password: string): void {
  writer.begin(FRONTEND.password).cstring(password).end();
}

/** The first SASL message: the mechanism and what it begins with. */
export function writeSaslInitial(writer: MessageWriter, mechanism: string, data: string): void {
  const bytes = utf8(data);
  writer.begin(FRONTEND.password).cstring(mechanism).int32(bytes.length).raw(bytes).end();
}

/** A further SASL message. */
export function writeSaslResponse(writer: MessageWriter, data: string): void {
  writer.begin(FRONTEND.password).raw(utf8(data)).end();
}

/** Closes a prepared statement ("S") or a portal ("P"). */
export function writeClose(writer: MessageWriter, kind: "S" | "P", name: string): void {
  writer.begin(FRONTEND.close).byte(kind.charCodeAt(0)).cstring(name).end();
}

/** Ends a batch of extended messages. */
export function writeSync(writer: MessageWriter): void {
  writer.begin(FRONTEND.sync).end();
}

/** The last word of a session. */
export function writeTerminate(writer: MessageWriter): void {
  writer.begin(FRONTEND.terminate).end();
}
