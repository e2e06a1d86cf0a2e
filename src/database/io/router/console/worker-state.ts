/** What a worker tells the console of itself. */
import type {
  ClientState,
  PoolState,
  ServerState,
  StateDetail,
  WorkerState,
} from "../../../router/console/state.ts";
import { copyTraffic } from "../../../router/console/traffic.ts";
import type { ClientConnection } from "../client-connection.ts";
import type { RouterContext } from "../context.ts";
import { numberIn } from "../numbers.ts";
import type { Pool } from "../pool.ts";
import type { ServerConnection } from "../server-connection.ts";

/** A worker as far as it is shown. */
export interface ShownWorker {
  readonly context: RouterContext;
  readonly allPools: readonly Pool[];
  readonly clients: Iterable<ClientConnection>;
}

/** O(clients + servers), and rows of them only as `detail` says. */
export function stateOf(
  shown: ShownWorker,
  detail: StateDetail,
  { worker, memoryBytes }: Pick<WorkerState, "worker" | "memoryBytes">,
): WorkerState {
  const { context, allPools } = shown;
  const clients = [...shown.clients];
  // Monotonic times as times of day.
  const toDayMs = context.clock.wallMs() - context.clock.nowMs();
  const inside = clients.filter(({ isLoggedIn }) => isLoggedIn);
  const admins = clients.filter(({ consoleSession }) => consoleSession !== undefined);
  const listed = detail === "clients" ? inside : [];
  return {
    worker,
    memoryBytes,
    traffic: [...context.traffic].map(([database, of]) => [database, copyTraffic(of)]),
    pools: poolStates(allPools, inside, context.clock.nowMs()),
    clientsInLogin: clients.length - inside.length - admins.length,
    admins: admins.map((client) => clientState(client, toDayMs)),
    clients: listed.map((client) => clientState(client, toDayMs)),
    servers:
      detail === "servers"
        ? allPools.flatMap((pool) => [...pool.servers].map((one) => serverState(one, worker, toDayMs)))
        : [],
  };
}

/** A client counts at the pool of the primary, wherever its reads go. */
function poolStates(
  pools: readonly Pool[],
  clients: readonly ClientConnection[],
  nowMs: number,
): PoolState[] {
  const byPool = new Map<Pool, { active: number; waiting: number; longestMs: number }>();
  for (const client of clients) {
    const counts = byPool.get(client.pool) ?? { active: 0, waiting: 0, longestMs: 0 };
    byPool.set(client.pool, counts);
    if (client.queuedAt !== undefined) {
      counts.waiting++;
      counts.longestMs = Math.max(counts.longestMs, nowMs - client.waitsSinceMs);
    } else counts.active++;
  }
  return pools.map((pool) => {
    const counts = byPool.get(pool);
    const servers = [...pool.servers];
    const count = (state: ServerState["state"]): number =>
      servers.filter((server) => stateOfServer(server) === state).length;
    return {
      database: pool.database,
      user: pool.user,
      mode: pool.settings.mode,
      clientsActive: counts?.active ?? 0,
      clientsWaiting: counts?.waiting ?? 0,
      cancels: servers.reduce((sum, { cancels }) => sum + cancels, 0),
      serversActive: count("active"),
      serversBeingCancelled: count("being_canceled"),
      serversIdle: count("idle"),
      serversTested: count("tested"),
      serversInLogin: count("login"),
      longestWaitMs: counts?.longestMs ?? 0,
    };
  });
}

function stateOfServer(server: ServerConnection): ServerState["state"] {
  if (!server.isOpen) return "login";
  if (server.client !== undefined) return "active";
  if (server.cancels > 0) return "being_canceled";
  return server.pool.isFree(server) ? "idle" : "tested";
}

function clientState(client: ClientConnection, toDayMs: number): ClientState {
  const { record, context, server } = client;
  return {
    user: client.user,
    database: client.database,
    state: client.queuedAt !== undefined ? "waiting" : "active",
    address: client.socket.remoteAddress,
    connectedMs: toDayMs + record.connectedMs,
    requestMs: toDayMs + record.requestMs,
    waitMs: client.queuedAt !== undefined ? context.clock.nowMs() - client.waitsSinceMs : 0,
    id: client.processId,
    link: server === undefined ? undefined : idOf(server),
    applicationName: record.applicationName,
    prepared: client.session.size,
  };
}

function serverState(server: ServerConnection, worker: number, toDayMs: number): ServerState {
  const { address, pool, client, number } = server;
  return {
    user: pool.user,
    database: pool.database,
    state: stateOfServer(server),
    address: address.host,
    port: address.port,
    connectedMs: toDayMs + server.openedMs,
    requestMs: toDayMs + (server.queryMs >= 0 ? server.queryMs : server.usedMs),
    isOutdated: server.isOutdated,
    id: idOf(server),
    link: client?.processId,
    processId: server.cancelKey.processId,
    applicationName: client?.record.applicationName ?? "",
    prepared: server.prepared.size,
    number: numberIn(worker, number),
  };
}

/** A server knows its process by its number. */
function idOf({ address, cancelKey }: ServerConnection): string {
  return `${address.host}:${address.port}/${cancelKey.processId}`;
}
