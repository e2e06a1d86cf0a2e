/**
 * Client libraries as `StoreCommands`: an ioredis or node-redis client that the app has already, of one server or a cluster.
 *
 * Only the shapes that are called are named here, so that neither library is a dependency. WATCH needs a connection
 * of its own, since it holds for all that is sent on one: it is opened at the first use, and one watch runs at a time. In
 * a cluster it is one to the primary of the key's slot; when that has moved meanwhile, the next look finds the new one.
 */

import {
  type IoredisCluster,
  ioredisClusterCommands,
  ioredisTransaction,
  type NodeRedisCluster,
  nodeRedisClusterCommands,
  nodeRedisTransaction,
} from "./cluster-clients.ts";
import { type EvictionOptions, refusingEviction } from "./eviction.ts";
import { type ClientCommands, type Connection, clientCommands } from "./watched-commands.ts";

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

/**
 * Commands by an ioredis client, `Redis` or `Cluster`. They reject with "session-store-evicts" on a server that drops keys, unless
 * that is allowed.
 */
export function ioredisCommands(
  client: IoredisClient | IoredisCluster,
  options: EvictionOptions = {},
): ClientCommands {
  return refusing(byIoredis(client), options);
}

function refusing(commands: ClientCommands, options: EvictionOptions): ClientCommands {
  return { ...refusingEviction(commands, options), close: () => commands.close() };
}

function byIoredis(client: IoredisClient | IoredisCluster): ClientCommands {
  if ("nodes" in client) return ioredisClusterCommands(client, ioredisConnection);
  return clientCommands({
    send: (command) => client.call(command[0] ?? "", command.slice(1)),
    exec: (commands) => ioredisTransaction(client, commands),
    placeOf: () => "",
    another: async () => ioredisConnection(client),
  });
}

function ioredisConnection(client: IoredisClient): Connection {
  const own = client.duplicate();
  return { commands: byIoredis(own), close: () => own.disconnect() };
}

/** The same by a node-redis client, of `createClient` or `createCluster`. */
export function nodeRedisCommands(
  client: NodeRedisClient | NodeRedisCluster,
  options: EvictionOptions = {},
): ClientCommands {
  return refusing(byNodeRedis(client), options);
}

function byNodeRedis(client: NodeRedisClient | NodeRedisCluster): ClientCommands {
  if ("nodeClient" in client) return nodeRedisClusterCommands(client, nodeRedisConnection);
  return clientCommands({
    send: (command) => client.sendCommand([...command]),
    exec: async (commands) => {
      const multi = commands.reduce((queued, command) => queued.addCommand([...command]), client.multi());
      return nodeRedisTransaction(() => multi.exec());
    },
    placeOf: () => "",
    another: () => nodeRedisConnection(client),
  });
}

async function nodeRedisConnection(client: NodeRedisClient): Promise<Connection> {
  const own = client.duplicate();
  await own.connect();
  return { commands: nodeRedisCommands(own), close: () => own.destroy() };
}
