/**
 * Replies as a client gets them. Bulk strings are bytes, simple strings are text. A RESP3 map comes flat, as its keys and
 * values in turn, and a set as an array: the same shape that RESP2 sends, so that a caller need not ask which it speaks.
 */
import { latin1 } from "./bytes.ts";

/** An error that the server replied. `code` is its first word: "ERR", "WRONGTYPE", "NOAUTH", "MISCONF" … */
export class ReplyError extends Error {
  override readonly name = "ReplyError";
  readonly code: string;

  constructor(message: string) {
    super(message);
    this.code = /^[A-Z][A-Z0-9_-]*/.exec(message)?.[0] ?? "ERR";
  }
}

/** One value of a reply. Whole numbers beyond 2^53 are bigint. */
export type Reply = null | boolean | number | bigint | string | Uint8Array | ReplyError | readonly Reply[];

/** The text of a simple or bulk string, in UTF-8; undefined for other kinds. */
export function textOf(reply: Reply | undefined): string | undefined {
  if (typeof reply === "string") return reply;
  return reply instanceof Uint8Array ? new TextDecoder().decode(reply) : undefined;
}

/** The bytes of a string as text, one character a byte; "" for other kinds. For keys, which need not be UTF-8. */
export function latin1Of(reply: Reply | undefined): string {
  if (typeof reply === "string") return reply;
  return reply instanceof Uint8Array ? latin1(reply, 0, reply.length) : "";
}
