/**
 * Taking from a dead primary's data directory what a replica has not got, before the replica is promoted: nothing that was
 * acknowledged is lost then, though nobody had waited for a replica.
 *
 * Two ways, both by Postgres' own recovery. "files": the replica's restore_command copies segments out of the dead server's
 * directory; quick, and the directory must be readable here. "stream": the dead server is started as a replica of nobody, and
 * the replica streams from it; for a directory that only its own machine can read. Where the dead server's log ends is read
 * from its files, so that the end is known and not guessed by waiting.
 */
import { rm, symlink } from "node:fs/promises";
import { join } from "node:path";
import { formatLsn, type Lsn, parseLsn } from "../../../pgwire/index.ts";
import { positionOf } from "../../server-view.ts";
import { changeRole, markReplica } from "./data-directory.ts";
import { makePrivateFolder, namesIn } from "./owner.ts";
import type { PostgresServer } from "./postgres-server.ts";
import { isSystemError, ServerError } from "./problem.ts";
import { pause, readLock } from "./server-process.ts";
import { scanDirectory } from "./wal-directory.ts";

/** What a dead server has that a replica has not. */
export interface MissingWal {
  readonly from: Lsn;
  readonly end: Lsn;
  readonly bytes: number;
  /** Commits among it: what clients may have been told is done. */
  readonly commits: number;
}

/** What a drain came to. */
export interface DrainResult {
  readonly bytes: number;
  readonly commits: number;
  /** Where the dead server's log ends; never before what the replica had. */
  readonly end: Lsn;
}

/** Recovery replays 50 MB/s and more; a replica that lags by this much should not have been chosen. */
const DRAIN_TIMEOUT_MS = 120_000;

const POLL_MS = 5;

/** Compares a replica that runs with the data directory of a server that does not. */
export async function missingWal(
  replica: PostgresServer,
  data: string,
  timeline?: number,
): Promise<MissingWal> {
  const view = await replica.view();
  const from = positionOf(view);
  // What it received may end inside a record; what it replayed never does.
  const replayed = parseLsn(view.replayedLsn ?? "") ?? from;
  const { end, commits } = await scanDirectory(data, replayed, from, timeline);
  return { from, end, bytes: end > from ? Number(end - from) : 0, commits };
}

/**
 * By the dead server's files, those of `timeline` and before it alone when it is given. Its data directory must belong to no
 * running server.
 */
export async function drainFiles(
  replica: PostgresServer,
  data: string,
  timeline?: number,
): Promise<DrainResult> {
  ensureDead(data);
  const missing = await missingWal(replica, data, timeline);
  const { bytes, commits, end } = missing;
  if (bytes === 0) return { bytes, commits: 0, end };
  const { owner } = replica.options;
  const from = timeline === undefined ? join(data, "pg_wal") : await linksTo(replica, data, timeline);
  // A primary that is gone is asked no more: each try would cost a connection's timeout.
  await changeRole(replica.data, { restore_command: restoreFrom(from), primary_conninfo: undefined }, owner);
  replica.reload();
  await untilReplayed(replica, missing.end);
  await changeRole(replica.data, { restore_command: undefined }, owner);
  replica.reload();
  return { bytes, commits, end };
}

/** A folder with links to the dead server's log up to `timeline`: what it began later is none of the cluster's. */
async function linksTo(replica: PostgresServer, data: string, timeline: number): Promise<string> {
  const { folder, owner } = replica.options;
  const links = join(folder, "drain");
  await rm(links, { recursive: true, force: true });
  await makePrivateFolder(links, owner);
  for (const name of await namesIn(join(data, "pg_wal"))) {
    const [, of = "", rest = ""] = /^([0-9A-F]{8})([0-9A-F]{16}|\.history)(?:\.partial)?$/.exec(name) ?? [];
    if (of === "" || Number.parseInt(of, 16) > timeline) continue;
    await symlink(join(data, "pg_wal", name), join(links, `${of}${rest}`)).catch((problem: unknown) => {
      if (!isSystemError(problem, "EEXIST")) throw problem; // the whole file stands beside the partial one
    });
  }
  return links;
}

/** By streaming from the dead server, started for it; it is stopped again, and can only ever come back as a replica. */
export async function drainStream(replica: PostgresServer, dead: PostgresServer): Promise<DrainResult> {
  const missing = await missingWal(replica, dead.data);
  const { bytes, commits, end } = missing;
  if (bytes === 0) return { bytes, commits: 0, end };
  await markReplica(dead.data, dead.options.owner);
  const away = {
    primary_conninfo: undefined,
    primary_slot_name: undefined,
    synchronous_standby_names: undefined,
  };
  await changeRole(dead.data, away, dead.options.owner);
  await dead.start();
  try {
    await untilReplayed(dead, missing.end);
    await replica.follow({ host: "127.0.0.1", port: dead.options.settings.port, slot: undefined });
    await untilReplayed(replica, missing.end);
  } finally {
    await dead.stop("fast");
  }
  return { bytes, commits, end };
}

/** What Postgres runs for each file of the log that it wants; %f is its name, %p where it goes. */
function restoreFrom(folder: string): string {
  return `cp ${shellQuoted(`${folder}/`)}%f %p`;
}

/**
 * The same, but a file that is there and cannot be copied ends recovery with an error: Postgres takes a code up to 125 for "there is no such file", and
 * so for the end of the log.
 */
export function restoreStrictly(folder: string): string {
  const file = `${shellQuoted(`${folder}/`)}%f`;
  return `test -e ${file} || exit 1; cp ${file} %p || exit 255`;
}

/** A path as one word of a shell; Postgres' own % is doubled. */
function shellQuoted(path: string): string {
  return `'${path.replaceAll("'", `'\\''`).replaceAll("%", "%%")}'`;
}

function ensureDead(data: string): void {
  const pid = readLock(data)?.pid;
  if (pid === undefined) return;
  try {
    process.kill(pid, 0);
  } catch {
    return;
  }
  throw new ServerError(
    "still-running",
    `the server in ${data} runs (pid ${pid}): freeze it before its log is taken`,
  );
}

async function untilReplayed(server: PostgresServer, end: Lsn): Promise<void> {
  const { clock, scheduler } = server.options;
  const deadline = clock.nowMs() + DRAIN_TIMEOUT_MS;
  for (;;) {
    const { replayedLsn } = await server.view();
    const [row] = await server.query("select (pg_last_wal_replay_lsn() >= $1::pg_lsn)::text as done", [
      formatLsn(end),
    ]);
    if (row?.["done"] === "true") return;
    if (clock.nowMs() > deadline) {
      const message = `${server.name} is at ${replayedLsn}, not at ${formatLsn(end)}, after ${DRAIN_TIMEOUT_MS} ms: see ${server.logFile}`;
      throw new ServerError("drain-incomplete", message);
    }
    await pause(scheduler, POLL_MS);
  }
}
