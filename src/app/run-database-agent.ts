/** Composition root of a Postgres server and its agent. Reads as a parts list. */
import { existsSync, mkdirSync } from "node:fs";
import { readdir } from "node:fs/promises";
import { join, resolve } from "node:path";
import { type Log, systemClock, systemScheduler } from "../base/index.ts";
import { type Address, formatAddress } from "../config/index.ts";
import { acquireLock } from "../control/io/index.ts";
import type { PostgresSettings, RestorePoint, ServerSource } from "../database/index.ts";
import {
  BackupStore,
  DatabaseAgent,
  type FailoverDriver,
  findBinaries,
  findOwner,
  isRestoring,
  PostgresServer,
  type Restored,
  restore,
  ServerError,
  ServerMember,
  type ThrowawayClone,
  takeOver,
  throwawayClone,
} from "../database/io/index.ts";
import { openDoors } from "./agent-doors.ts";
import {
  type ClusterPasswords,
  prepareClusterFolder,
  readPasswords,
  readPasswordsOrNone,
} from "./cluster-folder.ts";
import { hostsElsewhere, isFirst, keepMembers, passwordsFor } from "./cluster-members.ts";
import { composeFailover, type FailoverOptions, openedPort } from "./database-failover.ts";
import { type AppDatabase, keepAppDatabase, makeAppDatabase } from "./databases/app-database.ts";
import { StartFailure } from "./start-failure.ts";

/** What to start. */
export interface DatabaseAgentOptions {
  /** The server's name in its cluster: "db1". */
  readonly name: string;
  /** The cluster's folder. */
  readonly folder: string;
  /** Where Postgres listens. */
  readonly address: Address;
  /** Makes a new cluster when there is no data; otherwise the agent waits for an order to clone one. */
  readonly create: boolean;
  /** A data directory of somebody else's, which its server works on from now on; the first primary of a cluster. */
  readonly given?: string;
  /** The superuser's, where the cluster has none yet; default: it is drawn. */
  readonly password?: string;
  /** Folder of a Postgres; default: that of npm, then the system's. */
  readonly postgres?: string;
  /** Whom Postgres runs as when we are root; default "postgres". */
  readonly user?: string;
  /** Where backups and the archive of the log go; without it there are none. */
  readonly backups?: string;
  /** Networks whose clients may connect, beyond loopback. */
  readonly clients?: readonly string[];
  readonly walLevel?: "replica" | "logical";
  /** The database that a primary is to have. */
  readonly app?: AppDatabase;
  readonly settings?: PostgresSettings;
  /** Who is primary is decided by a lease; without, by whoever gives orders. */
  readonly failover?: FailoverOptions;
  readonly log: Log;
}

/** An agent that runs in this process. */
export interface RunningDatabaseAgent {
  readonly agent: DatabaseAgent;
  readonly driver: FailoverDriver | undefined;
  /** Stops Postgres in order, and the agent. */
  stop(): Promise<void>;
  /** Ends the agent alone; Postgres goes on and is adopted by the next one. */
  leave(): Promise<void>;
}

/** Starts an agent and its server. Throws a `StartFailure` that names the thing and the mend. */
export async function runDatabaseAgent(options: DatabaseAgentOptions): Promise<RunningDatabaseAgent> {
  try {
    return await start({ ...options, folder: resolve(options.folder) });
  } catch (problem) {
    if (problem instanceof ServerError)
      throw new StartFailure(`the database ${options.name}: ${problem.message}`, "");
    throw problem;
  }
}

/** A restore, and what of. */
export interface RestoreOptions extends Omit<DatabaseAgentOptions, "create" | "backups"> {
  readonly backups: string;
  readonly point: RestorePoint;
  /** Folder of the cluster that the backup is of: its passwords are in the data. */
  readonly passwordsOf: string;
  /** An id; default: the newest that is old enough. */
  readonly backup?: string;
  /** Ends it halfway; nothing is left of it. */
  readonly signal?: AbortSignal;
}

/** A restored cluster of one server. */
export interface RestoredDatabase extends Restored {
  /** The backup's passwords are not known: new ones were drawn. */
  readonly hasNewPasswords: boolean;
}

/** Restores a backup into a new cluster of one server, and leaves it stopped. Throws a `StartFailure`. */
export async function restoreDatabase(options: RestoreOptions): Promise<RestoredDatabase> {
  const { backups, backup, point, passwordsOf, signal, ...rest } = {
    ...options,
    folder: resolve(options.folder),
  };
  const others = existsSync(rest.folder) ? await othersWithData(rest.folder, rest.name) : [];
  if (others.length > 0)
    throw new StartFailure(
      `${rest.folder} is the folder of a cluster that has ${others.join(", ")}`,
      "restore into a new folder (--into)",
    );
  const known = readPasswordsOrNone(resolve(passwordsOf)) ?? readPasswordsOrNone(rest.folder);
  try {
    const passwords = prepareClusterFolder(rest.folder, known);
    const setsPasswords = known === undefined;
    const server = await serverOf({ ...rest, create: false, trustsSocket: setsPasswords }, passwords);
    await server.prepareFolder();
    const lock = lockOf(rest.folder, rest.name);
    try {
      const store = new BackupStore(resolve(backups), server.options.owner);
      const how = {
        setsPasswords,
        ...(backup === undefined ? {} : { backup }),
        ...(signal === undefined ? {} : { signal }),
      };
      const restored = await restore(store, server, point, how);
      await server.stop();
      return { ...restored, hasNewPasswords: setsPasswords };
    } finally {
      lock.release();
    }
  } catch (problem) {
    if (problem instanceof ServerError) throw new StartFailure(problem.message, "");
    throw problem;
  }
}

