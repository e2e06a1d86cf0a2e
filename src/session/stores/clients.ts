/**
 * Client libraries as `StoreCommands`: an ioredis or node-redis client that the app has already.
 *
 * Only the shapes that are called are named here, so that neither library is a dependency. WATCH needs a connection
 * of its own, since it holds for all that is sent on one: it is opened at the first use, and one watch runs at a time.
 */

import type { StoreCommand, StoreCommands, StoreReply } from "./commands.ts";
import { type EvictionOptions, refusingEviction } from "./eviction.ts";

/** What is used of an ioredis `Redis` (5 or later). */
export interface IoredisClient {
  call(command: string, args: string[]): Promise<unknown>;
  multi(commands?: unknown[][]): { exec(): Promise<[error: Error | null, result: unknown][] | null> };
  duplicate(): IoredisClient;
  disconnect(): void;
}

/** What is used of a node-redis client (5 or later), connected. */
export interface NodeRedisClient {
  sendCommand(args: string[]): Promise<unknown>;
  multi(): NodeRedisMulti;
  duplicate(): NodeRedisClient & { connect(): Promise<unknown> };
  destroy(): void;
}

/** A transaction of node-redis. */
export interface NodeRedisMulti {
  addCommand(args: string[]): NodeRedisMulti;
  exec(): Promise<unknown[]>;
}

/** Commands by a client library, and the end of the connection that was opened for WATCH. The client stays open. */
export interface ClientCommands extends StoreCommands {
  close(): void;
}

/** Commands by an ioredis client. They reject with "session-store-evicts" on a server that drops keys, unless that is allowed. */
export function ioredisCommands(client: IoredisClient, options: EvictionOptions = {}): ClientCommands {
  return refusing(byIoredis(client), options);
}

function refusing(commands: ClientCommands, options: EvictionOptions): ClientCommands {
  return { ...refusingEviction(commands, options), close: () => commands.close() };
}

function byIoredis(client: IoredisClient): ClientCommands {
  return clientCommands({
    send: (command) => client.call(command[0] ?? "", command.slice(1)),
    exec: async (commands) => {
      // ioredis lower-cases nothing and knows `call` in a list of commands as any other name.
      const replies = await client.multi(commands.map((command) => ["call", ...command])).exec();
      return replies?.map(([error, result]) => error ?? result);
    },
    another: async () => {
      const own = client.duplicate();
      return { commands: byIoredis(own), close: () => own.disconnect() };
    },
  });
}

/** The same by a node-redis client. */
export function nodeRedisCommands(client: NodeRedisClient, options: EvictionOptions = {}): ClientCommands {
  return refusing(byNodeRedis(client), options);
}

function byNodeRedis(client: NodeRedisClient): ClientCommands {
  return clientCommands({
    send: (command) => client.sendCommand([...command]),
    exec: async (commands) => {
      const multi = commands.reduce((queued, command) => queued.addCommand([...command]), client.multi());
      try {
        return await multi.exec();
      } catch (error) {
        const { replies } = error as { replies?: unknown[] };
        if (replies !== undefined) return replies; // MultiErrorReply: some commands failed, the others stand
        if (error instanceof Error && error.constructor.name === "WatchError") return undefined;
        throw error;
      }
    },
    another: async () => {
      const own = client.duplicate();
      await own.connect();
      return { commands: byNodeRedis(own), close: () => own.destroy() };
    },
  });
}

interface Primitives {
  readonly send: (command: StoreCommand) => Promise<unknown>;
  /** Undefined when a watched key changed. */
  readonly exec: (commands: readonly StoreCommand[]) => Promise<unknown[] | undefined>;
  readonly another: () => Promise<Connection>;
}

interface Connection {
  readonly commands: ClientCommands;
  close(): void;
}

function clientCommands({ send, exec, another }: Primitives): ClientCommands {
  let connection: Promise<Connection> | undefined;
  let last: Promise<unknown> = Promise.resolve();
  const sendTyped = async (command: StoreCommand): Promise<StoreReply> => toReply(await send(command));
  const transaction = async (commands: readonly StoreCommand[]): Promise<readonly StoreReply[]> => {
    const replies = await exec(commands);
    if (replies === undefined) throw new WatchedKeyChanged();
    return replies.map(toReply);
  };

  const open = (): Promise<Connection> => {
    connection ??= another().catch((error: unknown) => {
      connection = undefined;
      throw error;
    });
    return connection;
  };

  return {
    send: sendTyped,
    transaction,
    watched: (key, decide) => {
      const run = last.then(async () => watchOn((await open()).commands, key, decide));
      last = run.catch(() => undefined);
      return run;
    },
    close: () => {
      void connection?.then((own) => own.close()).catch(() => undefined);
      connection = undefined;
    },
  };
}

/** RESP3 maps and sets as RESP2 has them: flat lists. */
function toReply(reply: unknown): StoreReply {
  if (Array.isArray(reply)) return reply.map(toReply);
  if (reply instanceof Map) return [...reply].flat().map(toReply);
  if (reply instanceof Set) return [...reply].map(toReply);
  if (reply instanceof Error || typeof reply === "string" || typeof reply === "number") return reply;
  if (typeof reply !== "object" || reply === null) return null;
  return Object.entries(reply).flat().map(toReply);
}

/** EXEC answered null. */
class WatchedKeyChanged extends Error {}

async function watchOn(
  own: ClientCommands,
  key: string,
  decide: Parameters<StoreCommands["watched"]>[1],
): Promise<readonly StoreReply[] | undefined> {
  await own.send(["WATCH", key]);
  let commands: readonly StoreCommand[] | undefined;
  try {
    commands = await decide((command) => own.send(command));
  } finally {
    if (commands === undefined) await own.send(["UNWATCH"]);
  }
  if (commands === undefined) return undefined;
  try {
    return await own.transaction(commands);
  } catch (error) {
    if (error instanceof WatchedKeyChanged) return undefined;
    throw error;
  }
}
