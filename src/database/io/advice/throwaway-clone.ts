/**
 * A copy of a running server that nothing can be harmed by: it listens on a Unix socket in its own folder only, archives nowhere, runs
 * no background jobs and no subscriptions, and is gone with its folder.
 */
import { appendFile, lstat, mkdir, rm, statfs } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { formatBytes } from "../../../base/index.ts";
import type { ServerSource } from "../../orders.ts";
import { NO_PEERS, SUPERUSER, slotName } from "../../server-settings.ts";
import { clone } from "../server/clone.ts";
import { connectControl } from "../server/control-client.ts";
import { ensureReachable, give, namesIn, type Owner } from "../server/owner.ts";
import { PostgresServer, type PostgresServerOptions } from "../server/postgres-server.ts";
import { ServerError } from "../server/problem.ts";
import { pause } from "../server/server-process.ts";

import { cloneFolder, isLeft, nameOfFolder, nameOfSlot, newCloneName } from "./clone-name.ts";

/** Who clones, and where. */
export interface CloneMaker
  extends Pick<PostgresServerOptions, "binaries" | "owner" | "passwords" | "clock" | "scheduler" | "log"> {
  /** Where its folder is made; default: the system's for temporary files. */
  readonly within?: string;
}

/** A clone that runs and takes writes. */
export interface ThrowawayClone {
  readonly server: PostgresServer;
  /** Ends it and removes all of it. */
  drop(): Promise<void>;
}

/** Data grows while it is copied, indexes are made in it: the room that must be free, as a share of the data. */
const ROOM = 1.3;

/** Both servers share a machine: the copy gets a small cache of its own, the files are in the system's. */
const SHARED_BUFFERS = "128MB";

/** Settings of a standby must not be below its primary's, or it does not start. */
const INHERITED: readonly string[] = [
  "max_connections",
  "max_worker_processes",
  "max_prepared_transactions",
  "max_locks_per_transaction",
];

/** Clones `source`. Throws `ServerError`s: `clone-aborted` when there is no room for it, or `signal` says so. */
export async function throwawayClone(
  source: ServerSource,
  maker: CloneMaker,
  signal?: AbortSignal,
): Promise<ThrowawayClone> {
  const { owner, within = tmpdir() } = maker;
  await sweepClones(source, maker);
  const name = newCloneName();
  const folder = join(within, cloneFolder(name));
  await mkdir(folder, { mode: 0o700 });
  await give(folder, owner);
  const server = cloneServer(name, folder, maker, await inheritedFrom(source, maker));
  const drop = (): Promise<void> => dropClone(server, folder, source, maker);
  try {
    await ensureReachable(folder, owner);
    needSocket(server, within);
    await needRoom(source, maker, within);
    await clone(server, source, signal === undefined ? {} : { signal });
    await appendFile(join(server.data, "postgresql.auto.conf"), HARMLESS);
    await server.start();
    await server.promote();
    signal?.throwIfAborted();
    return { server, drop };
  } catch (problem) {
    await drop().catch(() => {}); // the first problem is the one that counts
    throw problem;
  }
}

/** Removes what runs that were killed left: their servers, folders, and slots at `source`. Those of runs that go on stay. */
async function sweepClones(source: ServerSource, maker: CloneMaker): Promise<void> {
  const { owner, within = tmpdir() } = maker;
  for (const entry of await namesIn(within)) {
    const name = nameOfFolder(entry);
    const folder = join(within, entry);
    if (name === undefined || !isLeft(name) || !(await isOurs(folder, owner))) continue;
    await dropClone(cloneServer(name, folder, maker, {}), folder, source, maker);
  }
  const slots = await ask(
    source,
    maker,
    "select slot_name as slot from pg_replication_slots where slot_type = 'physical' and not active",
  );
  for (const { slot } of slots) {
    const name = nameOfSlot(slot ?? "");
    if (name !== undefined && isLeft(name)) await dropSlot(source, maker, slotName(name));
  }
}

