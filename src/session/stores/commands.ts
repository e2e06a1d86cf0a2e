/**
 * How commands reach a Redis-compatible store: the least that sessions need of a client, whichever it is.
 */

/** A reply, nested as the store sent it. RESP3 maps may come as Map. */
export type StoreReply =
  | string
  | number
  | null
  | Error
  | readonly StoreReply[]
  | ReadonlyMap<string, StoreReply>
  | { readonly [name: string]: StoreReply };

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

/** Pairs of an HGETALL: a flat list of RESP2, or a map of RESP3. */
export function pairs(reply: StoreReply): [string, string][] {
  if (reply === null || reply instanceof Error || typeof reply !== "object") return [];
  if (reply instanceof Map) return [...reply].map(([name, value]) => [String(name), String(value)]);
  if (!Array.isArray(reply)) return Object.entries(reply).map(([name, value]) => [name, String(value)]);
  const found: [string, string][] = [];
  for (let at = 0; at + 1 < reply.length; at += 2) found.push([String(reply[at]), String(reply[at + 1])]);
  return found;
}

/** Members of a set or list reply. */
export function members(reply: StoreReply): string[] {
  if (reply instanceof Set) return [...reply].map(String);
  return Array.isArray(reply) ? reply.map(String) : [];
}
