/**
 * A session store by its URL: Redis, Valkey, the embedded store or a cluster, over connections of our own client; or Postgres, over
 * those of the app's package `pg`.
 *
 * All that one step touches is one key, so a cluster needs nothing more: records lie in the slots that their keys have.
 */
import { isPostgresUrl } from "../../postgres/index.ts";
import { type Reply, ReplyError, textOf } from "../../resp/index.ts";
import { openStoreClient, type RespClientOptions } from "../../resp/io/index.ts";
import type { SessionStore } from "../store.ts";
import type { StoreCommands, StoreReply } from "../stores/commands.ts";
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
 * Opens a session store: `redis://`, `rediss://`, `valkey://` or `valkeys://`; a cluster's `redis-cluster://host:port,host:port` and the
 * like; or `pg://`. Connects by and by; calls that come before wait, up to their deadline. @throws TypeError when it is no such URL.
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
  const client = openStoreClient({ ...options.client, url });
  const unchecked: StoreCommands = {
    send: async (command) => toReply(await client.call(command)),
    transaction: async (list) => {
      const last = (await client.pipeline([["MULTI"], ...list, ["EXEC"]])).at(-1) ?? null;
      if (last instanceof ReplyError) throw last;
      return Array.isArray(last) ? last.map((reply: Reply) => toReply(reply)) : [];
    },
    watched: async (key, decide) => {
      const replies = await client.watched(key, (send) =>
        decide(async (command) => toReply(await send(command))),
      );
      return replies?.map(toReply);
    },
  };
  const commands = refusingEviction(unchecked, { allowEviction: options.allowEviction ?? false });
  return {
    ...redisStore(commands, options.prefix ?? KEY_PREFIX),
    commands,
    close: () => client.close(),
  };
}

/** Texts instead of bytes. */
function toReply(reply: Reply): StoreReply {
  if (reply instanceof Uint8Array) return textOf(reply) ?? "";
  if (typeof reply === "boolean") return Number(reply);
  if (typeof reply === "bigint") return String(reply);
  return Array.isArray(reply) ? reply.map((part: Reply) => toReply(part)) : (reply as string | number | null);
}
