/**
 * A cluster to break, with routers in front of it. With root, iproute2, etcd and a Postgres of the system every server, router and the lease store have
 * a machine of their own: a network namespace. Else all of it is on loopback, and what needs a network or a disk of its own is left out.
 */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { DatabaseCluster } from "../../src/app/testing/database-cluster.ts";
import { Machines } from "../../src/base/testing/machines.ts";
import { openLeaseStore } from "../../src/database/io/index.ts";
import { PgConnection, type PgConnectionOptions } from "../../src/pgwire/io/index.ts";
import { launch, type Started, stopAll } from "./process.ts";
import { ServerDisks } from "./server-disks.ts";
import { until } from "./wait.ts";

/** Has pg_rewind and pg_basebackup, which servers that share no disk need. */
const SYSTEM = "/usr/lib/postgresql/15";

const SERVERS = ["db1", "db2", "db3"] as const;
export const ROUTERS = ["router1", "router2"] as const;
export const STORE = "store";

const STORE_PORT = 2379;
const START_MS = 20_000;

/** A session at a router waits for a primary, as clients of users do. */
const ROUTER_TIMEOUT_MS = 15_000;

export class FaultSite {
  readonly cluster: DatabaseCluster;
  /** Undefined: all is on loopback. */
  readonly machines: Machines | undefined;
  readonly disks: ServerDisks | undefined;
  readonly #ttlMs: number;
  readonly #logins = new Map<string, PgConnectionOptions>();
  #store: Started | undefined;

  /** Why there is no network of its own here. */
  static problem(): string | undefined {
    if (Bun.which("etcd") === null) return "there is no etcd here";
    if (!existsSync(SYSTEM)) return `there is no Postgres in ${SYSTEM}`;
    return Machines.problem();
  }

  constructor(ttlMs: number) {
    this.#ttlMs = ttlMs;
    if (FaultSite.problem() !== undefined) {
      this.cluster = new DatabaseCluster({ mode: "quorum", ttlMs });
      return;
    }
    const machines = new Machines([...SERVERS, ...ROUTERS, STORE]);
    this.machines = machines;
    this.cluster = new DatabaseCluster({
      mode: "quorum",
      ttlMs,
      sharesDisks: false,
      store: `etcd://${machines.host(STORE)}:${STORE_PORT}`,
      machines: {
        networks: machines.networks,
        host: (name) => machines.host(name),
        enter: (name) => machines.enter(name),
        postgres: (name) => this.disks?.postgresOf(name),
      },
    });
    const folders = SERVERS.map((name) => [name, this.cluster.folderOf(name)] as const);
    this.disks = new ServerDisks(this.cluster.folder, SYSTEM, new Map(folders));
  }

  get routers(): readonly string[] {
    return ROUTERS;
  }

  async start(): Promise<void> {
    if (this.machines !== undefined) await this.#startStore(this.machines);
    await this.cluster.start();
    for (const name of ROUTERS) await this.#startRouter(name);
  }

  async #startStore(machines: Machines): Promise<void> {
    const url = `http://${machines.host(STORE)}:${STORE_PORT}`;
    const etcd = `--data-dir ${join(this.cluster.folder, "etcd")} --listen-client-urls ${url} --advertise-client-urls ${url} --listen-peer-urls http://127.0.0.1:0 --log-level error`;
    this.#store = launch({
      name: STORE,
      folder: this.cluster.folder,
      argv: [...machines.enter(STORE), "etcd", ...etcd.split(" ")],
    });
    const isThere = (): Promise<boolean> =>
      fetch(`${url}/version`).then(
        ({ ok }) => ok,
        () => false,
      );
    await until("the lease store answers", START_MS, isThere);
  }

  async #startRouter(name: string): Promise<void> {
    this.#logins.set(name, this.cluster.startRouter(name));
    await until(`${name} lets clients in`, START_MS, async () => {
      const connection = await this.connect(name).catch(() => undefined);
      connection?.close();
      return connection !== undefined;
    });
  }

  /** A session at a router. */
  connect(router: string): Promise<PgConnection> {
    const login = this.#logins.get(router);
    if (login === undefined) throw new Error(`${router} was not started`);
    const patience = { connectTimeoutMs: ROUTER_TIMEOUT_MS, queryTimeoutMs: ROUTER_TIMEOUT_MS };
    return PgConnection.connect({ ...login, ...patience });
  }

  /** Ends and removes all of it. */
  async stop(): Promise<void> {
    this.signalStore("SIGCONT");
    await this.cluster.end();
    await stopAll();
    this.disks?.remove();
    await this.cluster.stop();
    this.machines?.remove();
  }

  /** The primary by the record of the lease; undefined when the store does not answer. */
  async holder(): Promise<string | undefined> {
    const store = openLeaseStore({ url: this.cluster.store, cluster: "main", ttlMs: this.#ttlMs });
    const reply = await store.read();
    return reply.kind === "stored" ? reply.stored.record.server : undefined;
  }

  /** Stops the lease store in its tracks, or lets it go on. */
  signalStore(signal: NodeJS.Signals): void {
    if (this.#store !== undefined) process.kill(this.#store.pid, signal);
  }

  /** Ends what is broken, but for what runs again by itself. */
  heal(): void {
    this.machines?.heal();
    this.disks?.heal();
    this.signalStore("SIGCONT");
    const { cluster } = this;
    for (const name of cluster.names) {
      cluster.signalAgent(name, "SIGCONT");
      cluster.signalServer(name, "SIGCONT");
      if (!cluster.isAgentAlive(name)) cluster.startAgent(name);
    }
  }
}
