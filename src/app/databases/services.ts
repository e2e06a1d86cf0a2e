/**
 * Databases in the config become services and environment: the agent of each own server is a service of one task, a witness, too, the router
 * one of as many as it has workers, and every other service finds the router's URL in TENFOLD_DATABASE_NAME_URL. Agents end after routers, routers after
 * apps.
 */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import {
  type Address,
  type Config,
  type DatabaseConfig,
  DEFAULTS,
  formatAddress,
  type HealthConfig,
  type ServiceConfig,
  WITNESS_NAME,
  witnessPort,
} from "../../config/index.ts";
import { parsePostgresUrl } from "../../pgwire/index.ts";
import { prepareClusterFolder } from "../cluster-folder.ts";
import type { FailoverOptions } from "../database-failover.ts";
import type { DatabaseAgentOptions } from "../run-database-agent.ts";
import type { DatabaseWitnessOptions } from "../run-database-witness.ts";
import { groupOfService } from "../service-group.ts";
import { StartFailure } from "../start-failure.ts";
import {
  appPassword,
  appPasswordFile,
  chosenServers,
  isMarkedPrimary,
  placeOf,
  prepareDatabases,
} from "./folders.ts";
import { type DatabasePlace, readPlaces, writePlaces } from "./places.ts";
import { binariesOf, databaseMachineProblems, isLeftOut } from "./problems.ts";
import { routerService } from "./router-service.ts";

const AGENT_PROGRAM = fileURLToPath(new URL("../database-agent.ts", import.meta.url));

/** A large server may recover for so long after a crash. */
const START_TIMEOUT_MS = 600_000;

/** From SIGTERM until a server has written a checkpoint. */
const STOP_TIMEOUT_MS = 90_000;

/** Servers go last. */
const SERVER_STAGE = 2;

/** One that answers is up; it is asked about its server at the start alone. */
const AGENT_HEALTH: HealthConfig = { kind: "http", ...DEFAULTS.health };

/**
 * The config with the services of its databases, and their URLs in the environment of the others; without optional ones where there is no
 * Postgres. Makes folders and passwords that are missing. Throws a `StartFailure` that names what the machine lacks.
 */
export async function withDatabases(asked: Config, stateDirectory: string): Promise<Config> {
  const databases = asked.databases.filter((database) => !isLeftOut(database));
  const config = { ...asked, databases };
  if (databases.length === 0) return config;
  const [problem, ...more] = await databaseMachineProblems(config, stateDirectory);
  if (problem !== undefined)
    throw new StartFailure(
      [problem, ...more].map(({ path, what }) => `${path}: ${what}`).join("\n"),
      problem.mend,
    );
  prepareDatabases(stateDirectory);
  const own = config.databases.filter(({ url }) => url === undefined);
  const known = readPlaces(stateDirectory);
  const places = new Map<string, DatabasePlace>();
  for (const database of own) places.set(database.name, await prepare(database, stateDirectory, known));
  await writePlaces(stateDirectory, Object.fromEntries(places));
  const made = await Promise.all(
    config.databases.map(async (database) => {
      const place = places.get(database.name);
      const password = place === undefined ? "" : appPassword(stateDirectory, database.name);
      return {
        url: urlOf(database, password),
        services: [
          ...agentServices(database, place, stateDirectory),
          await routerService(database, {
            place,
            failover: place === undefined ? undefined : failoverOf(database, place),
            password,
            stateDirectory,
          }),
        ],
      };
    }),
  );
  const env = environmentOf(
    config.databases,
    made.map(({ url }) => url),
  );
  const services = made.flatMap((one) => one.services);
  return {
    ...config,
    services: [
      ...services,
      ...config.services.map((service) => ({ ...service, env: { ...env, ...service.env } })),
    ],
    targetGroups: [...config.targetGroups, ...services.map(groupOfService)],
  };
}

async function prepare(
  database: DatabaseConfig,
  stateDirectory: string,
  known: Readonly<Record<string, DatabasePlace>>,
): Promise<DatabasePlace> {
  const folder = await placeOf(database, stateDirectory);
  prepareClusterFolder(folder);
  const servers = chosenServers(database, known[database.name]?.servers ?? [], (server) =>
    isMarkedPrimary(folder, server),
  );
  return { folder, servers };
}

