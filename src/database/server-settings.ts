/**
 * Settings of a Postgres server: those of ours, as the text of two files that its postgresql.conf includes. "tenfold.conf" is
 * what the server is, "tenfold.role.conf" whom it follows; the second changes while it runs.
 */

import { parseIp } from "../base/index.ts";
import { RESERVED_SETTINGS } from "../config/index.ts";

/** Names and values as in postgresql.conf. */
export type PostgresSettings = Readonly<Record<string, string>>;

/** The two files in the data directory. */
export const SETTINGS_FILE = "tenfold.conf";
export const ROLE_FILE = "tenfold.role.conf";

/** What a server is made with. */
export interface ServerSettings {
  /** Where it listens: loopback unless the cluster spans machines. */
  readonly host: string;
  readonly port: number;
  /** Its certificate and key, in files of its owner; undefined = it speaks no TLS unless the user's settings say so. */
  readonly tls?: { readonly cert: string; readonly key: string } | undefined;
  /** Folder of its Unix socket; undefined = none. */
  readonly socketFolder: string | undefined;
  /** "logical" also lets change streams be read; it costs some bytes of log. */
  readonly walLevel: "replica" | "logical";
  /** What copies finished segments away; undefined = no archive. */
  readonly archiveCommand: string | undefined;
  /** false = a power cut may destroy it; for tests alone. */
  readonly durable: boolean;
  /**
   * How files reach the disk before a crashed server recovers: one call for the file system, where the kernel reports its
   * errors, or one for each file, which takes seconds.
   */
  readonly firstSync: "syncfs" | "fsync";
  /** Libraries that are loaded at the start. */
  readonly preload: {
    /** Ours that this installation has. */
    readonly wanted: readonly string[];
    /** What the user wrote into postgresql.conf, which ours would hide; undefined = nothing. */
    readonly written: string | undefined;
  };
  /** What the user sets; ours cannot be set: see `RESERVED_SETTINGS` of config. */
  readonly settings: PostgresSettings;
}

/** Log kept for a replica that is away: 4 GiB; one that needs more is cloned anew, rather than the disk filled. */
const SLOT_KEEP = "4GB";

/** Replicas, clones under way, backups and change streams, with room. */
const SENDERS = "16";

/** A finished segment is archived at the latest after this. */
const ARCHIVE_TIMEOUT = "60s";

/** How soon a replica asks again for log that was not there. Postgres' own 5 s is most of the time of a failover. */
const RETRY = "200ms";

/** How soon a sender and a receiver notice that the other one is gone: Postgres' own 60 s hides a dead machine. */
const REPLICATION_TIMEOUT = "5s";

/** Counts statements and their times: what advice on indexes is made of. */
export const STATEMENT_LIBRARY = "pg_stat_statements";

/** The settings of a server named `name`, those of the user last. */
export function settingsOf(name: string, server: ServerSettings): PostgresSettings {
  return {
    max_wal_senders: SENDERS,
    max_replication_slots: SENDERS,
    max_slot_wal_keep_size: SLOT_KEEP,
    wal_receiver_timeout: REPLICATION_TIMEOUT,
    wal_sender_timeout: REPLICATION_TIMEOUT,
    wal_receiver_status_interval: "1s",
    wal_retrieve_retry_interval: RETRY,
    archive_timeout: ARCHIVE_TIMEOUT,
    password_encryption: "scram-sha-256",
    recovery_init_sync_method: server.firstSync,
    log_line_prefix: "%m [%p] %q%u@%d ",
    ...(server.durable ? {} : { fsync: "off" }),
    ...(server.tls === undefined
      ? {}
      : { ssl: "on", ssl_cert_file: server.tls.cert, ssl_key_file: server.tls.key }),
    ...server.settings,
    ...preloadOf(server),
    listen_addresses: server.host,
    port: String(server.port),
    unix_socket_directories: server.socketFolder ?? "",
    unix_socket_permissions: "0700",
    wal_level: server.walLevel,
    wal_log_hints: "on",
    hot_standby: "on",
    // Without an archive of ours the one that a server had before goes on.
    ...(server.archiveCommand === undefined
      ? {}
      : { archive_mode: "on", archive_command: server.archiveCommand }),
    recovery_target_timeline: "latest",
    // A crash that its agent does not hear of is one that routers do not hear of.
    restart_after_crash: "off",
    cluster_name: name,
  };
}

/** The user's libraries, and ours after them; a user who sets none at all ("") gets none. */
function preloadOf({ preload: { wanted, written }, settings }: ServerSettings): PostgresSettings {
  const own = settings["shared_preload_libraries"] ?? written;
  if (own?.trim() === "" || wanted.length === 0) return {};
  const names = (own ?? "").split(",").map((name) => name.trim());
  const bare = names.map((name) => name.replace(/^"(.*)"$/, "$1").replace(/^\$libdir\//, ""));
  const all = [...names, ...wanted.filter((name) => !bare.includes(name))];
  return { shared_preload_libraries: all.filter((name) => name !== "").join(",") };
}

/** What a postgresql.conf sets `name` to, its last line of it; undefined = it does not. Files that it includes are not read. */
export function writtenValue(text: string, name: string): string | undefined {
  const values = text.split("\n").flatMap((line) => {
    const [, key, quoted, bare] =
      /^\s*([a-z_.]+)\s*[=\s]\s*(?:'((?:[^']|'')*)'|([^\s#']+))/i.exec(line) ?? [];
    return key?.toLowerCase() === name ? [quoted?.replaceAll("''", "'") ?? bare] : [];
  });
  return values.at(-1);
}