/** A cluster of `tenfold db`, and what Postgres its copies run with. */
export interface CloneSource extends Pick<DatabaseAgentOptions, "folder" | "postgres" | "user" | "log"> {
  readonly source: ServerSource;
  /** Ends it halfway. */
  readonly signal?: AbortSignal;
}

/** Clones a server of a cluster into a temporary folder, to try things there. Throws a `StartFailure`. */
export async function cloneForTrial({
  source,
  folder,
  postgres,
  user,
  log,
  signal,
}: CloneSource): Promise<ThrowawayClone> {
  try {
    const owner = await findOwner(user);
    const path = postgres === undefined ? {} : { path: resolve(postgres) };
    const binaries = await findBinaries({ made: join(resolve(folder), "postgres"), owner, ...path });
    const passwords = readPasswords(resolve(folder));
    const parts = { binaries, owner, passwords, clock: systemClock, scheduler: systemScheduler, log };
    return await throwawayClone(source, parts, signal);
  } catch (problem) {
    if (problem instanceof ServerError) throw new StartFailure(problem.message, "");
    throw problem;
  }
}

async function start(options: DatabaseAgentOptions): Promise<RunningDatabaseAgent> {
  const { name, folder, create, log } = options;
  if (options.failover?.port !== undefined) openedPort(options.failover.port); // refused before anything is made
  const passwords = passwordsFor(options);
  const server = await serverOf(options, passwords);
  await server.prepareFolder();
  const lock = lockOf(folder, name);
  if (isRestoring(server))
    throw new StartFailure(
      `a restore into ${server.options.folder} was begun and did not end`,
      "run that tenfold db restore again",
    );
  const backups = await backupsOf(options, server);
  const agent = new DatabaseAgent({ server, backups, isGoverned: options.failover !== undefined });
  const { app } = options;
  if (options.given !== undefined) await takeOver(server, resolve(options.given));
  if (create && !(await isAnyData(folder))) {
    await server.create();
    if (app !== undefined) await makeAppDatabase(server, app);
  }
  const failover =
    options.failover === undefined
      ? undefined
      : composeFailover(options.failover, (members) => new ServerMember(agent, members), {
          folder,
          passwords,
          isFirst: isFirst(options),
        });
  keepMembers(folder, options.failover);
  const doors = openDoors(name, agent, failover, { folder, log });
  await agent.start();
  failover?.driver.start();
  const endKeeping = app === undefined ? () => {} : keepAppDatabase(agent, app);
  const close = async (): Promise<void> => {
    await doors.stop();
    lock.release();
  };
  return {
    agent,
    driver: failover?.driver,
    stop: async () => {
      endKeeping();
      await failover?.driver.stop();
      await agent.stop();
      await close();
    },
    leave: () => {
      endKeeping();
      failover?.driver.leave();
      agent.leave();
      return close();
    },
  };
}

/** One process at a time works with a server. */
function lockOf(folder: string, name: string): Extract<ReturnType<typeof acquireLock>, { kind: "held" }> {
  const lock = acquireLock(join(folder, "locks", name));
  if (lock.kind === "held") return lock;
  throw new StartFailure(
    `the database ${name} has an agent already (pid ${lock.pid})`,
    "stop that one first",
  );
}

/** A new cluster is made once: where another server has data, this one is to become its replica. */
async function isAnyData(folder: string): Promise<boolean> {
  return (await othersWithData(folder, "")).length > 0;
}

/** Servers with data, but `name`. */
async function othersWithData(folder: string, name: string): Promise<string[]> {
  const servers = await readdir(folder);
  return servers.filter(
    (server) => server !== name && existsSync(join(folder, server, "data", "PG_VERSION")),
  );
}

async function serverOf(
  options: DatabaseAgentOptions & { readonly trustsSocket?: boolean },
  passwords: ClusterPasswords,
): Promise<PostgresServer> {
  const {
    name,
    folder,
    address,
    postgres,
    user,
    clients = [],
    trustsSocket = false,
    walLevel = "replica",
    settings = {},
    log,
  } = options;
  const owner = await findOwner(user);
  const made = join(folder, "postgres");
  mkdirSync(made, { recursive: true });
  const binaries = await findBinaries({
    made,
    owner,
    ...(postgres === undefined ? {} : { path: resolve(postgres) }),
  });
  const archiveCommand =
    options.backups === undefined
      ? undefined
      : new BackupStore(resolve(options.backups), owner).archiveCommand;
  log.info("database-agent", { server: name, address: formatAddress(address), postgres: binaries.version });
  return new PostgresServer({
    name,
    folder: join(folder, name),
    binaries,
    owner,
    settings: { host: address.host, port: address.port, walLevel, archiveCommand, durable: true, settings },
    peers: { members: hostsElsewhere(options.failover), clients },
    tls: options.failover?.port?.tls,
    trustsSocket,
    passwords,
    clock: systemClock,
    scheduler: systemScheduler,
    log,
  });
}

async function backupsOf(
  { backups }: DatabaseAgentOptions,
  server: PostgresServer,
): Promise<BackupStore | undefined> {
  if (backups === undefined) return undefined;
  const store = new BackupStore(resolve(backups), server.options.owner);
  await store.prepare();
  return store;
}
