/**
 * One router process: accepts clients, has a pool for each user of each database, and follows the cluster's view.
 *
 *   client -> log-in -> pool of (database, user) -> server connection of the primary
 *
 * Everything from outside is an argument. Workers share nothing: each opens the address for itself (`SO_REUSEPORT`) and has
 * pools of its own; only a cancel request that the kernel gave to another worker is handed over.
 */
import { type Cancel, equalConstantTime, TimerWheel } from "../../../base/index.ts";
import type { Credentials, ErrorReply, ServerTlsSettings } from "../../../pgwire/index.ts";
import type { TcpListener, TcpSocket } from "../../../transport/index.ts";
import { UpgradableSocket } from "../../../transport/io/index.ts";
import { Durations } from "../../router/durations.ts";
import { LoginFailures } from "../../router/login-failures.ts";
import { POOL_DEFAULTS, type PoolSettings } from "../../router/pool-settings.ts";
import { Statements } from "../../router/prepared.ts";
import { routerError } from "../../router/refusals.ts";
import { lookAtStatement } from "../../router/statement-effects.ts";
import type { ClusterView } from "../../view.ts";
import { ArrivalClock } from "./arrival-clock.ts";
import { BatchMemory } from "./batch.ts";
import { cancelQuery } from "./cancel.ts";
import { ClientConnection } from "./client-connection.ts";
import { ClientCounts } from "./client-counts.ts";
import type { ClientHost } from "./client-host.ts";
import { type AskConsole, isConsole } from "./console/console-session.ts";
import { Paused } from "./console/pausing.ts";
import { WorkerConsole } from "./console/worker-console.ts";
import type { RouterContext } from "./context.ts";
import { Counters } from "./counters.ts";
import { holdTick } from "./held-clients.ts";
import { numberAfter, numberIn, workerOf } from "./numbers.ts";
import { Pool, type PoolSource } from "./pool.ts";
import { type GateEvent, PrimaryGate, type Target } from "./primary-gate.ts";
import { Reads, type ReadsHost } from "./reads.ts";
import type { PoolStatus, RouterParts, RouterSettings } from "./router-settings.ts";
import { Tally } from "./tally.ts";
import { endIdle } from "./time-limits.ts";
import { ClientTls } from "./tls/client-tls.ts";
import { ServerTls } from "./tls/server-tls.ts";
import { Users } from "./users.ts";
import { VerifierSource } from "./verifier-source.ts";

const NO_TLS: ServerTlsSettings = { mode: "disable" };
const CLIENTS_MAX = 10_000;

/** Clients beyond the bound that are told so, and how long each may take to hear it; further ones are reset. */
const SURPLUS_MAX = 100;
const SURPLUS_LOGIN_MS = 5_000;
const POOLS_MAX = 1000;
const LOGIN_TIMEOUT_MS = 60_000;

/** A guess each second at most: no password that is worth its name is found so. */
const LOGIN_DELAY_MS = 1_000;

/** Timeouts are tenths of a second and more; each tick wakes the process. */
const TICK_MS = 50;
const SWEEP_MS = 1000;
const LOOK_MS = 20;

export class RouterWorker implements ClientHost {
  readonly context: RouterContext;
  readonly users: Users;
  readonly failures: LoginFailures;
  readonly console: WorkerConsole;
  readonly reads: Reads | undefined;
  tls: ClientTls | undefined;
  #settings: RouterSettings;
  readonly #parts: RouterParts;
  #poolSettings: PoolSettings;
  readonly #verifiers: VerifierSource;
  readonly #serverTls: ServerTls;
  readonly #pools = new Map<string, Pool>();
  readonly #clients = new Set<ClientConnection>();
  /** Those of them that are beyond the bound. */
  readonly #surplus = new Set<ClientConnection>();
  readonly #byProcessId = new Map<number, ClientConnection>();
  /** Where statements go at present; none while they are held. */
  #target: Target | undefined;
  readonly #gate: PrimaryGate | undefined;
  #lastClient = 0;
  #listener: TcpListener | undefined;
  #cancels: Cancel[] = [];
  #draining = false;

