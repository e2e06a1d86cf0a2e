/**
 * The options of `tenfold router`, from the command line and from a file of settings. The file is JSON whose keys are the names of the options;
 * what stands on the command line wins. A reload reads both again.
 */
import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import type { RouterOptions } from "../../app/index.ts";
import { isLoopback, parseDurationMs } from "../../base/index.ts";
import { type Address, formatAddress, parseAddress } from "../../config/index.ts";
import {
  type ListedUser,
  POOL_DEFAULTS,
  type PoolMode,
  type PoolSettings,
  parseUserList,
} from "../../database/index.ts";
import type { ClientTlsSettings } from "../../database/io/index.ts";
import {
  type PostgresUrl,
  parsePostgresUrl,
  SERVER_TLS_MODES,
  type ServerTlsSettings,
  serverTlsOf,
} from "../../pgwire/index.ts";
import { wholeNumber } from "../arguments.ts";
import type { ListOption, NumberOption, TextOption } from "../command.ts";
import type { Context } from "../context.ts";
import { Failure, UsageError } from "../failure.ts";
import { type RoutedServers, serversByLease, serversByUrl } from "./servers.ts";

const MODES: readonly PoolMode[] = ["transaction", "session", "statement"];
const CLIENT_TLS_MODES = ["off", "allow", "require", "bind"] as const;
const AUTHENTICATIONS = ["scram", "trust"] as const;
const ADDRESS: Address = { host: "127.0.0.1", port: 6432 };
const WORKERS_MAX = 64;
/** More than a server may be told (`max_connections`). */
const SIZE_MAX = 262_143;
const CLIENTS_MAX = 1_000_000;

const text = (placeholder: string, about: string, fallback?: string): TextOption => ({
  kind: "text",
  placeholder,
  about,
  ...(fallback === undefined ? {} : { fallback }),
});
const count = (about: string, max: number, fallback: string): NumberOption => ({
  kind: "number",
  placeholder: "N",
  about,
  min: 1,
  max,
  fallback,
});
/** One that may be left out by 0. */
const bound = (about: string, max: number): NumberOption => ({ ...count(about, max, "0: no bound"), min: 0 });
const list = (placeholder: string, about: string): ListOption => ({ kind: "list", placeholder, about });

type NumberName =
  | "workers"
  | "pool-size"
  | "database-max"
  | "user-max"
  | "clients-max"
  | "database-clients-max"
  | "user-clients-max";
type TextName =
  | "primary"
  | "members"
  | "store"
  | "auth-user"
  | "listen"
  | "pool-mode"
  | "queue-timeout"
  | "server-lifetime"
  | "server-idle"
  | "idle-in-transaction"
  | "query-timeout"
  | "client-idle"
  | "message-timeout"
  | "login-delay"
  | "auth"
  | "users"
  | "drain-timeout"
  | "tls"
  | "tls-cert"
  | "tls-key"
  | "tls-ca"
  | "server-tls"
  | "server-ca"
  | "metrics"
  | "settings";
type RouterOptionTable = Readonly<
  Record<NumberName, NumberOption> &
    Record<TextName, TextOption> &
    Record<"replica" | "admin-user", ListOption>
>;

