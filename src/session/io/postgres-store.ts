/** Sessions in Postgres, for who has no other store: a row a record, and each call one round trip. */
import { type Scheduler, systemRandom, systemScheduler } from "../../base/index.ts";
import { identity } from "../../postgres/index.ts";
import { PostgresClient, type Row, startSweeper } from "../../postgres/io/index.ts";
import { applied, type Patch, type PatchOutcome, type SessionStore } from "../store.ts";
import { SESSION_SCHEMA } from "./postgres-schema.ts";

/** What a store of sessions in Postgres is made of. */
export interface PostgresSessionOptions {
  /** `pg://`, `postgres://` or `postgresql://`. */
  readonly url: string;
  /** Rows bear it: one database may hold several apps' sessions. */
  readonly prefix: string;
  /** Longest wait for an answer. Default 1 s. */
  readonly deadlineMs?: number;
  readonly scheduler?: Scheduler;
}

/** A store and the end of its connections. */
export interface PostgresSessionStore extends SessionStore {
  close(): void;
}

/** Connections: each request of an app reads its session, so more than a cache has. */
const CONNECTIONS_MAX = 8;

/** Rows that one transaction of the sweeper takes. */
const SWEPT_MAX = 1000;

/** Characters of a record's key: an index entry of Postgres takes 2,704 bytes, with the owner's name in it. */
const KEY_LENGTH_MAX = 256;

/** Connects by and by. Throws when the URL is none, or the package pg is not installed. */
export function postgresSessions(options: PostgresSessionOptions): PostgresSessionStore {
  const { url, prefix, deadlineMs, scheduler = systemScheduler } = options;
  const client = new PostgresClient({
    url,
    schema: SESSION_SCHEMA,
    name: "tenfold-session",
    connectionsMax: CONNECTIONS_MAX,
    scheduler,
    ...(deadlineMs === undefined ? {} : { deadlineMs }),
  });
  const rows = (name: string, values: readonly unknown[]): Promise<readonly Row[]> => {
    const places = values.map((_, index) => `$${index + 1}`).join(", ");
    const text = `SELECT * FROM tenfold.session_${name}(${places})`;
    return client.run({ name: `tenfold_session_${name}`, text, values });
  };
  const sweep = async (): Promise<number> => Number((await rows("sweep", [SWEPT_MAX]))[0]?.[0]);
  const stopSweeper = startSweeper({ sweep, batch: SWEPT_MAX, scheduler, random: systemRandom });

  return {
    load: async (key) => {
      const [row] = await rows("load", [prefix, identity(key)]);
      const [fields, version] = row ?? [];
      if (typeof fields !== "string" || typeof version !== "string") return undefined;
      return { fields: fieldsOf(fields), version };
    },
    create: async (key, fields, ttlMs) => {
      await rows("create", [prefix, identity(key), jsonOf(fields), ttlMs]);
    },
    patch: async (key, patch) =>
      outcome((await rows("patch", [prefix, identity(key), ...partsOf(patch)]))[0]),
    remove: async (key) => (await rows("remove", [prefix, identity(key)]))[0]?.[0] === "t",
    link: async (owner, key, ttlMs) => {
      if (key.length > KEY_LENGTH_MAX)
        throw new TypeError(`a key of more than ${KEY_LENGTH_MAX} characters cannot be linked`);
      return Number((await rows("link", [prefix, identity(owner), written(key), ttlMs]))[0]?.[0]);
    },
    unlink: async (owner, keys) => {
      if (keys.length > 0) await rows("unlink", [prefix, identity(owner), keys.map(written)]);
    },
    linked: async (owner) =>
      (await rows("linked", [prefix, identity(owner)])).map(([key]) => read(key ?? "")),
    noteRevocation: async (owner, name, ttlMs) => {
      await rows("create", [prefix, revoked(owner), jsonOf(new Map([[REVOCATION, name]])), ttlMs]);
    },
    revocation: async (owner) => {
      const [row] = await rows("load", [prefix, revoked(owner)]);
      return fieldsOf(row?.[0] ?? "{}").get(REVOCATION);
    },
    close: () => {
      stopSweeper();
      void client.close();
    },
  };
}

/** A revocation is a record of its own. Keys of sessions have no space in them. */
const REVOCATION = "revocation";
const revoked = (owner: string): Buffer => identity(`revoked ${owner}`);

function partsOf({ set, setIfAbsent, add, remove, ttlMs, ifVersion }: Patch): readonly unknown[] {
  const none: ReadonlyMap<string, string> = new Map();
  const sums = new Map([...(add ?? [])].map(([name, by]) => [name, String(by)] as const));
  return [
    jsonOf(set ?? none),
    jsonOf(setIfAbsent ?? none),
    jsonOf(sums),
    (remove ?? []).map(written),
    ttlMs,
    ifVersion ?? null,
  ];
}

/** A row of status, written, sums, not numbers. */
function outcome(row: Row | undefined): PatchOutcome {
  const [status, names, sums, notNumbers] = row ?? [];
  if (status === "gone" || status === "conflict") return { status };
  if (status !== "applied") throw new TypeError("the store's answer to a patch cannot be understood");
  return applied(
    new Set(textsOf(names ?? "[]")),
    new Map(
      Object.entries(JSON.parse(sums ?? "{}") as Record<string, number>).map(([name, sum]) => [
        read(name),
        sum,
      ]),
    ),
    textsOf(notNumbers ?? "[]"),
  );
}

function jsonOf(fields: ReadonlyMap<string, string>): string {
  return JSON.stringify(
    Object.fromEntries([...fields].map(([name, text]) => [written(name), written(text)])),
  );
}

function fieldsOf(json: string): Map<string, string> {
  const texts = Object.entries(JSON.parse(json) as Record<string, string>);
  return new Map(texts.map(([name, text]) => [read(name), read(text)]));
}

function textsOf(json: string): string[] {
  return (JSON.parse(json) as string[]).map(read);
}

/** A text as Postgres takes it, which has no NUL and no half of a surrogate pair: NUL is written %00, % is %25. */
function written(text: string): string {
  return text
    .replace(/\p{Surrogate}/gu, "\ufffd")
    .replaceAll("%", "%25")
    .replaceAll("\0", "%00");
}

function read(text: string): string {
  return text.includes("%") ? text.replaceAll("%00", "\0").replaceAll("%25", "%") : text;
}
