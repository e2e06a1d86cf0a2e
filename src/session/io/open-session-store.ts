/**
 * A session store by its URL: Redis, Valkey or the embedded store, over connections of our own client; or Postgres, over
 * those of the app's package `pg`.
 */
import { isPostgresUrl } from "../../postgres/index.ts";
import { type Reply, ReplyError, textOf } from "../../resp/index.ts";
import { RespClient, type RespClientOptions } from "../../resp/io/index.ts";
import type { SessionStore } from "../store.ts";
import type { StoreCommand, StoreCommands, StoreReply } from "../stores/commands.ts";
import { refusingEviction } from "../stores/eviction.ts";
import { KEY_PREFIX, redisStore } from "../stores/redis.ts";
import { postgresSessions } from "./postgres-store.ts";

/** Where the store is. */
export interface SessionStoreOptions {
  /** Keys begin with it: one store may hold several apps' sessions. Default "session:". */
  readonly prefix?: string;
  /** Sessions may vanish when the server's memory is full. Default false: such a server is refused. */
  readonly allowEviction?: boolean;
  /** The rest of the client's options: deadlines, TLS. Of these Postgres takes `deadlineMs`; its TLS is in the URL. */
  readonly client?: Omit<RespClientOptions, "url">;
}

/** A session store with connections. */
export interface OpenSessionStore extends SessionStore {
  /** For stores of other formats: `jsonStore(store.commands)`. Throws a TypeError on Postgres, which has none. */
  readonly commands: StoreCommands;
  close(): void;
}

/**
 * Opens a session store: `redis://`, `rediss://`, `valkey://`, `valkeys://`, or `pg://`. Connects by and by; calls that come
 * before wait, up to their deadline. @throws TypeError when it is no such URL.
 */
export function openSessionStore(url: string, options: SessionStoreOptions = {}): OpenSessionStore {
  return isPostgresUrl(url) ? openPostgres(url, options) : openRedis(url, options);
}

function openPostgres(
  url: string,
  { prefix = KEY_PREFIX, client = {} }: SessionStoreOptions,
): OpenSessionStore {
  const { deadlineMs } = client;
  const store = postgresSessions({ url, prefix, ...(deadlineMs === undefined ? {} : { deadlineMs }) });
  return Object.defineProperty(store, "commands", {
    get: () => {
      throw new TypeError("a session store in Postgres takes no commands of Redis");
    },
  }) as OpenSessionStore;
}

function openRedis(url: string, options: SessionStoreOptions): OpenSessionStore {
  const client = new RespClient({ ...options.client, url });
  const watcher = new Watcher(() => new RespClient({ ...options.client, url }));
  const unchecked: StoreCommands = {
    send: async (command) => toReply(await client.call(command)),
    transaction: async (list) => (await runTransaction(client, list)) ?? [],
    watched: (key, decide) => watcher.watched(key, decide),
  };
  const commands = refusingEviction(unchecked, { allowEviction: options.allowEviction ?? false });
  return {
    ...redisStore(commands, options.prefix ?? KEY_PREFIX),
    commands,
    close: () => {
      client.close();
      watcher.close();
    },
  };
}

/** Runs watches one at a time on a connection of their own, opened at the first. */
class Watcher {
  readonly #connect: () => RespClient;
  #client: RespClient | undefined;
  #last: Promise<unknown> = Promise.resolve();

  constructor(connect: () => RespClient) {
    this.#connect = connect;
  }

  watched(
    key: string,
    decide: Parameters<StoreCommands["watched"]>[1],
  ): Promise<readonly StoreReply[] | undefined> {
    const run = this.#last.then(() => this.#run(key, decide));
    this.#last = run.catch(() => undefined);
    return run;
  }

  close(): void {
    this.#client?.close();
  }

  async #run(
    key: string,
    decide: Parameters<StoreCommands["watched"]>[1],
  ): Promise<readonly StoreReply[] | undefined> {
    this.#client ??= this.#connect();
    const client = this.#client;
    await client.call(["WATCH", key]);
    const commands = await decide(async (command) => toReply(await client.call(command)));
    if (commands !== undefined) return runTransaction(client, commands);
    await client.call(["UNWATCH"]);
    return undefined;
  }
}

/** MULTI … EXEC in one piece. Undefined when a watched key changed. */
async function runTransaction(
  client: RespClient,
  commands: readonly StoreCommand[],
): Promise<readonly StoreReply[] | undefined> {
  const replies = await client.pipeline([["MULTI"], ...commands, ["EXEC"]]);
  const last = replies.at(-1) ?? null;
  if (last === null) return undefined;
  if (last instanceof ReplyError) throw last;
  return Array.isArray(last) ? last.map((reply: Reply) => toReply(reply)) : [];
}

/** Texts instead of bytes. */
function toReply(reply: Reply): StoreReply {
  if (reply instanceof Uint8Array) return textOf(reply) ?? "";
  if (typeof reply === "boolean") return Number(reply);
  if (typeof reply === "bigint") return String(reply);
  return Array.isArray(reply) ? reply.map((part: Reply) => toReply(part)) : (reply as string | number | null);
}