/** Every option, which is every key of the file as well. */
export const ROUTER_OPTIONS: RouterOptionTable = {
  primary: text("URL", "The server that writes go to, and who looks up users there"),
  replica: list("URL", "A replica, where reads go"),
  members: text(
    "NAME=HOST:PORT,…",
    "Instead: all servers of a cluster that fails over, as for tenfold db serve",
  ),
  store: text("URL", "Where its lease is, which says who is primary: etcd://HOST:2379,… or file:PATH"),
  "auth-user": text("NAME", "Who looks up users at the members, with PGPASSWORD", "postgres"),
  listen: text("HOST:PORT", "Where clients connect", formatAddress(ADDRESS)),
  workers: count("Processes, all on that port", WORKERS_MAX, "1"),
  "pool-mode": text(
    "MODE",
    `How long a client keeps a server connection: ${MODES.join(", ")}`,
    "transaction",
  ),
  "pool-size": count(
    "Server connections for each user of each database",
    SIZE_MAX,
    String(POOL_DEFAULTS.size),
  ),
  "database-max": bound("Server connections of one database, all its users together", SIZE_MAX),
  "user-max": bound("Server connections of one user, all databases together", SIZE_MAX),
  "queue-timeout": text("TIME", "Longest wait for a server connection", "2min"),
  "server-lifetime": text(
    "TIME",
    "A free server connection of this age is closed; 0: each is used once",
    "1h",
  ),
  "server-idle": text("TIME", "One that nobody has used for so long is closed; 0: never", "10min"),
  "clients-max": count("Clients at once", CLIENTS_MAX, "10000"),
  "database-clients-max": bound("…of one database", CLIENTS_MAX),
  "user-clients-max": bound("…of one user", CLIENTS_MAX),
  "idle-in-transaction": text("TIME", "A client whose transaction rests for so long is ended; 0: never", "0"),
  "query-timeout": text("TIME", "…whose query has no answer after so long; 0: never", "0"),
  "client-idle": text("TIME", "…who says nothing for so long between transactions; 0: never", "0"),
  "message-timeout": text("TIME", "…who is in the middle of a message for so long; 0: never", "1min"),
  "login-delay": text(
    "TIME",
    "Between failed log-ins of one address that are answered, from the eleventh on; 0 for none",
    "1s",
  ),
  auth: text("HOW", `How clients show who they are: ${AUTHENTICATIONS.join(", ")}`, "scram"),
  users: text("FILE", "Users and their passwords or verifiers, as PgBouncer's auth_file"),
  "admin-user": list("NAME", "Who may use the console: the databases pgbouncer and tenfold"),
  "drain-timeout": text("TIME", "How long transactions may go on at a stop", "30s"),
  tls: text("HOW", `TLS of clients: ${CLIENT_TLS_MODES.join(", ")}`, "allow with a certificate, else off"),
  "tls-cert": text("FILE", "The router's certificate (PEM)"),
  "tls-key": text("FILE", "Its private key (PEM)"),
  "tls-ca": text("FILE", "Let in only clients with a certificate of this CA (PEM)"),
  "server-tls": text(
    "MODE",
    `TLS to servers: ${SERVER_TLS_MODES.join(", ")}`,
    "sslmode of the primary's URL, else prefer",
  ),
  "server-ca": text(
    "FILE",
    "CAs of the servers (PEM)",
    "sslrootcert of the primary's URL, else the system's",
  ),
  metrics: text("HOST:PORT", "Where Prometheus finds /metrics, on this machine alone"),
  settings: text("FILE", "A JSON file of these options; what stands on the command line wins"),
};

type Given = Readonly<Record<string, unknown>>;

/** What to start, and at a reload to go on with. Throws a `Failure` that names the option and the mend. */
export function readRouterOptions(given: Given, context: Context): Omit<RouterOptions, "log"> {
  const values = { ...settingsOf(given["settings"], context.cwd), ...present(given) };
  const pool = poolOf(values);
  const { cluster, login, hasReplicas, lease } = serversOf(values, pool, context);
  const address = addressOf("listen", textOf(values, "listen") ?? formatAddress(ADDRESS));
  const authentication = wordOf("auth", textOf(values, "auth") ?? "scram", AUTHENTICATIONS);
  if (authentication === "trust" && !isLoopback(address.host))
    throw new Failure(
      `${formatAddress(address)} can be reached from other machines, and --auth trust asks nobody for a password`,
      "listen on 127.0.0.1, or leave --auth out",
    );
  const metrics = metricsOf(textOf(values, "metrics"));
  const { user, password, database } = login;
  const clientsMax = numberOf(values, "clients-max");
  const drainMs = durationOf(values, "drain-timeout");
  const loginDelayMs = durationOf(values, "login-delay");
  const clientTls = clientTlsOf(values, context.cwd);
  if (authentication === "trust" && clientTls?.mode === "bind")
    throw new UsageError(
      "--tls bind is about how clients log in, and --auth trust has none",
      "leave out one of them",
    );
  const adminUsers = namesOf(values["admin-user"]);
  const users = usersOf(textOf(values, "users"), context.cwd);
  return {
    address,
    workers: numberOf(values, "workers") ?? 1,
    cluster,
    pool,
    authentication,
    serverTls: tlsToServers(values, login, context.cwd),
    ...(clientTls === undefined ? {} : { clientTls }),
    authUser: { user, database, ...(password === undefined ? {} : { password }) },
    ...(users === undefined ? {} : { users }),
    ...(adminUsers.length === 0 ? {} : { adminUsers }),
    ...(clientsMax === undefined ? {} : { clientsMax }),
    ...(loginDelayMs === undefined ? {} : { loginDelayMs }),
    ...(metrics === undefined ? {} : { metrics }),
    ...(drainMs === undefined ? {} : { drainMs }),
    ...(hasReplicas ? { reads: { monitor: { user, database } } } : {}),
    ...(lease === undefined ? {} : { lease }),
  };
}

