/** Composition root of a Postgres server and its agent. Reads as a parts list. */
import { existsSync, mkdirSync, rmSync } from "node:fs";
import { readdir, readFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { type Log, systemClock, systemScheduler } from "../base/index.ts";
import { type Address, formatAddress } from "../config/index.ts";
import { acquireLock } from "../control/io/index.ts";
import type { PostgresSettings, RestorePoint } from "../database/index.ts";
import {
  AgentServer,
  BackupStore,
  DatabaseAgent,
  ensureAppDatabase,
  findBinaries,
  findOwner,
  PostgresServer,
  type Restored,
  restore,
  ServerError,
} from "../database/io/index.ts";
import { agentAddress, prepareClusterFolder, prepareToken, readPasswords } from "./cluster-folder.ts";
import { joinCluster } from "./databases/join-cluster.ts";
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
  /** Folder of a Postgres; default: that of npm, then the system's. */
  readonly postgres?: string;
  /** Whom Postgres runs as when we are root; default "postgres". */
  readonly user?: string;
  /** Where backups and the archive of the log go; without it there are none. */
  readonly backups?: string;
  /** Networks that may connect, beyond loopback. */
  readonly peers?: readonly string[];
  readonly walLevel?: "replica" | "logical";
  /** A primary has a database of this name, owned by a role of this name, whose password is in the file. */
  readonly app?: { readonly name: string; readonly passwordFile: string };
  /** Without data it clones whoever is primary, as soon as there is one. */
  readonly joins?: boolean;
  readonly settings?: PostgresSettings;
  readonly log: Log;
}

/** An agent that runs in this process. */
export interface RunningDatabaseAgent {
  readonly agent: DatabaseAgent;
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
}

/** Restores a backup into a new cluster of one server, and leaves it stopped. Throws a `StartFailure`. */
export async function restoreDatabase(options: RestoreOptions): Promise<Restored> {
  const { backups, backup, point, passwordsOf, ...rest } = { ...options, folder: resolve(options.folder) };
  try {
    const passwords = prepareClusterFolder(rest.folder, readPasswords(resolve(passwordsOf)));
    const server = await serverOf({ ...rest, create: false }, passwords);
    const store = new BackupStore(resolve(backups), server.options.owner);
    const restored = await restore(store, server, point, backup === undefined ? {} : { backup });
    await server.stop();
    return restored;
  } catch (problem) {
    if (problem instanceof ServerError) throw new StartFailure(problem.message, "");
    throw problem;
  }
}

async function start(options: DatabaseAgentOptions): Promise<RunningDatabaseAgent> {
  const { name, folder, create, log } = options;
  const passwords = prepareClusterFolder(folder);
  const server = await serverOf(options, passwords);
  await server.prepareFolder();
  const lock = acquireLock(join(folder, "locks", name));
  if (lock.kind === "refused")
    throw new StartFailure(
      `the database ${name} has an agent already (pid ${lock.pid})`,
      "stop that one first",
    );
  const backups = await backupsOf(options, server);
  const agent = new DatabaseAgent({ server, backups });
  if (create && !(await isAnyData(folder))) await server.create();
  const address = agentAddress(folder, name);
  if (address.kind === "unix") rmSync(address.path, { force: true }); // of an agent that was killed: the lock is ours
  const door = new AgentServer({ agent, address, token: prepareToken(folder, name), log });
  await agent.start();
  await ensureApp(server, options);
  const endJoin = options.joins === true ? joinCluster(agent, folder) : () => {};
  const close = async (): Promise<void> => {
    await door.stop();
    lock.release();
  };
  return {
    agent,
    stop: async () => {
      endJoin();
      await agent.stop();
      await close();
    },
    leave: () => {
      endJoin();
      agent.leave();
      return close();
    },
  };
}

/** A new cluster is made once: where another server has data, this one is to become its replica. */
async function isAnyData(folder: string): Promise<boolean> {
  const servers = await readdir(folder);
  return servers.some((server) => existsSync(join(folder, server, "data", "PG_VERSION")));
}

async function ensureApp(server: PostgresServer, { app, log }: DatabaseAgentOptions): Promise<void> {
  if (app === undefined || server.state !== "running") return;
  try {
    if ((await server.view()).role !== "primary") return;
    await ensureAppDatabase(server, app.name, (await readFile(app.passwordFile, "utf8")).trim());
  } catch (problem) {
    log.error("database-of-app-not-made", { server: server.name, error: String(problem) });
  }
}

async function serverOf(
  options: DatabaseAgentOptions,
  passwords: ReturnType<typeof prepareClusterFolder>,
): Promise<PostgresServer> {
  const {
    name,
    folder,
    address,
    postgres,
    user,
    peers = [],
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
    peers,
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
