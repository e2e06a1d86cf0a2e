/**
 * A cluster of real servers with real agents, each in a process of its own, on this machine: for tests and benches that break
 * it. Everything is ended by its pid and removed at the end.
 */
import { type ChildProcess, spawn } from "node:child_process";
import {
  chmodSync,
  closeSync,
  existsSync,
  mkdtempSync,
  openSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { freePort } from "../../base/testing.ts";
import { type Address, DEFAULTS } from "../../config/index.ts";
import type { AgentFacts } from "../../database/index.ts";
import { AgentClient } from "../../database/io/index.ts";
import { PgConnection, type PgConnectionOptions } from "../../pgwire/io/index.ts";
import { agentAddress, prepareClusterFolder, prepareToken, readPasswords } from "../cluster-folder.ts";
import { keepMembers } from "../cluster-members.ts";
import type { FailoverMember, FailoverOptions } from "../database-failover.ts";
import type { RouterFile } from "../databases/router-service.ts";
import type { DatabaseAgentOptions } from "../run-database-agent.ts";
import type { DatabaseWitnessOptions } from "../run-database-witness.ts";

const AGENT = fileURLToPath(new URL("../database-agent.ts", import.meta.url));
const ROUTER = fileURLToPath(new URL("../databases/router-process.ts", import.meta.url));

const POLL_MS = 10;
const PATIENCE_MS = 30_000;

/** Settings that make servers small. */
const SMALL = {
  shared_buffers: "16MB",
  max_connections: "60",
  autovacuum: "off",
  min_wal_size: "32MB",
  max_wal_size: "64MB",
} as const;

/** What a cluster is made of. */
export interface ClusterWanted
  extends Partial<Pick<FailoverOptions, "mode" | "count" | "strict" | "lagBytesMax" | "ttlMs">> {
  /** Default 3. */
  readonly servers?: number;
  /** A witness beside them. Default no. */
  readonly witness?: boolean;
  /** Default: a folder. */
  readonly store?: string;
  /** Agents read each other's data directories, as on one machine; false: as on several. Default true. */
  readonly sharesDisks?: boolean;
  readonly postgres?: string;
  /** Each server on a machine of its own; default: all on this one, on loopback. */
  readonly machines?: ClusterMachines;
}

/** Machines of servers and routers, by the names of these. */
export interface ClusterMachines {
  /** Networks from which clients come, "10.0.0.0/24". */
  readonly networks: readonly string[];
  /** Its address, as the others reach it. */
  host(name: string): string;
  /** What a command is begun with, so that it runs there. */
  enter(name: string): readonly string[];
  /** A Postgres of its own; undefined: the cluster's. */
  postgres(server: string): string | undefined;
}

/** Ports on machines of their own. */
const SERVER_PORT = 5432;
const AGENT_PORT = SERVER_PORT + 10_000;
const ROUTER_PORT = 6432;

/** Resolves when `holds` does; rejects naming `what`. */
export async function until(
  what: string,
  holds: () => boolean | Promise<boolean>,
  withinMs: number = PATIENCE_MS,
): Promise<void> {
  const end = performance.now() + withinMs;
  while (!(await holds())) {
    if (performance.now() > end) throw new Error(`waited ${withinMs} ms in vain for: ${what}`);
    await Bun.sleep(POLL_MS);
  }
}

/** The witness, where there is one. */
export const WITNESS = "witness";

export class DatabaseCluster {
  readonly folder: string;
  /** Servers with data. */
  readonly names: readonly string[];
  /** With the witness. */
  readonly members: readonly string[];
  readonly ports: ReadonlyMap<string, number>;
  readonly #wanted: ClusterWanted;
  readonly #agents = new Map<string, ChildProcess>();
  readonly #routers: ChildProcess[] = [];

  constructor(wanted: ClusterWanted = {}) {
    this.#wanted = wanted;
    this.folder = mkdtempSync(join(tmpdir(), "tenfold-cluster-"));
    chmodSync(this.folder, 0o755);
    this.names = Array.from({ length: wanted.servers ?? 3 }, (_, index) => `db${index + 1}`);
    this.members = wanted.witness === true ? [...this.names, WITNESS] : this.names;
    const isShared = wanted.machines === undefined;
    this.ports = new Map(this.members.map((name) => [name, isShared ? freePort() : SERVER_PORT]));
  }

  /** The lease store's URL. */
  get store(): string {
    return this.#wanted.store ?? `file:${join(this.folder, "lease")}`;
  }

  /** As `self` is told of it: on machines of their own others are asked at a port. */
  #failoverOf(self: string): FailoverOptions {
    const { sharesDisks = true, machines, ...rest } = this.#wanted;
    const { servers: _, witness: __, store: ___, postgres: ____, ...mode } = rest;
    const members = this.members.map(
      (name): FailoverMember => ({
        name,
        ...(name === WITNESS ? { kind: "witness" as const } : {}),
        address: { host: this.hostOf(name), port: this.portOf(name) },
        ...(machines === undefined || name === self
          ? {}
          : { agent: { kind: "tcp", ...this.#agentPort(name) } }),
        ...(sharesDisks ? {} : { data: null }),
      }),
    );
    const hasPort = machines !== undefined && this.names.includes(self);
    const port = hasPort ? { port: { address: this.#agentPort(self), insecure: true } } : {};
    return { cluster: "main", store: this.store, members, ...mode, ...port };
  }

  hostOf(name: string): string {
    return this.#wanted.machines?.host(name) ?? "127.0.0.1";
  }

  #agentPort(name: string): Address {
    return { host: this.hostOf(name), port: AGENT_PORT };
  }

  /** Of `name` on its machine. */
  folderOf(name: string): string {
    return this.#wanted.machines === undefined ? this.folder : join(this.folder, `machine-${name}`);
  }

  /** The folder with the cluster's passwords, which are the same on all machines. */
  #prepareFolder(name: string): string {
    const folder = this.folderOf(name);
    prepareClusterFolder(folder, prepareClusterFolder(this.folder));
    return folder;
  }

  portOf(name: string): number {
    return this.ports.get(name) ?? 0;
  }

  /** Starts all, and resolves when all replicas stream. */
  async start(): Promise<void> {
    for (const [index, name] of this.members.entries()) {
      this.startAgent(name);
      if (index === 0) await this.untilPrimary();
    }
    await this.untilWhole();
  }

  startAgent(name: string): void {
    const { machines } = this.#wanted;
    const options = name === WITNESS ? this.#witnessOptions() : this.#serverOptions(name);
    const enter = machines?.enter(name) ?? [];
    this.#agents.set(name, this.#spawn(name, [...enter, process.execPath, AGENT, JSON.stringify(options)]));
  }

  #serverOptions(name: string): Omit<DatabaseAgentOptions, "log"> {
    const { machines, postgres = machines?.postgres(name) } = this.#wanted;
    return {
      name,
      folder: this.#prepareFolder(name),
      address: { host: this.hostOf(name), port: this.portOf(name) },
      create: name === this.names[0],
      settings: SMALL,
      failover: this.#failoverOf(name),
      ...(postgres === undefined ? {} : { postgres }),
      ...(machines === undefined ? {} : { clients: machines.networks }),
    };
  }

  #witnessOptions(): Omit<DatabaseWitnessOptions, "log"> {
    return {
      kind: "witness",
      name: WITNESS,
      folder: this.#prepareFolder(WITNESS),
      address: { host: this.hostOf(WITNESS), port: this.portOf(WITNESS) },
      failover: this.#failoverOf(WITNESS),
    };
  }

  #spawn(name: string, [program = "", ...args]: readonly string[]): ChildProcess {
    const log = openSync(join(this.folder, `${name}.log`), "a");
    const child = spawn(program, args, { stdio: ["ignore", log, log] });
    closeSync(log);
    return child;
  }

  /** Starts a router as a config does, and returns how to log in there; statements wait until there is a primary. */
  startRouter(name = "router"): PgConnectionOptions {
    const { mode = "async", machines } = this.#wanted;
    const address = { host: this.hostOf(name), port: machines === undefined ? freePort() : ROUTER_PORT };
    const { pool, consistency } = DEFAULTS.database;
    const folder = this.#prepareFolder(name);
    const failover = this.#failoverOf(name);
    if (machines !== undefined) keepMembers(folder, failover);
    const file: RouterFile = {
      name: "main",
      database: "postgres",
      address,
      workers: 1,
      pool,
      consistency,
      adminUsers: [],
      mode,
      users: {},
      servers: { kind: "own", folder, failover },
    };
    const path = join(folder, `${name}.json`);
    writeFileSync(path, JSON.stringify(file));
    const enter = machines?.enter(name) ?? [];
    this.#routers.push(this.#spawn(name, [...enter, process.execPath, ROUTER, path]));
    return { ...address, user: "postgres", password: this.#password };
  }

  get #password(): string {
    return readPasswords(this.folder).superuser;
  }

  client(name: string): AgentClient {
    const folder = this.folderOf(name);
    return new AgentClient(agentAddress(folder, name), prepareToken(folder, name));
  }

  async facts(name: string): Promise<AgentFacts | undefined> {
    if (!existsSync(join(this.folderOf(name), name, "agent.token"))) return undefined;
    return this.client(name)
      .facts(1_000)
      .catch(() => undefined);
  }

  /** The primary that the record names, when it runs as one. */
  async primary(): Promise<string | undefined> {
    for (const name of this.names) {
      const facts = await this.facts(name);
      const isPrimary = facts?.failover?.role === "leader" && facts.failover.record?.phase === "running";
      if (isPrimary && facts.view?.role === "primary") return name;
    }
    return undefined;
  }

  async untilPrimary(): Promise<string> {
    let found: string | undefined;
    await until("there is a primary", async () => {
      found = await this.primary();
      return found !== undefined;
    });
    return found as string;
  }

  /** Waits until all others stream from the primary. */
  async untilWhole(withinMs: number = PATIENCE_MS): Promise<string> {
    let primary = "";
    await until(
      "all replicas stream",
      async () => {
        primary = (await this.primary()) ?? "";
        const facts = primary === "" ? undefined : await this.facts(primary);
        const streaming = facts?.view?.replicas.filter(({ state }) => state === "streaming") ?? [];
        if (streaming.length < this.members.length - 1) return false;
        const { mode = "async", count = 1 } = this.#wanted;
        return (
          mode === "async" || (facts?.failover?.record?.quorum?.votes ?? 0) >= this.members.length - count
        );
      },
      withinMs,
    );
    return primary;
  }

  connect(name: string): Promise<PgConnection> {
    return PgConnection.connect({
      host: this.hostOf(name),
      port: this.portOf(name),
      user: "postgres",
      password: this.#password,
      connectTimeoutMs: 1_000,
      queryTimeoutMs: 5_000,
    });
  }

  /** Runs `sql` on the server; each row as an object. */
  async query(name: string, sql: string): Promise<readonly Readonly<Record<string, string | null>>[]> {
    const connection = await this.connect(name);
    try {
      return await connection.rows(sql);
    } finally {
      connection.close();
    }
  }

  /** Pids of the server's processes, the first one last. */
  serverPids(name: string): number[] {
    try {
      const file = readFileSync(join(this.folderOf(name), name, "data/postmaster.pid"), "utf8");
      const first = Number(file.split("\n")[0]);
      const children = readFileSync(`/proc/${first}/task/${first}/children`, "utf8").trim();
      return [...(children === "" ? [] : children.split(" ").map(Number)), first];
    } catch {
      return [];
    }
  }

  agentPid(name: string): number {
    return this.#agents.get(name)?.pid ?? 0;
  }

  signalAgent(name: string, signal: NodeJS.Signals): void {
    this.#agents.get(name)?.kill(signal);
  }

  isAgentAlive(name: string): boolean {
    const child = this.#agents.get(name);
    return child !== undefined && child.exitCode === null && child.signalCode === null;
  }

  signalServer(name: string, signal: NodeJS.Signals): void {
    for (const pid of this.serverPids(name)) send(pid, signal);
  }

  /** As when its machine is gone. */
  killMachine(name: string): void {
    this.signalAgent(name, "SIGKILL");
    this.signalServer(name, "SIGKILL");
  }

  /** What the agent has logged. */
  logOf(name: string): string {
    return readFileSync(join(this.folder, `${name}.log`), "utf8");
  }

  /** Ends everything and removes the folder. */
  async stop(): Promise<void> {
    await this.end();
    rmSync(this.folder, { recursive: true, force: true });
  }

  /** Ends everything. */
  async end(): Promise<void> {
    for (const child of [...this.#routers, ...this.#agents.values()]) {
      child.kill("SIGCONT");
      child.kill("SIGKILL");
    }
    for (const name of this.names) {
      this.signalServer(name, "SIGKILL");
      await until(`${name} is gone`, () => this.serverPids(name).length === 0).catch(() => {});
    }
  }
}

function send(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch {
    // It has ended.
  }
}
