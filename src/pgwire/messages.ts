/**
 * The messages of the protocol (PostgreSQL documentation, "Message Formats"): one row each, and how much of it somebody
 * who passes it on has to look at.
 *
 * A frame is a type byte, a length that counts itself but not the type, and a body. Only the start-up packets of a client
 * have no type.
 */

/** What a message looks like to one who passes it on. */
interface MessageRow {
  /** Its type byte. */
  readonly type: string;
  /**
   * Bytes of the frame, its five of type and length among them, that are handed over in one piece: 0 for none of them,
   * and the frame is passed on unseen; Infinity for all.
   */
  readonly head: number;
  /** Longest frame in bytes; a longer one is a mistake. */
  readonly longest: number;
}

/** Type and length. */
const HEADER = 5;

/** What a statement's text and names take; of a longer one the beginning is looked at. */
const STATEMENT_HEAD = 1024 * 1024;

/** Names of a portal and a statement; the server itself keeps 63 bytes of each. */
const NAMES_HEAD = 4096;

/** What a server's small message may be long at most, names and texts for people included. */
const SMALL = 64 * 1024;

/** The same of a client's, as the server has it (PQ_SMALL_MESSAGE_LIMIT): it closes the connection on which a longer one comes. */
const CLIENT_SMALL = 10_001;

/** 1 GiB - 1, the most that the server takes (PQ_LARGE_MESSAGE_LIMIT). */
const LARGE = 0x3fff_ffff;

const row = (type: string, head: number, longest: number): MessageRow => ({ type, head, longest });

/** Messages of a client after its start-up. */
export type FrontendMessage =
  | "bind"
  | "close"
  | "copyData"
  | "copyDone"
  | "copyFail"
  | "describe"
  | "execute"
  | "flush"
  | "functionCall"
  | "parse"
  | "password"
  | "query"
  | "sync"
  | "terminate";

const FRONTEND_ROWS: Readonly<Record<FrontendMessage, MessageRow>> = {
  bind: row("B", NAMES_HEAD, LARGE),
  close: row("C", NAMES_HEAD, CLIENT_SMALL),
  copyData: row("d", 0, LARGE),
  copyDone: row("c", HEADER, HEADER),
  copyFail: row("f", HEADER, CLIENT_SMALL),
  describe: row("D", NAMES_HEAD, CLIENT_SMALL),
  execute: row("E", NAMES_HEAD, CLIENT_SMALL),
  flush: row("H", HEADER, HEADER),
  functionCall: row("F", HEADER, LARGE),
  parse: row("P", STATEMENT_HEAD, LARGE),
  password: row("p", SMALL, SMALL),
  query: row("Q", STATEMENT_HEAD, LARGE),
  sync: row("S", HEADER, HEADER),
  terminate: row("X", HEADER, HEADER),
};

/** Messages of a server. */
export type BackendMessage =
  | "authentication"
  | "backendKey"
  | "bindComplete"
  | "closeComplete"
  | "commandComplete"
  | "copyBothResponse"
  | "copyData"
  | "copyDone"
  | "copyInResponse"
  | "copyOutResponse"
  | "dataRow"
  | "emptyQuery"
  | "error"
  | "functionResponse"
  | "negotiateVersion"
  | "noData"
  | "notice"
  | "notification"
  | "parameterDescription"
  | "parameterStatus"
  | "parseComplete"
  | "portalSuspended"
  | "readyForQuery"
  | "rowDescription";

const BACKEND_ROWS: Readonly<Record<BackendMessage, MessageRow>> = {
  authentication: row("R", SMALL, SMALL),
  backendKey: row("K", SMALL, SMALL),
  bindComplete: row("2", HEADER, HEADER),
  closeComplete: row("3", HEADER, HEADER),
  commandComplete: row("C", SMALL, SMALL),
  copyBothResponse: row("W", HEADER, SMALL),
  copyData: row("d", 0, LARGE),
  copyDone: row("c", 0, HEADER),
  copyInResponse: row("G", HEADER, SMALL),
  copyOutResponse: row("H", 0, SMALL),
  dataRow: row("D", 0, LARGE),
  emptyQuery: row("I", HEADER, HEADER),
  error: row("E", SMALL, LARGE),
  functionResponse: row("V", 0, LARGE),
  negotiateVersion: row("v", SMALL, SMALL),
  noData: row("n", HEADER, HEADER),
  notice: row("N", 0, LARGE),
  notification: row("A", HEADER + 4, SMALL),
  parameterDescription: row("t", 0, LARGE),
  parameterStatus: row("S", SMALL, SMALL),
  parseComplete: row("1", HEADER, HEADER),
  portalSuspended: row("s", HEADER, HEADER),
  readyForQuery: row("Z", HEADER + 1, HEADER + 1),
  rowDescription: row("T", HEADER, LARGE),
};

function typesOf<Name extends string>(
  rows: Readonly<Record<Name, MessageRow>>,
): Readonly<Record<Name, number>> {
  const types = Object.entries<MessageRow>(rows).map(([name, { type }]) => [name, type.charCodeAt(0)]);
  return Object.freeze(Object.fromEntries(types));
}

/** Type bytes of a client's messages. */
export const FRONTEND: Readonly<Record<FrontendMessage, number>> = typesOf(FRONTEND_ROWS);
/** Type bytes of a server's messages. */
export const BACKEND: Readonly<Record<BackendMessage, number>> = typesOf(BACKEND_ROWS);

/** By type byte: `longest` frame in bytes, 0 for no such message; `head`, what of it is handed over in one piece. */
export interface FrameTable {
  readonly longest: Int32Array;
  readonly head: Int32Array;
}

function tableOf(rows: Readonly<Record<string, MessageRow>>): FrameTable {
  const table = { longest: new Int32Array(256), head: new Int32Array(256) };
  for (const { type, head, longest } of Object.values(rows)) {
    table.longest[type.charCodeAt(0)] = longest;
    table.head[type.charCodeAt(0)] = head;
  }
  return table;
}

/** The frames of a client. */
export const FRONTEND_FRAMES: FrameTable = tableOf(FRONTEND_ROWS);
/** The frames of a server. */
export const BACKEND_FRAMES: FrameTable = tableOf(BACKEND_ROWS);

/** What a server asks for with `authentication`. */
export const AUTHENTICATION = {
  ok: 0,
  cleartext: 3,
  md5: 5,
  sasl: 10,
  saslContinue: 11,
  saslFinal: 12,
} as const;

/** Where a session stands, as `readyForQuery` says: no transaction, in one, in one that has failed. */
export const TRANSACTION = { idle: 73, open: 84, failed: 69 } as const;