function serversOf(values: Given, pool: Partial<PoolSettings>, context: Context): RoutedServers {
  const members = textOf(values, "members");
  if (members === undefined) {
    const primary = urlOf("primary", values["primary"], context);
    return serversByUrl(
      primary,
      listOf(values["replica"]).map((url) => urlOf("replica", url, context)),
    );
  }
  if (values["primary"] !== undefined || values["replica"] !== undefined)
    throw new UsageError("--members and --primary are two ways to say the same", "write one of them");
  return serversByLease({
    members,
    store: textOf(values, "store"),
    user: textOf(values, "auth-user") ?? "postgres",
    password: context.env["PGPASSWORD"],
    pool,
  });
}

// --- from words to values -------------------------------------------------------------------------------------------

function present(given: Given): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(given).filter(
      ([, value]) => value !== undefined && !(Array.isArray(value) && value.length === 0),
    ),
  );
}

function settingsOf(path: unknown, cwd: string): Given {
  if (typeof path !== "string") return {};
  let found: unknown;
  try {
    found = JSON.parse(readFileSync(resolve(cwd, path), "utf8"));
  } catch (problem) {
    throw new Failure(
      `${path} cannot be used: ${problem instanceof Error ? problem.message : ""}`,
      'write JSON such as {"primary": "postgres://10.0.0.5/", "pool-size": 40}',
    );
  }
  if (typeof found !== "object" || found === null || Array.isArray(found))
    throw new Failure(`${path} is no object`, 'write one such as {"primary": "postgres://10.0.0.5/"}');
  for (const key of Object.keys(found))
    if (!Object.hasOwn(ROUTER_OPTIONS, key) || key === "settings")
      throw new Failure(`${path} has "${key}", which is no setting`, "see `tenfold router --help` for those");
  return found as Given;
}

function listOf(value: unknown): readonly unknown[] {
  if (value === undefined) return [];
  return Array.isArray(value) ? value : [value];
}

function namesOf(value: unknown): readonly string[] {
  return listOf(value).map((name) => {
    if (typeof name === "string" && name !== "") return name;
    throw new UsageError("admin-user is no name", 'write "admin-user": ["ann"]');
  });
}

function textOf(values: Given, name: string): string | undefined {
  const value = values[name];
  if (value === undefined || typeof value === "string") return value;
  throw new UsageError(`${name} is no text`, `write "${name}": "…"`);
}

function numberOf(values: Given, name: NumberName): number | undefined {
  const value = values[name];
  if (value === undefined) return undefined;
  return wholeNumber(
    `--${name}`,
    typeof value === "string" ? value : JSON.stringify(value),
    ROUTER_OPTIONS[name],
  );
}

function durationOf(values: Given, name: string): number | undefined {
  const value = textOf(values, name);
  if (value === undefined) return undefined;
  const ms = parseDurationMs(value);
  if (ms !== undefined) return ms;
  throw new UsageError(`--${name} ${value} is no time`, 'write one such as "30s"');
}

function wordOf<const W extends string>(name: string, value: string, words: readonly W[]): W {
  const word = words.find((known) => known === value);
  if (word !== undefined) return word;
  throw new UsageError(`--${name} ${value} is not known`, `write one of ${words.join(", ")}`);
}

function addressOf(name: string, value: string): Address {
  const address = parseAddress(value, "127.0.0.1");
  if (typeof address === "object") return address;
  throw new UsageError(`--${name} ${value} is no address`, 'write one such as "127.0.0.1:6432"');
}