/** One `name = 'value'` a line. */
export function formatSettings(settings: PostgresSettings): string {
  const lines = Object.entries(settings).map(
    ([name, value]) => `${name} = '${value.replaceAll("'", "''")}'\n`,
  );
  return `# Written by tenfold: changes here are lost.\n${lines.join("")}`;
}

const LINE = /^\s*([a-z_.]+)\s*=\s*'((?:[^']|'')*)'\s*$/i;

/** Reads what `formatSettings` wrote. */
export function parseSettings(text: string): PostgresSettings {
  const pairs = text.split("\n").flatMap((line) => {
    const [, name, value] = LINE.exec(line) ?? [];
    return name === undefined || value === undefined ? [] : [[name, value.replaceAll("''", "'")] as const];
  });
  return Object.fromEntries(pairs);
}

/** A postgresql.auto.conf without lines that would override what is ours (somebody's ALTER SYSTEM, or a copied file). */
export function withoutReserved(text: string): string {
  const isOurs = (line: string): boolean =>
    RESERVED_SETTINGS.includes(/^\s*([a-z_]+)\s*=/i.exec(line)?.[1] ?? "");
  return text
    .split("\n")
    .filter((line) => !isOurs(line))
    .join("\n");
}

/** Whom a replica follows. */
export interface Upstream {
  readonly host: string;
  readonly port: number;
  /** Its slot there, which keeps the log that it has not got yet; undefined = without. */
  readonly slot: string | undefined;
}

/**
 * How a replica connects: its password is in a file, for anybody who may look at settings sees this. With `ca` only to a server whose
 * certificate that CA has made for its host.
 */
export function connectionInfo(name: string, upstream: Upstream, passFile: string, ca?: string): string {
  const fields = {
    host: upstream.host,
    port: String(upstream.port),
    user: REPLICATION_ROLE,
    passfile: passFile,
    application_name: name,
    connect_timeout: "3",
    keepalives_idle: "5",
    keepalives_interval: "2",
    keepalives_count: "3",
    ...(ca === undefined ? { sslmode: "prefer" } : { sslmode: "verify-full", sslrootcert: ca }),
  };
  return Object.entries(fields)
    .map(([field, value]) => `${field}='${value.replace(/['\\]/g, "\\$&")}'`)
    .join(" ");
}

/** The role that replicas, clones and rewinds connect as. */
export const REPLICATION_ROLE = "tenfold_replication";

/** `ANY k (names)`: a commit waits until k of them have it. Empty = it waits for nobody. */
export function quorumOf(count: number, names: readonly string[]): string {
  if (count === 0 || names.length === 0) return "";
  return `ANY ${count} (${names.map((name) => `"${name.replaceAll('"', '""')}"`).join(", ")})`;
}

/** Slots may hold a-z, 0-9 and _ only, 63 of them. */
export function slotName(server: string): string {
  return `tenfold_${server.toLowerCase().replace(/[^a-z0-9_]/g, "_")}`.slice(0, 63);
}

/** Who may connect from beyond loopback. */
export interface Peers {
  /** Hosts of the cluster's other servers, addresses or names: their agents and replicas come from there. */
  readonly members: readonly string[];
  /** Networks of clients, "10.0.0.0/8". */
  readonly clients: readonly string[];
}

/** Nobody does. */
export const NO_PEERS: Peers = { members: [], clients: [] };

/** How strict access is. */
interface AccessRules {
  /** Members must speak TLS. */
  readonly isTls?: boolean;
  /** Whoever gets to the socket is let in. */
  readonly trustsSocket?: boolean;
  /** Lines of a server that was there before: they come after what our own roles need, and before the rest. */
  readonly given?: string;
}

/** Who may connect from where: passwords everywhere; replication from loopback and members alone. */
export function hostBasedAccess({ members, clients }: Peers, rules: AccessRules = {}): string {
  const { isTls = false, trustsSocket = false, given = "" } = rules;
  const socket = trustsSocket ? "trust" : "scram-sha-256";
  const roles = `${SUPERUSER},${REPLICATION_ROLE}`;
  const own = LOOPBACK.flatMap((network) => [
    `host all ${roles} ${network} scram-sha-256`,
    `host replication ${roles} ${network} scram-sha-256`,
  ]);
  const others = members.flatMap((host) =>
    MEMBER_ACCESS.map(
      ([database, role]) =>
        `${isTls ? "hostssl" : "host"} ${database} ${role} ${asNetwork(host)} scram-sha-256`,
    ),
  );
  const everybody = LOOPBACK.map((network) => `host all all ${network} scram-sha-256`);
  const theirs = clients.flatMap((network) => [
    `host all all ${network} scram-sha-256`,
    `host replication ${SUPERUSER} ${network} scram-sha-256`, // a router asks so which timeline a replica follows
  ]);
  const before = [`local all ${roles} ${socket}`, ...own, ...others];
  const after = [`local all all ${socket}`, ...everybody, ...theirs];
  return `# Written by tenfold: changes here are lost.\n${[...before, ...(given === "" ? [] : [given.trimEnd()]), ...after].join("\n")}\n`;
}

const LOOPBACK: readonly string[] = ["127.0.0.1/32", "::1/128"];

/** The superuser that is in every cluster made here. */
export const SUPERUSER = "postgres";

/** Streams; pg_rewind; agents, which look at the history and make slots. */
const MEMBER_ACCESS: readonly (readonly [string, string])[] = [
  ["replication", REPLICATION_ROLE],
  [SUPERUSER, REPLICATION_ROLE],
  [SUPERUSER, SUPERUSER],
];

/** One address; a name stays one, and Postgres looks it up. */
function asNetwork(host: string): string {
  if (parseIp(host) === undefined) return host;
  return `${host}/${host.includes(":") ? 128 : 32}`;
}
