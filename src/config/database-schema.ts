/** The schema of `databases`. */
import {
  DATABASE_MODES,
  type DatabaseConfig,
  type DatabaseLeaseConfig,
  type DatabasePoolConfig,
  POOL_MODES,
  REPLICAS_MAX,
  RESERVED_SETTINGS,
} from "./database.ts";
import { type Place, report } from "./problem.ts";
import { bySort, leaf, list, named, object, type Shape } from "./shape.ts";
import { address, duration, flag, integer, scalarText, text, word } from "./values.ts";

/** Longest path. */
const PATH_MAX = 4096;

const WORKERS_MAX = 32;
const CONNECTIONS_MAX = 10_000;
const SETTINGS_MAX = 500;
/** Operators and what watches poolers, not users. */
const ADMIN_USERS_MAX = 100;
/** Postgres cuts longer names of roles. */
const ROLE_CHARS_MAX = 63;

/** The shortest lease that leaves room for two renewals a second apart, and the longest that is still a failover. */
const TTL_MS_MIN = 3_000;
const TTL_MS_MAX = 120_000;

/** The witness has the last one. */
const PORT_MAX = 65_535 - REPLICAS_MAX - 1;

const URL_EXPECTED = "a URL such as postgres://user:password@host:5432/database";

/** The value may hold a password, so it is not repeated. */
const url = leaf(URL_EXPECTED, "string", (value: string, place) =>
  /^postgres(?:ql)?:\/\/[^\s/]+\/[^\s/?]+(?:\?\S*)?$/.test(value) && URL.canParse(value)
    ? value
    : report(place, "is no URL of Postgres", `write ${URL_EXPECTED}`),
);

const replicas: Shape<number | readonly string[]> = bySort<number | readonly string[]>(
  { number: integer({ min: 0, max: REPLICAS_MAX }), list: list(url, REPLICAS_MAX) },
  `a whole number from 0 to ${REPLICAS_MAX}, or with url: a list of URLs`,
);

const LEASE_STORE_EXPECTED = 'a URL such as "etcd://127.0.0.1:2379"';

const lease = object<Partial<DatabaseLeaseConfig>>({
  ttlMs: duration(TTL_MS_MIN, TTL_MS_MAX),
  store: leaf(LEASE_STORE_EXPECTED, "string", (value: string) =>
    /^etcd:\/\/[^\s/@,]+(?:,[^\s/@,]+)*\/?$/.test(value) ? value : undefined,
  ),
});

const pool = object<Partial<DatabasePoolConfig>>({
  mode: word(POOL_MODES),
  size: integer({ min: 1, max: CONNECTIONS_MAX }),
  reserve: integer({ min: 0, max: CONNECTIONS_MAX }),
  queueMax: integer({ min: 0, max: 1_000_000 }),
  queueTimeoutMs: duration(100),
  databaseMax: integer({ min: 0, max: CONNECTIONS_MAX }),
  userMax: integer({ min: 0, max: CONNECTIONS_MAX }),
  databaseClientsMax: integer({ min: 0, max: 1_000_000 }),
  userClientsMax: integer({ min: 0, max: 1_000_000 }),
  serverLifetimeMs: duration(0),
  serverIdleMs: duration(0),
  idleInTransactionMs: duration(0),
  queryTimeoutMs: duration(0),
  clientIdleMs: duration(0),
  messageTimeoutMs: duration(0),
});

const CONSISTENCY_EXPECTED = '"session", "eventual", "bounded(500ms)", "global" or "primary"';

const consistency = leaf(CONSISTENCY_EXPECTED, "string", (value: string) =>
  /^(?:session|eventual|global|primary|bounded\(\d+(?:\.\d+)?(?:ms|s|m)\))$/.test(value) ? value : undefined,
);

const settingName = leaf("a setting's name", "string", (value: string, place: Place) => {
  if (RESERVED_SETTINGS.includes(value))
    return report(place, "is set by tenfold: it holds the cluster together", "remove it");
  return /^[a-z][a-z0-9_]*(?:\.[a-z][a-z0-9_]*)?$/.test(value)
    ? value
    : report(place, "is no name of a setting", "write it as in postgresql.conf");
});

/** What a file says of one database. */
export type DatabaseDraft = Partial<
  Pick<
    DatabaseConfig,
    | "url"
    | "address"
    | "workers"
    | "consistency"
    | "adminUsers"
    | "mode"
    | "witness"
    | "serverPort"
    | "folder"
    | "postgres"
    | "user"
    | "backups"
    | "optional"
  >
> & {
  readonly engine?: "postgres";
  readonly replicas?: number | readonly string[];
  readonly pool?: Partial<DatabasePoolConfig>;
  readonly lease?: Partial<DatabaseLeaseConfig>;
  readonly settings?: ReadonlyMap<string, string>;
};

/** One entry of `databases`. */
export const database: Shape<DatabaseDraft> = object<DatabaseDraft>({
  replicas,
  witness: flag,
  mode: word(DATABASE_MODES),
  address: address("127.0.0.1", 1),
  url,
  engine: word(["postgres"]),
  workers: integer({ min: 1, max: WORKERS_MAX }),
  pool,
  consistency,
  adminUsers: list(text("a user's name", ROLE_CHARS_MAX), ADMIN_USERS_MAX),
  serverPort: integer({ min: 1024, max: PORT_MAX }),
  folder: text("a folder", PATH_MAX),
  postgres: text("a folder", PATH_MAX),
  user: text("a user's name", 64),
  backups: text("a folder", PATH_MAX),
  settings: named(settingName, scalarText, SETTINGS_MAX),
  lease,
  optional: flag,
});
