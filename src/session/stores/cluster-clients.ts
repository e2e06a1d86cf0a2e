/**
 * Clients of a Redis Cluster, of ioredis and node-redis, as `StoreCommands`. All keys of one of our steps are one key, so
 * each step is one node's. Both libraries follow redirections of single commands; node-redis does not of transactions, so
 * that is done here: what was redirected was not run, and is run again where the key is now.
 */
import { slotOf } from "../../resp/index.ts";
import type { IoredisClient, NodeRedisClient } from "./clients.ts";
import type { StoreCommand } from "./commands.ts";
import { type ClientCommands, type Connection, clientCommands, redirected } from "./watched-commands.ts";

/** What is used of an ioredis `Cluster` (5 or later). */
export interface IoredisCluster {
  call(command: string, args: string[]): Promise<unknown>;
  multi(commands?: unknown[][]): { exec(): Promise<[error: Error | null, result: unknown][] | null> };
  nodes(role: "master"): (IoredisClient & { options: { host?: string; port?: number } })[];
  /** Slot -> "host:port" of its primary, then of its replicas. */
  slots: string[][];
}

/** What is used of a cluster of node-redis (5 or later), connected. */
export interface NodeRedisCluster {
  sendCommand(
    firstKey: string | undefined,
    isReadonly: boolean | undefined,
    args: string[],
  ): Promise<unknown>;
  multi(routing?: string): NodeRedisClusterMulti;
  readonly slots: readonly { readonly master: unknown }[];
  // oxlint-disable-next-line typescript/no-explicit-any -- the library's own type of a node, which is only handed back
  nodeClient(node: any): Promise<NodeRedisClient>;
}

/** A transaction in a cluster of node-redis. */
export interface NodeRedisClusterMulti {
  addCommand(
    firstKey: string | undefined,
    isReadonly: boolean | undefined,
    args: string[],
  ): NodeRedisClusterMulti;
  exec(): Promise<unknown[]>;
}

/** Commands by an ioredis `Cluster`; `connect` opens another connection to a node. */
export function ioredisClusterCommands(
  client: IoredisCluster,
  connect: (node: IoredisClient) => Connection,
): ClientCommands {
  const placeOf = (key: string): string => client.slots[slotOf(key)]?.[0] ?? "";
  return clientCommands({
    send: (command) => client.call(command[0] ?? "", command.slice(1)),
    exec: (commands) => ioredisTransaction(client, commands),
    placeOf,
    another: async (key) => {
      const place = placeOf(key);
      const node = client.nodes("master").find(({ options: { host, port } }) => `${host}:${port}` === place);
      if (node === undefined) throw new Error(`CLUSTERDOWN no primary is known for the slot of a session`);
      return connect(node);
    },
    learn: (key) => client.call("EXISTS", [key]),
  });
}

/** MULTI … EXEC by ioredis. Undefined when a watched key changed. */
export async function ioredisTransaction(
  client: Pick<IoredisCluster, "multi">,
  commands: readonly StoreCommand[],
): Promise<unknown[] | undefined> {
  // ioredis lower-cases nothing and knows `call` in a list of commands as any other name.
  const replies = await client.multi(commands.map((command) => ["call", ...command])).exec();
  return replies?.map(([error, result]) => error ?? result);
}

/** Commands by a cluster of node-redis; `connect` opens another connection to a node. */
export function nodeRedisClusterCommands(
  client: NodeRedisCluster,
  connect: (node: NodeRedisClient) => Promise<Connection>,
): ClientCommands {
  const learn = (key: string): Promise<unknown> => client.sendCommand(key, false, ["EXISTS", key]);
  const masterOf = (key: string): unknown => client.slots[slotOf(key)]?.master;
  return clientCommands({
    send: (command) => client.sendCommand(command[1], false, [...command]),
    exec: (commands) => {
      const key = commands[0]?.[1] ?? "";
      return redirected({ learn }, key, () => {
        const multi = commands.reduce(
          (queued, command) => queued.addCommand(key, false, [...command]),
          client.multi(key),
        );
        return nodeRedisTransaction(() => multi.exec());
      });
    },
    placeOf: (key) => String((masterOf(key) as { address?: string } | undefined)?.address),
    another: async (key) => connect(await client.nodeClient(masterOf(key))),
    learn,
  });
}

/** MULTI … EXEC by node-redis. Undefined when a watched key changed. */
export async function nodeRedisTransaction(exec: () => Promise<unknown[]>): Promise<unknown[] | undefined> {
  try {
    return await exec();
  } catch (error) {
    const { replies } = error as { replies?: unknown[] };
    if (replies !== undefined) return replies; // MultiErrorReply: some commands failed, the others stand
    if (error instanceof Error && error.constructor.name === "WatchError") return undefined;
    throw error;
  }
}
