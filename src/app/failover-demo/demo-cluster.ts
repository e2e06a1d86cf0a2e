/** The cluster of the demo: agents in processes of their own, in a temporary folder, and a router in front. */
import { type ChildProcess, spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { chmodSync, closeSync, mkdtempSync, openSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { systemClock, systemScheduler } from "../../base/index.ts";
import { type Address, DEFAULTS } from "../../config/index.ts";
import { stopLeftServer } from "../../database/io/index.ts";
import { prepareClusterFolder, readPasswords } from "../cluster-folder.ts";
import type { FailoverOptions } from "../database-failover.ts";
import { type AskedServer, askAgents } from "../databases/agents.ts";
import type { RouterFile } from "../databases/router-service.ts";
import type { DatabaseAgentOptions } from "../run-database-agent.ts";

const AGENT = fileURLToPath(new URL("../database-agent.ts", import.meta.url));
const ROUTER = fileURLToPath(new URL("../databases/router-process.ts", import.meta.url));

/** What a demo is made with. */
export interface DemoWanted {
  /** Servers, the primary among them. */
  readonly servers: number;
  readonly mode: "async" | "quorum";
  readonly postgres?: string;
  readonly user?: string;
}

/** Small servers: all of them on one machine, for a minute. */
const SETTINGS = { shared_buffers: "32MB", max_connections: "60" } as const;

const NAME = "demo";
const FIRST = "db1";
const FACTS_TIMEOUT_MS = 1_000;

export class DemoCluster {
  readonly folder: string = mkdtempSync(join(tmpdir(), "tenfold-demo-"));
  readonly password: string = randomBytes(24).toString("base64url");
  readonly #wanted: DemoWanted;
  readonly #addresses: ReadonlyMap<string, Address>;
  /** Agents by the name of their server, and the router. */
  readonly #processes = new Map<string, ChildProcess>();
  /** Where clients connect. */
  readonly address: Address = freeAddress();

  constructor(wanted: DemoWanted) {
    this.#wanted = wanted;
    chmodSync(this.folder, 0o711); // Postgres' user must get through when we are root
    writeFileSync(this.#passwordFile, this.password, { mode: 0o600 });
    const names = Array.from({ length: wanted.servers }, (_, index) => `db${index + 1}`);
    this.#addresses = new Map(names.map((name) => [name, freeAddress()]));
  }

  get #passwordFile(): string {
    return join(this.folder, "app.password");
  }
  get #cluster(): string {
    return join(this.folder, "cluster");
  }
  get #failover(): FailoverOptions {
    const members = [...this.#addresses].map(([name, address]) => ({ name, address }));
    const { mode } = this.#wanted;
    return { cluster: NAME, store: `file:${join(this.folder, "lease")}`, members, mode };
  }

  /** Starts all; statements wait until there is a primary. */
  start(): void {
    prepareClusterFolder(this.#cluster);
    for (const name of this.#addresses.keys()) this.startAgent(name);
    const { mode } = this.#wanted;
    const { pool, consistency } = DEFAULTS.database;
    const servers = { kind: "own", folder: this.#cluster, failover: this.#failover } as const;
    const users = { [NAME]: { password: this.password } };
    const common = { name: NAME, address: this.address, workers: 1, pool, consistency, mode, adminUsers: [] };
    const file: RouterFile = { ...common, database: NAME, servers, users };
    const path = join(this.folder, "router.json");
    writeFileSync(path, JSON.stringify(file), { mode: 0o600 });
    this.#spawn("router", [ROUTER, path]);
  }

  /** Starts the agent of a server, and with it the server. */
  startAgent(name: string): void {
    const { postgres, user } = this.#wanted;
    const options: Omit<DatabaseAgentOptions, "log"> = {
      name,
      folder: this.#cluster,
      address: this.#addresses.get(name) ?? freeAddress(),
      create: name === FIRST,
      app: { name: NAME, passwordFile: this.#passwordFile },
      settings: SETTINGS,
      failover: this.#failover,
      ...(postgres === undefined ? {} : { postgres }),
      ...(user === undefined ? {} : { user }),
    };
    this.#spawn(name, [AGENT, JSON.stringify(options)]);
  }

  #spawn(name: string, args: readonly string[]): void {
    const log = openSync(join(this.folder, `${name}.log`), "a", 0o600);
    const child = spawn(process.execPath, args, { stdio: ["ignore", log, log] });
    closeSync(log);
    this.#processes.set(name, child);
  }

  /** What the agents say. */
  servers(): Promise<AskedServer[]> {
    return askAgents(this.#cluster, FACTS_TIMEOUT_MS);
  }

  /** The server that takes writes now, by the word of the one that has the lease. */
  async primary(): Promise<AskedServer | undefined> {
    return (await this.servers()).find(({ facts }) => {
      const { role, record } = facts?.failover ?? {};
      return facts?.view?.role === "primary" && role === "leader" && record?.phase === "running";
    });
  }

  /** Ends a server and its agent as a power cut would; resolves when the first process of the server is gone. */
  async kill({ name, facts }: AskedServer): Promise<void> {
    this.#processes.get(name)?.kill("SIGKILL");
    if (typeof facts?.pid === "number") process.kill(facts.pid, "SIGKILL");
  }

  /** Whether an agent of ours has ended by itself: its name, and where it says why. */
  ended(): string | undefined {
    const found = [...this.#processes].find(([, { exitCode }]) => exitCode !== null && exitCode !== 0);
    return found === undefined ? undefined : join(this.folder, `${found[0]}.log`);
  }

  /** A look past the router at one server, as the superuser. */
  login(port: number): { host: string; port: number; user: string; password: string; database: string } {
    const password = readPasswords(this.#cluster).superuser;
    return { host: "127.0.0.1", port, user: "postgres", password, database: NAME };
  }

  /** Ends everything and removes the folder. */
  async remove(): Promise<void> {
    await this.#end((name) => name === "router");
    await this.#end(() => true);
    const time = { clock: systemClock, scheduler: systemScheduler };
    for (const name of this.#addresses.keys()) await stopLeftServer(join(this.#cluster, name, "data"), time);
    rmSync(this.folder, { recursive: true, force: true });
  }

  async #end(which: (name: string) => boolean): Promise<void> {
    const living = [...this.#processes].filter(
      ([name, { exitCode, signalCode }]) => which(name) && exitCode === null && signalCode === null,
    );
    const ended = living.map(([, child]) => new Promise((resolve) => child.once("exit", resolve)));
    for (const [, child] of living) child.kill("SIGTERM");
    await Promise.all(ended);
  }
}

/** A loopback port that is free now. */
function freeAddress(): Address {
  const probe = Bun.listen({ hostname: "127.0.0.1", port: 0, socket: { data: () => {} } });
  const { port } = probe;
  probe.stop(true);
  return { host: "127.0.0.1", port };
}
