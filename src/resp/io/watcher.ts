/**
 * Optimistic transactions: WATCH, a decision, MULTI … EXEC. WATCH holds for all that is sent on its connection, so they have
 * connections of their own, and one runs at a time.
 */
import { type Reply, ReplyError } from "../reply.ts";
import type { Request } from "../request.ts";
import type { RespClient } from "./client.ts";

/** Reads by `send`, and says what to run; undefined for nothing. May be asked again when the store redirects. */
export type Decide = (send: (request: Request) => Promise<Reply>) => Promise<readonly Request[] | undefined>;

/** Connections for watches, by name, each opened at its first use. */
export class Watcher {
  readonly #connect: (name: string) => RespClient;
  readonly #clients = new Map<string, RespClient>();
  #last: Promise<unknown> = Promise.resolve();

  constructor(connect: (name: string) => RespClient) {
    this.#connect = connect;
  }

  /** Runs a watch when those before it are over. */
  run<T>(watch: (connection: (name: string) => RespClient) => Promise<T>): Promise<T> {
    const ran = this.#last.then(() => watch((name) => this.#client(name)));
    this.#last = ran.catch(() => undefined);
    return ran;
  }

  /** Ends the connections whose name is not among `names`. For use within `run`. */
  keep(names: readonly string[]): void {
    for (const [name, client] of this.#clients) {
      if (names.includes(name)) continue;
      client.close();
      this.#clients.delete(name);
    }
  }

  close(): void {
    for (const client of this.#clients.values()) client.close();
  }

  #client(name: string): RespClient {
    const known = this.#clients.get(name);
    if (known !== undefined) return known;
    const made = this.#connect(name);
    this.#clients.set(name, made);
    return made;
  }
}

/** One watch on a connection. With `asking` each request says that an ASK redirection sent it. */
export async function watchOn(
  client: RespClient,
  key: string,
  decide: Decide,
  asking = false,
): Promise<readonly Reply[] | undefined> {
  const send = async (request: Request): Promise<Reply> => {
    const reply = (await client.pipeline(asking ? [ASKING, request] : [request])).at(-1) ?? null;
    if (reply instanceof ReplyError) throw reply;
    return reply;
  };
  await send(["WATCH", key]);
  let chosen: readonly Request[] | undefined;
  try {
    chosen = await decide(send);
  } finally {
    if (chosen === undefined) await client.call(["UNWATCH"]);
  }
  if (chosen === undefined) return undefined;
  const transaction: Request[] = [["MULTI"], ...chosen, ["EXEC"]];
  const replies = await client.pipeline(asking ? [ASKING, ...transaction] : transaction);
  return transactionReplies(replies);
}

/** Sent before a request that an ASK redirection brought, and before MULTI for all of a transaction. */
export const ASKING: Request = ["ASKING"];

/** What EXEC gave; undefined when a watched key had changed. Throws the first refusal when nothing was run. */
function transactionReplies(replies: readonly Reply[]): readonly Reply[] | undefined {
  const last = replies.at(-1) ?? null;
  if (last === null) return undefined;
  if (Array.isArray(last)) return last;
  throw replies.find((reply) => reply instanceof ReplyError) ?? new ReplyError("EXECABORT nothing was run");
}
