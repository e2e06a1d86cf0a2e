/**
 * How commands reach a Redis-compatible store: the least that sessions need of a client, whichever it is.
 */

/** A reply. Bulk and simple strings are text, a map is flat (names and values in turn), a set is a list. */
export type StoreReply = string | number | null | Error | readonly StoreReply[];

/** A command and its arguments. */
export type StoreCommand = readonly string[];

/** A client of a Redis-compatible store. All methods reject when the connection fails. */
export interface StoreCommands {
  /** Runs one command. An error reply rejects. */
  send(command: StoreCommand): Promise<StoreReply>;
  /**
   * Runs commands as MULTI … EXEC, sent in one piece. A command that the store refuses when it is run is an Error in
   * the list, the others stand.
   */
  transaction(commands: readonly StoreCommand[]): Promise<readonly StoreReply[]>;
  /**
   * WATCHes `key` on a connection that nobody else uses meanwhile, lets `decide` read and choose, and runs what it
   * chose as MULTI … EXEC. Undefined when the key changed in between, or when nothing was chosen.
   */
  watched(
    key: string,
    decide: (send: StoreCommands["send"]) => Promise<readonly StoreCommand[] | undefined>,
  ): Promise<readonly StoreReply[] | undefined>;
}

/** Names and values of an HGETALL. */
export function pairs(reply: StoreReply): [string, string][] {
  const texts = members(reply);
  return Array.from({ length: texts.length >> 1 }, (_, index) => [
    texts[2 * index] ?? "",
    texts[2 * index + 1] ?? "",
  ]);
}

/** Members of a set or list reply; "" for a null among them. */
export function members(reply: StoreReply): string[] {
  return Array.isArray(reply) ? reply.map((member: StoreReply) => textOfReply(member)) : [];
}

/** The text of a string or number; "" for all else. */
export function textOfReply(reply: StoreReply | undefined): string {
  return typeof reply === "string" || typeof reply === "number" ? String(reply) : "";
}
