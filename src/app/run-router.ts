/** Composition root of a Postgres router: worker processes on one port, and who looks after them. Reads as a parts list. */
import { type Log, METRICS_CONTENT_TYPE, systemClock, systemScheduler } from "../base/index.ts";
import { readCa, readIdentity, TlsFileError } from "../base/io/index.ts";
import { type Address, formatAddress } from "../config/index.ts";
import { type ClusterView, POOL_DEFAULTS, type PoolSettings } from "../database/index.ts";
import {
  type AuthUser,
  ClientTls,
  type ClientTlsSettings,
  type ReadsSettings,
  type UserConfig,
} from "../database/io/index.ts";
import type { ServerTlsSettings } from "../pgwire/index.ts";
import { isFree } from "./ports.ts";
import { type ConsoleParts, RouterConsole } from "./router/console.ts";
import { CLIENTS_MAX, factsOf } from "./router/console-facts.ts";
import { Fleet } from "./router/fleet.ts";
import type { RouterLease, WorkerOrder, WorkerReport } from "./router/messages.ts";
import { routerMetrics } from "./router/metrics.ts";
import { StartFailure } from "./start-failure.ts";

/** What may change while a router runs. */
export interface RouterSetup {
  /** Who is who: the primary, and replicas. */
  readonly cluster: ClusterView;
  readonly pool?: Partial<PoolSettings>;
  /** "trust" asks nobody for a password. Default "scram". */
  readonly authentication?: "scram" | "trust";
  /** Users by name. */
  readonly users?: Readonly<Record<string, UserConfig>>;
  /** Who fetches users that `users` does not name. */
  readonly authUser?: AuthUser;
  /** Clients at once, all workers together. Default 10,000. */
  readonly clientsMax?: number;
  /** Longest wait for a client's log-in. Default 60 s. */
  readonly loginTimeoutMs?: number;
  /** Between two failed log-ins of one address that are answered, in the long run; 0: as many as come. Default 1 s. */
  readonly loginDelayMs?: number;
  /** TLS of clients; a router that began without it stays so. Files are read again at each `configure`. Default: none. */
  readonly clientTls?: ClientTlsSettings;
  /** TLS to servers. Default: none. */
  readonly serverTls?: ServerTlsSettings;
  /** To whom the databases `pgbouncer` and `tenfold` are the console. Default: nobody. */
  readonly adminUsers?: readonly string[];
}

/** What to start. */
export interface RouterOptions extends RouterSetup {
  /** Port 0 = any. */
  readonly address: Address;
  /** Processes, 1 to 64. Each has pools of its own, which share the settings' sizes: see `shareOf`. */
  readonly workers: number;
  /** Reads go to replicas. Default: all goes to the primary. */
  readonly reads?: ReadsSettings;
  /** Who is primary is read from the lease; the view has the servers' addresses. Default: the view says who is. */
  readonly lease?: RouterLease;
  /** Another router may still listen there, whose place this one takes. Default: the address must be free. */
  readonly takesOver?: boolean;
  /** How long clients have to end their transactions at a stop. Default 30 s. */
  readonly drainMs?: number;
  /** Where Prometheus finds `/metrics`, on loopback; default: nowhere. */
  readonly metrics?: Address;
  /** What the console's RELOAD does; throws what is wrong with the settings. Default: it is refused. */
  readonly reload?: () => void;
  /** What its SHUTDOWN does. Default: it is refused. */
  readonly shutdown?: () => void;
  readonly log: Log;
}

/** A router that runs, in processes of its own. */
export interface RunningRouter {
  readonly address: Address;
  /** Where its metrics are. */
  readonly metrics: Address | undefined;
  /** Process ids of the workers. */
  readonly workerPids: readonly number[];
  /**
   * Takes another setup: pools grow and shrink, users, certificates and servers change, no client is lost. Throws a `StartFailure` when
   * a file cannot be used, and changes nothing then.
   */
  configure(setup: RouterSetup): void;
  /** What each worker says of itself. */
  reports(): Promise<readonly WorkerReport[]>;
  /** No new clients; resolves when those there have gone, at the latest after the drain's time. */
  stop(): Promise<void>;
}

/** Workers at most: their number is part of the cancel keys, and more than cores are of no use. */
export const ROUTER_WORKERS_MAX = 64;

const DRAIN_MS = 30_000;