/** Anybody may make a folder of that name in a folder for all. */
async function isOurs(folder: string, owner: Owner): Promise<boolean> {
  const found = await lstat(folder).catch(() => undefined);
  return found?.isDirectory() === true && [process.getuid?.(), owner?.uid].includes(found.uid);
}

function cloneServer(
  name: string,
  folder: string,
  { binaries, owner, passwords, clock, scheduler, log }: CloneMaker,
  settings: Readonly<Record<string, string>>,
): PostgresServer {
  return new PostgresServer({
    name,
    folder: join(folder, "s"),
    binaries,
    owner,
    settings: {
      host: "", // no network: the port names the socket alone
      port: 5432,
      walLevel: "replica",
      archiveCommand: undefined,
      durable: false,
      settings,
    },
    peers: NO_PEERS,
    passwords,
    clock,
    scheduler,
    log,
  });
}

/** Without a socket there is no way to it: the port is somebody else's. */
function needSocket({ address, options }: PostgresServer, within: string): void {
  if (address.host === options.folder) return;
  throw new ServerError(
    "clone-aborted",
    `the path of ${within} is too long for the socket of a copy: set TMPDIR to a shorter one`,
  );
}

async function dropClone(
  server: PostgresServer,
  folder: string,
  source: ServerSource,
  maker: CloneMaker,
): Promise<void> {
  await server.fence(0);
  await rm(folder, { recursive: true, force: true });
  await dropSlot(source, maker, slotName(server.name));
}

/** Last in the file that is read last. */
const HARMLESS = `
shared_preload_libraries = ''
session_preload_libraries = ''
max_logical_replication_workers = 0
synchronous_standby_names = ''
autovacuum = off
shared_buffers = '${SHARED_BUFFERS}'
`;

async function ask(
  { host, port }: ServerSource,
  { passwords }: CloneMaker,
  sql: string,
  values: readonly string[] = [],
): Promise<readonly Readonly<Record<string, string | null>>[]> {
  const client = await connectControl({ host, port, user: SUPERUSER, password: passwords.superuser });
  try {
    return await client.query(sql, values);
  } finally {
    client.close();
  }
}

async function inheritedFrom(source: ServerSource, maker: CloneMaker): Promise<Record<string, string>> {
  const names = INHERITED.map((name) => `'${name}'`).join(", ");
  const rows = await ask(source, maker, `select name, setting from pg_settings where name in (${names})`);
  return Object.fromEntries(rows.map((row) => [row["name"] ?? "", row["setting"] ?? ""]));
}

async function needRoom(source: ServerSource, maker: CloneMaker, within: string): Promise<void> {
  const [row] = await ask(source, maker, "select sum(pg_database_size(oid))::text as bytes from pg_database");
  const needed = Number(row?.["bytes"] ?? 0) * ROOM;
  const { bavail, bsize } = await statfs(within);
  if (bavail * bsize >= needed) return;
  throw new ServerError(
    "clone-aborted",
    `a copy needs ${formatBytes(needed)} in ${within}, ${formatBytes(bavail * bsize)} are free: set TMPDIR to a larger disk`,
  );
}

/** The sender notices that its receiver is gone within this time. */
const SLOT_TRIES = 100;
const SLOT_POLL_MS = 50;

/** A slot that stayed would keep the primary's log for nobody. */
async function dropSlot(source: ServerSource, maker: CloneMaker, slot: string): Promise<void> {
  for (let tries = 0; tries < SLOT_TRIES; tries++) {
    await ask(
      source,
      maker,
      "select pg_drop_replication_slot(slot_name) from pg_replication_slots where slot_name = $1 and not active",
      [slot],
    );
    const left = await ask(source, maker, "select 1 as n from pg_replication_slots where slot_name = $1", [
      slot,
    ]);
    if (left.length === 0) return;
    await pause(maker.scheduler, SLOT_POLL_MS);
  }
  throw new ServerError("slot-lost", `the slot ${slot} is still in use: drop it when it is not`);
}