/** "main" -> "TENFOLD_DATABASE_MAIN_URL". DATABASE_URL is that of "main", or of the first. */
function environmentOf(
  databases: readonly DatabaseConfig[],
  urls: readonly string[],
): Record<string, string> {
  const variable = (name: string): string =>
    `TENFOLD_DATABASE_${name.toUpperCase().replaceAll("-", "_")}_URL`;
  const named = databases.map(({ name }, index) => [variable(name), urls[index] ?? ""] as const);
  const main = Math.max(
    0,
    databases.findIndex(({ name }) => name === "main"),
  );
  return { DATABASE_URL: urls[main] ?? "", ...Object.fromEntries(named) };
}

/** Of the router, for tasks of this machine. */
function urlOf({ name, address, url }: DatabaseConfig, password: string): string {
  const where = formatAddress({ ...address, host: reachable(address.host) });
  if (url === undefined) return `postgres://${name}:${password}@${where}/${name}`;
  const parsed = parsePostgresUrl(url);
  if (typeof parsed === "string") throw new StartFailure(`databases.${name}.url ${parsed}`, "mend the URL");
  const [user, secret, database] = [parsed.user, parsed.password ?? "", parsed.database].map(
    encodeURIComponent,
  );
  return `postgres://${user}${secret === "" ? "" : `:${secret}`}@${where}/${database}`;
}

function reachable(host: string): string {
  if (host === "0.0.0.0") return "127.0.0.1";
  return host === "::" ? "::1" : host;
}

function agentServices(
  database: DatabaseConfig,
  place: DatabasePlace | undefined,
  stateDirectory: string,
): ServiceConfig[] {
  if (place === undefined) return [];
  const { servers, folder } = place;
  const service = (member: string, options: object): ServiceConfig => ({
    name: `${database.name}-${member}`,
    command: [process.execPath, AGENT_PROGRAM, JSON.stringify(options)],
    cwd: folder,
    env: {},
    tasks: 1,
    targetGroup: `${database.name}-${member}`,
    health: AGENT_HEALTH,
    startTimeoutMs: START_TIMEOUT_MS,
    drainTimeoutMs: 0,
    stopTimeoutMs: STOP_TIMEOUT_MS,
    deploy: { minHealthyPercent: 0, maxPercent: 100, rollback: false },
    limits: {},
    stage: SERVER_STAGE,
  });
  const agents = servers.map((server) => ({
    ...service(server, agentOptions(database, place, server, stateDirectory)),
    outlived: true,
  }));
  const witness = witnessOptions(database, place);
  return witness === undefined ? agents : [...agents, service(WITNESS_NAME, witness)];
}

function witnessOptions(
  database: DatabaseConfig,
  place: DatabasePlace,
): Omit<DatabaseWitnessOptions, "log"> | undefined {
  const failover = failoverOf(database, place);
  if (!database.witness || failover === undefined) return undefined;
  const address = witnessAddress(database);
  return { kind: "witness", name: WITNESS_NAME, folder: place.folder, address, failover };
}

function agentOptions(
  database: DatabaseConfig,
  place: DatabasePlace,
  server: string,
  stateDirectory: string,
): Omit<DatabaseAgentOptions, "log"> {
  const { name, user, backups, settings } = database;
  const { folder, servers } = place;
  const failover = failoverOf(database, place);
  const postgres = binariesOf(database);
  return {
    name: server,
    folder,
    address: addressOf(database, server),
    create: server === servers[0],
    ...(failover === undefined ? {} : { failover }),
    app: { name, passwordFile: appPasswordFile(stateDirectory, name) },
    settings,
    ...(postgres === undefined ? {} : { postgres }),
    ...(user === undefined ? {} : { user }),
    ...(backups === undefined ? {} : { backups }),
  };
}

/**
 * A server alone needs no lease. One that ever had company keeps it: without it would not be a primary any more, lest another one is.
 */
function failoverOf(
  database: DatabaseConfig,
  { folder, servers }: DatabasePlace,
): FailoverOptions | undefined {
  const { name, mode, lease, witness } = database;
  const leases = join(folder, "lease");
  if (servers.length === 1 && !existsSync(leases) && lease.store === undefined) return undefined;
  return {
    cluster: name,
    store: lease.store ?? `file:${leases}`,
    members: [
      ...servers.map((server) => ({ name: server, address: addressOf(database, server) })),
      ...(witness
        ? [{ name: WITNESS_NAME, kind: "witness" as const, address: witnessAddress(database) }]
        : []),
    ],
    mode,
    ttlMs: lease.ttlMs,
  };
}

function witnessAddress(database: DatabaseConfig): Address {
  return { host: "127.0.0.1", port: witnessPort(database) };
}

function addressOf({ serverPort }: DatabaseConfig, server: string): Address {
  return { host: "127.0.0.1", port: serverPort + numberOf(server) - 1 };
}

function numberOf(server: string): number {
  return Number(server.slice("db".length));
}