/** Starts a router. Rejects with a `StartFailure` that names the thing and the mend. */
export async function runRouter(options: RouterOptions): Promise<RunningRouter> {
  const { address, workers, log, reads, drainMs = DRAIN_MS } = options;
  if (address.port !== 0 && options.takesOver !== true && !isFree(address))
    throw new StartFailure(`the router's address ${formatAddress(address)} is in use`, IN_USE);
  checkFiles(options);
  let setup: RouterSetup = options;
  const orderOf = (workerId: number, port = address.port): WorkerOrder => ({
    view: setup.cluster,
    ...(options.lease === undefined ? {} : { lease: options.lease }),
    settings: {
      address: { host: address.host, port },
      workerId,
      pool: shareOf(setup.pool ?? {}, workers, workerId),
      authentication: setup.authentication ?? "scram",
      users: setup.users ?? {},
      clientsMax: Math.ceil((setup.clientsMax ?? CLIENTS_MAX) / workers),
      ...(setup.clientTls === undefined ? {} : { clientTls: setup.clientTls }),
      ...(setup.serverTls === undefined ? {} : { serverTls: setup.serverTls }),
      ...(setup.authUser === undefined ? {} : { authUser: setup.authUser }),
      ...(setup.loginTimeoutMs === undefined ? {} : { loginTimeoutMs: setup.loginTimeoutMs }),
      ...(setup.loginDelayMs === undefined ? {} : { loginDelayMs: setup.loginDelayMs * workers }),
      ...(reads === undefined ? {} : { reads }),
      ...(setup.adminUsers === undefined ? {} : { adminUsers: setup.adminUsers }),
      paused: router.paused,
    },
  });
  const nowMs = (): number => systemClock.nowMs();
  const fleet: Fleet = new Fleet({
    scheduler: systemScheduler,
    nowMs,
    log,
    orderOf,
    console: (text) => router.run(text),
  });
  let listening = address.port;
  const router = new RouterConsole({
    scheduler: systemScheduler,
    nowMs,
    log,
    workers,
    ...consoleFor(fleet, options),
    facts: () => factsOf(setup, { host: address.host, port: listening }),
  });
  const port = await fleet.start(workers).catch(async (problem: unknown) => {
    router.stop();
    await fleet.stop(0);
    const why = problem instanceof Error ? problem.message : String(problem);
    throw new StartFailure(`the router cannot listen on ${formatAddress(address)}: ${why}`, IN_USE);
  });
  listening = port;
  const metrics = options.metrics && serveMetrics(options.metrics, fleet, workers);
  return {
    address: { host: address.host, port },
    metrics: metrics?.address,
    get workerPids() {
      return fleet.pids;
    },
    configure: (next) => {
      checkFiles(next);
      setup = next;
      fleet.configure();
    },
    reports: () => fleet.reports(),
    stop: async () => {
      router.stop();
      await fleet.stop(drainMs);
      metrics?.stop();
    },
  };
}

/** What the console does to the workers. */
function consoleFor(
  fleet: Fleet,
  { reload, shutdown }: RouterOptions,
): Pick<ConsoleParts, "states" | "pause" | "reconnect" | "kill" | "reload" | "shutdown"> {
  return {
    states: async (detail) =>
      (await fleet.reports(detail)).flatMap(({ state }) => (state === undefined ? [] : [state])),
    pause: (names) => fleet.order({ kind: "pause", names }),
    reconnect: (database) =>
      fleet.order({ kind: "reconnect", ...(database === undefined ? {} : { database }) }),
    kill: (database) => fleet.order({ kind: "kill", database }),
    reload,
    shutdown,
  };
}

function serveMetrics(
  { host, port }: Address,
  fleet: Fleet,
  workers: number,
): { readonly address: Address; stop(): void } {
  try {
    const server = Bun.serve({
      hostname: host,
      port,
      fetch: async ({ url }) => {
        if (new URL(url).pathname !== "/metrics") return new Response("look at /metrics\n", { status: 404 });
        const text = routerMetrics(await fleet.reports(), workers);
        return new Response(text, { headers: { "content-type": METRICS_CONTENT_TYPE } });
      },
    });
    return { address: { host, port: server.port ?? port }, stop: () => void server.stop(true) };
  } catch (problem) {
    void fleet.stop(0);
    throw new StartFailure(
      `metrics cannot be served on ${formatAddress({ host, port })}: ${String(problem)}`,
      IN_USE,
    );
  }
}

/** Before workers are told of them: whether the files of TLS can be used. */
function checkFiles({ clientTls, serverTls }: RouterSetup): void {
  try {
    if (clientTls !== undefined) void new ClientTls(clientTls);
    const { ca, cert, key } = serverTls ?? {};
    if (ca !== undefined) readCa(ca);
    if (cert !== undefined && key !== undefined) readIdentity({ cert, key });
  } catch (problem) {
    if (!(problem instanceof TlsFileError)) throw problem;
    throw new StartFailure(problem.message, "name a certificate and its key, both as PEM files");
  }
}

/** What to do about an address that somebody else has. */
const IN_USE = "stop what uses it (`ss -ltnp` shows it), or choose another address";

/**
 * A worker's share of a pool's sizes: together the workers have as many server connections as the settings say, but each at least one,
 * or its clients would wait for ever. Clients come to workers unevenly: each may have a share rounded up.
 */
export function shareOf(
  pool: Partial<PoolSettings>,
  workers: number,
  workerId: number,
): Partial<PoolSettings> {
  const part = (whole: number): number => Math.floor(whole / workers) + (workerId < whole % workers ? 1 : 0);
  const { size, reserve, databaseMax, userMax, databaseClientsMax, userClientsMax } = {
    ...POOL_DEFAULTS,
    ...pool,
  };
  // 0 is no bound.
  const bound = (whole: number): number => (whole === 0 ? 0 : Math.max(1, part(whole)));
  return {
    ...pool,
    size: Math.max(1, part(size)),
    reserve: part(reserve),
    databaseMax: bound(databaseMax),
    userMax: bound(userMax),
    databaseClientsMax: Math.ceil(databaseClientsMax / workers),
    userClientsMax: Math.ceil(userClientsMax / workers),
  };
}