  constructor(settings: RouterSettings, view: ClusterView, parts: RouterParts) {
    const { transport, clock, random, log, randomBytes, lookAt = lookAtStatement, fetchVerifier } = parts;
    this.#settings = settings;
    this.#target = targetOf(view);
    this.#parts = parts;
    this.tls = settings.clientTls && new ClientTls(settings.clientTls);
    this.#serverTls = new ServerTls(transport, settings.serverTls ?? NO_TLS, log);
    this.#poolSettings = { ...POOL_DEFAULTS, ...settings.pool };
    this.users = new Users({
      clock,
      randomBytes,
      users: settings.users ?? {},
      fetch: fetchVerifier ?? (settings.authUser && ((user) => this.#verifiers.fetch(user))),
    });
    this.failures = new LoginFailures(clock, settings.loginDelayMs ?? LOGIN_DELAY_MS);
    this.context = {
      transport: this.#serverTls,
      clock: new ArrivalClock(clock),
      nowMs: clock.nowMs(),
      random,
      log,
      randomBytes,
      lookAt,
      wheel: new TimerWheel(clock.nowMs(), TICK_MS),
      statements: new Statements(),
      counters: new Counters(),
      refusals: new Tally(),
      pins: new Tally(),
      waitTimes: new Durations(),
      queryTimes: new Durations(),
      traffic: new Map(),
      groups: new Map(),
      clientCounts: new ClientCounts(),
      paused: new Paused(),
      toServer: new BatchMemory(),
      toClient: new BatchMemory(),
      reportCrash: (error) =>
        log.error("router-crashed", {
          error: error instanceof Error ? (error.stack ?? String(error)) : String(error),
        }),
    };
    this.#verifiers = new VerifierSource({
      context: this.context,
      address: () => (this.#gate === undefined ? this.#target : this.#gate.anyServer),
      credentials: () => {
        const { user = "", database = user } = this.#settings.authUser ?? {};
        return this.#credentials(user, database);
      },
    });
    if (settings.failover !== undefined) {
      const moved = (event: GateEvent): void => this.#primaryMoved(event);
      this.#gate = new PrimaryGate(this.context, settings.failover, view, {
        scheduler: parts.scheduler,
        moved,
      });
    }
    if (settings.reads !== undefined) {
      const { context } = this;
      const credentials: ReadsHost["credentials"] = (...of) => this.#credentials(...of);
      this.reads = new Reads({ context, credentials }, settings.reads);
      this.reads.update(view);
    }
    this.console = new WorkerConsole(this, settings);
  }

  /** Pools of the primary and of replicas. */
  get allPools(): readonly Pool[] {
    return [...this.#pools.values(), ...(this.reads?.pools ?? [])];
  }
  get authentication(): "scram" | "trust" {
    return this.#settings.authentication ?? "scram";
  }
  get followsLease(): boolean {
    return this.#gate !== undefined;
  }
  /** Why writes are held; undefined: they are not, or no lease is followed. */
  get holdReason(): string | undefined {
    return this.#gate?.reason;
  }
  get isDraining(): boolean {
    return this.#draining;
  }
  get counters(): Readonly<Counters> {
    return this.context.counters;
  }
  get clients(): Iterable<ClientConnection> {
    return this.#clients;
  }
  get pools(): readonly PoolStatus[] {
    return [...this.#pools.values()].map((pool) => ({
      database: pool.database,
      user: pool.user,
      servers: pool.open,
      freeServers: pool.free,
      waitingClients: pool.waiting,
    }));
  }

  /** Opens the address. Throws the system's error. */
  start(): { readonly port: number } {
    const accept = this.tls === undefined ? this.#accept : this.#acceptUpgradable;
    const listener = this.context.transport.listen(this.#settings.address, accept);
    this.#listener = listener;
    this.#every(TICK_MS, () => {
      this.context.nowMs = this.context.clock.nowMs();
      this.context.wheel.advance(this.context.nowMs);
    });
    this.#gate?.look();
    this.#every(TICK_MS, () => {
      if (this.#gate === undefined) return;
      this.#gate.tick();
      for (const pool of this.#pools.values()) holdTick(pool);
    });
    this.#every(SWEEP_MS, () => {
      for (const pool of this.allPools) pool.sweep();
      endIdle(this.#clients, this.#poolSettings.clientIdleMs, this.context.nowMs);
    });
    return { port: listener.port };
  }

  /** Follows another view. While it has no primary to write to, statements wait. */
  update(view: ClusterView): void {
    if (this.#gate !== undefined) return this.#gate.know(view);
    this.#target = targetOf(view);
    for (const pool of this.#pools.values()) pool.targetChanged();
    this.reads?.update(view);
  }

  /**
   * Works by other settings from now on; address, worker and reads stay. Clients and their transactions go on. Certificates are read
   * again; throws a `TlsFileError` when one cannot be used, and changes nothing then.
   */
  configure(settings: RouterSettings): void {
    const { clientTls } = settings;
    const tls = this.tls === undefined ? undefined : clientTls && new ClientTls(clientTls);
    this.#serverTls.configure(settings.serverTls ?? NO_TLS);
    this.tls = tls;
    this.#settings = settings;
    this.#poolSettings = { ...POOL_DEFAULTS, ...settings.pool };
    this.failures.delayMs = settings.loginDelayMs ?? LOGIN_DELAY_MS;
    this.users.replace(settings.users ?? {});
    for (const pool of this.allPools) pool.resize(this.#poolSettings);
  }

  /** By the record of the lease. Replicas are read by what was known last until there is a primary again. */
  #primaryMoved(event: GateEvent): void {
    if (this.#gate === undefined) return;
    for (const pool of this.#pools.values()) {
      if (event === "looked") pool.looked();
      else pool.targetChanged();
    }
    if (event === "looked" || this.reads === undefined) return;
    const isHeld = this.#gate.reason !== undefined;
    this.reads.isHeld = isHeld;
    if (!isHeld) this.reads.update(this.#gate.view);
  }

  /** No new clients; those there are go when their transaction ends, and are cut after `deadlineMs`. Resolves at the end. */
  async drain(deadlineMs: number): Promise<void> {
    const { clock, scheduler } = this.#parts;
    this.#draining = true;
    this.#listener?.stop();
    this.#listener = undefined;
    const endMs = clock.nowMs() + deadlineMs;
    while (this.#clients.size > 0 && clock.nowMs() < endMs) {
      for (const client of this.#clients) client.drain(); // again: some were logging in
      await new Promise<void>((resolve) => scheduler.after(LOOK_MS, resolve));
    }
    this.stop();
  }

  /** Cuts everything. */
  stop(): void {
    this.#listener?.stop();
    this.#listener = undefined;
    for (const client of this.#clients) client.failWith("draining");
    for (const client of this.#clients) client.socket.end();
    for (const pool of this.#pools.values()) pool.stop();
    this.reads?.stop();
    this.#verifiers.stop();
    this.#gate?.stop();
    for (const cancel of this.#cancels.splice(0)) cancel();
  }

  consoleFor(database: string, user: string): AskConsole | undefined {
    return isConsole(database, user, this.#settings.adminUsers ?? []) ? this.#parts.askConsole : undefined;
  }

  // --- clients ----------------------------------------------------------------------------------------------------

  readonly #acceptUpgradable = (raw: TcpSocket): UpgradableSocket | undefined => {
    const socket = new UpgradableSocket(this.context.transport, raw);
    socket.owner = this.#accept(socket);
    return socket.owner === undefined ? undefined : socket;
  };

  readonly #accept = (socket: TcpSocket): ClientConnection | undefined => {
    const { counters } = this.context;
    const { clientsMax = CLIENTS_MAX, loginTimeoutMs = LOGIN_TIMEOUT_MS } = this.#settings;
    const isSurplus = this.#clients.size - this.#surplus.size >= clientsMax;
    if (isSurplus && this.#surplus.size >= SURPLUS_MAX) {
      counters.clientsRefused++;
      return undefined;
    }
    counters.clientsAccepted++;
    counters.clients++;
    const client = new ClientConnection(socket, this, isSurplus ? SURPLUS_LOGIN_MS : loginTimeoutMs);
    this.#clients.add(client);
    if (isSurplus) this.#surplus.add(client);
    return client;
  };

  isSurplus(client: ClientConnection): boolean {
    return this.#surplus.has(client);
  }

  clientGone(client: ClientConnection): void {
    if (!this.#clients.delete(client)) return;
    this.#surplus.delete(client);
    this.context.counters.clients--;
    this.context.clientCounts.leave(client);
    this.#byProcessId.delete(client.processId);
  }

  register(client: ClientConnection, secretBytes: number): void {
    const { workerId } = this.#settings;
    do this.#lastClient = numberAfter(this.#lastClient);
    while (this.#byProcessId.has(numberIn(workerId, this.#lastClient)));
    client.processId = numberIn(workerId, this.#lastClient);
    client.secret = this.context.randomBytes(secretBytes);
    this.#byProcessId.set(client.processId, client);
  }

  poolFor(database: string, user: string): Pool | ErrorReply {
    // Names may hold anything but a zero byte.
    const key = `${database}\0${user}`;
    let pool = this.#pools.get(key);
    if (pool === undefined) {
      if (this.#pools.size >= (this.#settings.poolsMax ?? POOLS_MAX)) return routerError("pools-exceeded");
      pool = new Pool(database, user, this.#poolSettings, this.#sourceOf(), this.context);
      this.#pools.set(key, pool);
    }
    return pool;
  }

  // --- servers ----------------------------------------------------------------------------------------------------

  #sourceOf(): PoolSource {
    const gate = this.#gate;
    return {
      server: "primary",
      address: () => (gate === undefined ? this.#target : gate.target),
      credentials: (user, database) => this.#credentials(user, database),
      gate,
    };
  }

  #credentials(
    user: string,
    database: string,
    parameters: readonly (readonly [string, string])[] = [],
  ): Credentials {
    const nonce = Buffer.from(this.context.randomBytes(18)).toString("base64");
    const { authUser, serverTls: { needsBinding = false } = {} } = this.#settings;
    const secret = authUser?.user === user ? authUser.password : undefined;
    return { user, database, secret: this.users.secretOf(user) ?? secret, nonce, parameters, needsBinding };
  }

  /** A cancel request: the client's query, its place in the queue, or another worker's business. */
  cancel(processId: number, secret: Uint8Array, done: () => void): void {
    const workerId = workerOf(processId);
    if (workerId !== this.#settings.workerId) {
      this.#parts.forwardCancel?.(workerId, processId, secret);
      return done();
    }
    const client = this.#byProcessId.get(processId);
    if (client === undefined || !equalConstantTime(hex(client.secret), hex(secret))) return done();
    cancelQuery(client, done);
  }

  #every(ms: number, run: () => void): void {
    const again = (): void => {
      this.#cancels[at] = this.#parts.scheduler.after(ms, again);
      try {
        run();
      } catch (error) {
        this.context.reportCrash(error);
      }
    };
    const at = this.#cancels.push(this.#parts.scheduler.after(ms, again)) - 1;
  }
}

function targetOf({ state, primary, servers }: ClusterView): Target | undefined {
  return state === "steady" ? servers.find(({ name }) => name === primary) : undefined;
}

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("hex");
}
