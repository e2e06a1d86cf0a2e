/** The router of a database as a service: what it is told is in a file, for passwords are on no command line. */
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { writeFileAtomic } from "../../base/io/index.ts";
import { type Address, type DatabaseConfig, DEFAULTS, type ServiceConfig } from "../../config/index.ts";
import { parsePostgresUrl, type ServerTlsSettings, serverTlsOf } from "../../pgwire/index.ts";
import type { FailoverOptions } from "../database-failover.ts";
import { StartFailure } from "../start-failure.ts";
import type { DatabasePlace } from "./places.ts";

/** What a router process reads. */
export interface RouterFile {
  readonly name: string;
  readonly address: Address;
  readonly workers: number;
  readonly database: string;
  readonly pool: DatabaseConfig["pool"];
  readonly consistency: string;
  readonly adminUsers: readonly string[];
  readonly mode: DatabaseConfig["mode"];
  /** Our own cluster by its folder, or servers elsewhere, the primary first. */
  readonly servers:
    | { readonly kind: "own"; readonly folder: string; readonly failover?: FailoverOptions }
    | { readonly kind: "elsewhere"; readonly addresses: readonly Address[]; readonly tls: ServerTlsSettings };
  /** Users that the router knows itself; others are asked for at the primary, in a cluster of our own. */
  readonly users: Readonly<Record<string, { readonly password: string }>>;
}

const PRIVATE_FILE = 0o600;

/** Clients finish their transactions. */
export const ROUTER_DRAIN_MS = 10_000;

const START_TIMEOUT_MS = 30_000;

/** Routers go after the apps, and before the servers. */
const STAGE = 1;

/** What there is of a cluster of our own. */
interface OwnCluster {
  readonly place: DatabasePlace | undefined;
  readonly failover: FailoverOptions | undefined;
  readonly password: string;
}

/** Writes the file and gives the service. */
export async function routerService(
  database: DatabaseConfig,
  own: OwnCluster & { readonly stateDirectory: string },
): Promise<ServiceConfig> {
  const { name } = database;
  const path = join(own.stateDirectory, "databases", `${name}.router.json`);
  const file = routerFile(database, own);
  await writeFileAtomic(path, `${JSON.stringify(file)}\n`, PRIVATE_FILE);
  const program = fileURLToPath(new URL("./router-process.ts", import.meta.url));
  const { users: _, ...open } = file;
  return {
    name: `router-${name}`,
    // What is not secret is there to be seen, and to have a change of it deployed.
    command: [process.execPath, program, path, JSON.stringify(open)],
    cwd: own.stateDirectory,
    env: {},
    tasks: 1,
    targetGroup: `router-${name}`,
    health: { kind: "tcp", ...DEFAULTS.health },
    startTimeoutMs: START_TIMEOUT_MS,
    drainTimeoutMs: 0,
    stopTimeoutMs: ROUTER_DRAIN_MS + DEFAULTS.service.stopTimeoutMs,
    deploy: DEFAULTS.deploy,
    limits: {},
    stage: STAGE,
  };
}

function routerFile(database: DatabaseConfig, { place, failover, password }: OwnCluster): RouterFile {
  const { name, address, workers, pool, consistency, adminUsers, mode, url, replicaUrls, appFolder } =
    database;
  const common = { name, address, workers, pool, consistency, adminUsers, mode };
  if (url === undefined)
    return {
      ...common,
      database: name,
      servers: { kind: "own", folder: place?.folder ?? "", ...(failover === undefined ? {} : { failover }) },
      users: { [name]: { password } },
    };
  const [primary, ...replicas] = [url, ...replicaUrls].map((text, index) => {
    const parsed = parsePostgresUrl(text);
    if (typeof parsed === "object") return parsed;
    const where = index === 0 ? "url" : `replicas[${index - 1}]`;
    throw new StartFailure(`databases.${name}.${where} ${parsed}`, "mend the URL");
  });
  if (primary === undefined) throw new StartFailure(`databases.${name} has no url`, "write one");
  const tls = serverTlsOf(primary, appFolder);
  if (typeof tls === "string") throw new StartFailure(`databases.${name}.url ${tls}`, "mend the URL");
  const addresses = [primary, ...replicas].map(({ host, port }) => ({ host, port }));
  return {
    ...common,
    database: primary.database,
    servers: { kind: "elsewhere", addresses, tls },
    users: { [primary.user]: { password: primary.password ?? "" } },
  };
}