/** The URL itself is not repeated in what is wrong with it: it may hold a password. */
function urlOf(name: string, value: unknown, { env }: Context): PostgresUrl {
  if (value === undefined)
    throw new UsageError(
      `there is no --${name}`,
      `write --${name} postgres://user@host:5432/, or --members and --store of a cluster that fails over`,
    );
  const url = typeof value === "string" ? parsePostgresUrl(value) : "is no text";
  if (typeof url === "string") throw new UsageError(`--${name} ${url}`, "mend the URL");
  const password = url.password ?? env["PGPASSWORD"];
  return { ...url, ...(password === undefined ? {} : { password }) };
}

const POOL_COUNTS: readonly (readonly [option: NumberName, key: keyof PoolSettings])[] = [
  ["pool-size", "size"],
  ["database-max", "databaseMax"],
  ["user-max", "userMax"],
  ["database-clients-max", "databaseClientsMax"],
  ["user-clients-max", "userClientsMax"],
];
const POOL_TIMES: readonly (readonly [option: TextName, key: keyof PoolSettings])[] = [
  ["queue-timeout", "queueTimeoutMs"],
  ["server-lifetime", "serverLifetimeMs"],
  ["server-idle", "serverIdleMs"],
  ["idle-in-transaction", "idleInTransactionMs"],
  ["query-timeout", "queryTimeoutMs"],
  ["client-idle", "clientIdleMs"],
  ["message-timeout", "messageTimeoutMs"],
];

function poolOf(values: Given): Partial<PoolSettings> {
  const mode = textOf(values, "pool-mode");
  const counts = POOL_COUNTS.map(([name, key]) => [key, numberOf(values, name)] as const);
  const times = POOL_TIMES.map(([name, key]) => [key, durationOf(values, name)] as const);
  return {
    ...(mode === undefined ? {} : { mode: wordOf("pool-mode", mode, MODES) }),
    ...Object.fromEntries([...counts, ...times].filter(([, value]) => value !== undefined)),
  };
}

/** Names of databases and users are nobody else's business. */
function metricsOf(value: string | undefined): Address | undefined {
  if (value === undefined) return undefined;
  const address = addressOf("metrics", value);
  if (isLoopback(address.host)) return address;
  throw new UsageError(`--metrics ${value} can be reached from other machines`, "write 127.0.0.1:PORT");
}

function clientTlsOf(values: Given, cwd: string): ClientTlsSettings | undefined {
  const [cert, key, ca] = (["tls-cert", "tls-key", "tls-ca"] as const).map((name) => textOf(values, name));
  const mode = textOf(values, "tls") ?? (cert === undefined ? "off" : "allow");
  const how = wordOf("tls", mode, CLIENT_TLS_MODES);
  if (how === "off") return undefined;
  if (cert === undefined || key === undefined)
    throw new UsageError("TLS needs a certificate and its key", "write --tls-cert FILE --tls-key FILE");
  const clientCa = ca === undefined ? undefined : resolve(cwd, ca);
  return { mode: how, cert: resolve(cwd, cert), key: resolve(cwd, key), clientCa };
}

function tlsToServers(values: Given, primary: PostgresUrl, cwd: string): ServerTlsSettings {
  const [mode, ca] = [textOf(values, "server-tls"), textOf(values, "server-ca")];
  const ofUrl = serverTlsOf(primary, cwd);
  if (typeof ofUrl === "string") throw new UsageError(`--primary ${ofUrl}`, "mend the URL");
  return {
    ...ofUrl,
    ...(mode === undefined ? {} : { mode: wordOf("server-tls", mode, SERVER_TLS_MODES) }),
    ...(ca === undefined ? {} : { ca: resolve(cwd, ca) }),
  };
}

function usersOf(path: string | undefined, cwd: string): Readonly<Record<string, ListedUser>> | undefined {
  if (path === undefined) return undefined;
  let found: ReturnType<typeof parseUserList>;
  try {
    found = parseUserList(readFileSync(resolve(cwd, path), "utf8"));
  } catch (problem) {
    throw new Failure(
      `${path} cannot be read: ${problem instanceof Error ? problem.message : ""}`,
      "name a file of users with --users",
    );
  }
  if (typeof found === "object") return found;
  throw new Failure(`${path} ${found}`, "mend that line");
}
