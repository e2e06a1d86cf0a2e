/**
 * The server connections of one worker for one user of one database, and the clients that wait for one.
 *
 * Free connections are a stack: the warmest is used first, and those at the bottom age until they are closed. Clients wait in
 * a queue with a bound and a deadline. Where the server does not let us in, attempts come at growing distances, and clients
 * wait on: it may be a failover.
 */
import type { Credentials, ErrorReply } from "../../../pgwire/index.ts";
import { DatabaseTraffic } from "../../router/console/traffic.ts";
import type { PoolSettings } from "../../router/pool-settings.ts";
import { routerError } from "../../router/refusals.ts";
import type { ClientConnection } from "./client-connection.ts";
import { ClientQueue } from "./client-queue.ts";
import type { RouterContext } from "./context.ts";
import { cutLost, holdBack } from "./held-clients.ts";
import { isLasting, LoginRetry } from "./login-retry.ts";
import { PoolGroup } from "./pool-group.ts";
import type { PrimaryGate, Target } from "./primary-gate.ts";
import { ServerConnection } from "./server-connection.ts";
import { endOverdue } from "./time-limits.ts";

/** Where a pool's connections go, and what is known of the user. */
export interface PoolSource {
  /** Pools of one name share the bounds of one server. */
  readonly server: string;
  /** Where the server is; undefined while there is none, or statements are held. */
  readonly address: () => Target | undefined;
  /** How to log in. */
  readonly credentials: (user: string, database: string) => Credentials;
  /** Nobody waits for a server that is away: those who want it go to another one. */
  readonly refusesAtOnce?: boolean;
  /** Says which connections may be used; undefined: all of them. */
  readonly gate?: PrimaryGate | undefined;
}

/** Throws away all that a session left, prepared statements included. */
const CLEAN = "DISCARD ALL";

export class Pool {
  readonly database: string;
  readonly user: string;
  readonly context: RouterContext;
  /** Of its database. */
  readonly traffic: DatabaseTraffic;
  settings: PoolSettings;
  /** What a fresh session reports; undefined before the first server connection. */
  baseline: ReadonlyMap<string, string> | undefined;
  #reported: ReadonlySet<string> = new Set();
  readonly #source: PoolSource;
  readonly #group: PoolGroup;
  readonly #open = new Set<ServerConnection>();
  /** Free ones, the one used last on top. */
  readonly #free: ServerConnection[] = [];
  /** New ones, of which it is not known yet whether their server is the primary. */
  readonly #unconfirmed = new Set<ServerConnection>();
  readonly #queue = new ClientQueue();
  #connecting = 0;
  readonly #retry: LoginRetry;
  #lastError: ErrorReply | undefined;

  constructor(
    database: string,
    user: string,
    settings: PoolSettings,
    source: PoolSource,
    context: RouterContext,
  ) {
    this.database = database;
    this.user = user;
    this.settings = settings;
    this.#source = source;
    this.context = context;
    this.#retry = new LoginRetry(this.gate !== undefined, context.random);
    this.traffic = context.traffic.get(database) ?? new DatabaseTraffic();
    context.traffic.set(database, this.traffic);
    this.#group = PoolGroup.of(context.groups, source.server);
    this.#group.add(this);
  }

  get open(): number {
    return this.#open.size;
  }
  get free(): number {
    return this.#free.length;
  }
  get waiting(): number {
    return this.#queue.length;
  }
  get servers(): ReadonlySet<ServerConnection> {
    return this.#open;
  }
  /** The free one that nobody has used for longest. */
  get unusedLongest(): ServerConnection | undefined {
    return this.#free[0];
  }
  /** Since when the first in the queue waits; Infinity: nobody does. */
  get waitsSinceMs(): number {
    return this.#queue.first?.waitsSinceMs ?? Infinity;
  }
  /** Its clients wait for a connection that only other pools' keep it from opening. */
  get couldGrow(): boolean {
    const { address, open, waiting, settings } = this;
    return waiting > this.#connecting && open < settings.size && address !== undefined && this.#isRetryDue;
  }
  get #isRetryDue(): boolean {
    return this.#retry.isDue(this.context.clock.nowMs());
  }
  get lastError(): ErrorReply | undefined {
    return this.#lastError;
  }
  isFree(server: ServerConnection): boolean {
    return this.#free.includes(server);
  }
  /** Clients that have waited since `ms` or longer. O(clients that wait). */
  waitingSince(ms: number): ClientConnection[] {
    return this.#queue.since(ms);
  }

  /** Where connections go now. */
  get address(): Target | undefined {
    return this.context.paused.has(this.database) ? undefined : this.#source.address();
  }
  get #refusesAtOnce(): boolean {
    return this.#source.refusesAtOnce === true && !this.context.paused.has(this.database);
  }
  get gate(): PrimaryGate | undefined {
    return this.#source.gate;
  }
  /** There is nowhere to send a statement, and clients wait until there is. */
  get isHeld(): boolean {
    const { gate } = this.#source;
    if (gate === undefined) return false;
    return (
      gate.target === undefined || (this.#lastError !== undefined && this.#open.size === this.#connecting)
    );
  }

  credentials(): Credentials {
    return this.#source.credentials(this.user, this.database);
  }

  /** Notes what the first session reports; returns what is known. */
  learn(parameters: ReadonlyMap<string, string>): ReadonlyMap<string, string> {
    if (this.baseline === undefined) {
      this.baseline = new Map(parameters);
      this.#reported = new Set([...parameters.keys()].map((name) => name.toLowerCase()));
    }
    return this.baseline;
  }

  /** Whether the server itself tells when this setting (small letters) changes. */
  reports(name: string): boolean {
    return this.#reported.has(name);
  }

  // --- clients ----------------------------------------------------------------------------------------------------

  /** A connection for `client`; undefined when it has to wait (it is told by `serverReady`), or why it cannot. */
  acquire(client: ClientConnection): ServerConnection | ErrorReply | undefined {
    if (this.waiting === 0) {
      const server = this.#takeFree();
      if (server !== undefined) return server;
    }
    if (this.waiting >= this.settings.queueMax) return routerError("queue-full");
    const refusal = this.#refusal() ?? (this.isHeld ? holdBack(client, this) : undefined);
    if (refusal !== undefined) return refusal;
    if (this.#lastError !== undefined && this.#open.size === 0 && isLasting(this.#lastError))
      return this.#isRetryDue ? this.#enqueue(client) : this.#lastError;
    return this.#enqueue(client);
  }

  /** Why nobody is to wait here. */
  #refusal(): ErrorReply | undefined {
    if (!this.#refusesAtOnce) return undefined;
    if (this.address === undefined) return routerError("server-unreachable");
    return this.#open.size === 0 && !this.#isRetryDue ? this.#lastError : undefined;
  }

  #enqueue(client: ClientConnection): undefined {
    client.waitsSinceMs = this.context.clock.nowMs();
    this.#queue.push(client);
    this.context.counters.waits++;
    this.grow();
  }

  #takeFree(): ServerConnection | undefined {
    if (this.address === undefined) return undefined;
    const server = this.#free.pop();
    if (server === undefined || this.gate?.passes(server) !== false) return server;
    server.close();
    return this.#takeFree();
  }

  /** A client waits no longer. O(clients that wait). */
  leaveQueue(client: ClientConnection): void {
    this.#queue.remove(client);
  }

  /** Opens connections for those who wait, as many as there may be. */
  grow(): void {
    const { size, reserve, reserveTimeoutMs } = this.settings;
    const nowMs = this.context.clock.nowMs();
    const address = this.address;
    if (address === undefined || !this.#retry.isDue(nowMs)) return;
    const max = size + (nowMs - this.waitsSinceMs >= reserveTimeoutMs ? reserve : 0);
    // After a failure one attempt at a time is enough to learn whether the server is back.
    const attemptsMax = this.#retry.hasFailed ? 1 : this.waiting;
    while (this.#open.size < max && this.#connecting + this.#unconfirmed.size < attemptsMax) {
      if (!this.#group.makesRoomFor(this)) return;
      const server = new ServerConnection(this, address);
      this.#open.add(server);
      this.#connecting++;
      this.context.counters.servers++;
      server.connect();
    }
  }

  // --- servers ----------------------------------------------------------------------------------------------------

  /** A new connection is ready. */
  opened(server: ServerConnection): void {
    this.#connecting--;
    this.#retry.reset();
    this.#lastError = undefined;
    const { gate } = this;
    if (gate === undefined || gate.confirms(server)) return this.#give(server);
    this.#unconfirmed.add(server);
    gate.look();
  }

  /** The record has been looked at: connections that waited for that can be used. */
  looked(): void {
    const { gate } = this;
    if (gate === undefined) return;
    const unconfirmed = [...this.#unconfirmed];
    for (const server of unconfirmed) {
      if (!gate.confirms(server)) continue;
      this.#unconfirmed.delete(server);
      this.#give(server);
    }
  }

  /** A client does not need its connection any more. */
  release(server: ServerConnection): void {
    server.client = undefined;
    server.usedMs = this.context.nowMs;
    server.hasServed = true;
    server.resume();
    this.#passOn(server);
  }

  #passOn(server: ServerConnection): void {
    if (!server.isDirty || this.#isOver(server)) return this.#give(server);
    server.isDirty = false;
    server.ask(CLEAN);
    this.context.wheel.schedule(server, this.settings.serverLoginTimeoutMs);
    server.flush();
  }

  /** A connection that was cleaned, or asked whether it lives, has answered. */
  cleaned(server: ServerConnection): void {
    this.context.wheel.cancel(server);
    if (server.isIdle && !this.#free.includes(server)) this.#passOn(server);
  }

  #give(server: ServerConnection): void {
    if (server.cancels > 0) return;
    if (this.#isOver(server)) return server.close();
    if (this.address !== undefined) {
      for (let client = this.#queue.shift(); client !== undefined; client = this.#queue.shift()) {
        if (client.serverReady(server)) return;
      }
    }
    if (this.#group.wantsRoomOf(this)) return server.close();
    this.#free.push(server);
  }

  #isOver(server: ServerConnection): boolean {
    const { serverLifetimeMs, size, reserve } = this.settings;
    if (server.isOutdated || this.gate?.isSwitching === true || this.#open.size > size + reserve) return true;
    if ((this.#open.size > size && this.waiting === 0) || this.#group.exceeds(this)) return true;
    // One that has not served anybody yet is kept: else a very short lifetime would be a loop of log-ins.
    return server.hasServed && this.context.nowMs - server.openedMs >= serverLifetimeMs;
  }

  /** A cancel request that was on its way has arrived: the connection may be used again. */
  cancelled(server: ServerConnection): void {
    server.cancels--;
    if (server.isOpen && server.client === undefined && server.isIdle && !this.#free.includes(server))
      this.#give(server);
  }

  /** A connection is gone; `duringLogin` with `error`: it never came to be. */
  closed(server: ServerConnection, error: ErrorReply | undefined, duringLogin: boolean): void {
    this.#open.delete(server);
    this.#unconfirmed.delete(server);
    this.context.counters.servers--;
    const at = this.#free.indexOf(server);
    if (at >= 0) this.#free.splice(at, 1);
    if (duringLogin) {
      this.#connecting--;
      if (error !== undefined) this.#loginFailed(error);
    }
    this.grow();
    this.#group.closed(this);
  }

  #loginFailed(error: ErrorReply): void {
    const { clock, counters, log } = this.context;
    counters.serverLoginsFailed++;
    this.#retry.failed(clock.nowMs(), this.settings);
    this.#lastError = error;
    const { user, database } = this;
    log.warn("server-login-failed", { user, database, error: error.message, detail: error.detail ?? "" });
    if (this.#open.size > 0) return;
    if (this.#refusesAtOnce || isLasting(error)) this.#refuseWaiting(error);
  }

  #refuseWaiting(error: ErrorReply): void {
    for (let client = this.#queue.shift(); client !== undefined; client = this.#queue.shift())
      client.serverRefused(error);
  }

  // --- time and change --------------------------------------------------------------------------------------------

  /** Closes what is too old, asks who has been quiet whether it lives, and tries again what failed. About once a second. */
  sweep(): void {
    const { serverIdleMs, serverCheckMs } = this.settings;
    const { nowMs } = this.context;
    for (const server of this.#free.slice()) {
      const quietMs = nowMs - server.usedMs;
      if (this.#isOver(server) || (serverIdleMs > 0 && quietMs >= serverIdleMs)) server.close();
      else if (serverCheckMs > 0 && nowMs - Math.max(server.checkedMs, server.usedMs) >= serverCheckMs)
        this.#check(server);
    }
    endOverdue(this);
    if (this.waiting > 0) this.grow();
  }

  /** Asks nothing: an answer is all that is wanted. The connection is not free meanwhile. */
  #check(server: ServerConnection): void {
    server.checkedMs = this.context.nowMs;
    this.#free.splice(this.#free.indexOf(server), 1);
    server.ask("");
    this.context.wheel.schedule(server, this.settings.serverLoginTimeoutMs);
    server.flush();
  }

  /** There is another primary, or one again: connections to others are closed as they come free. */
  targetChanged(): void {
    const address = this.address;
    this.#retry.reset();
    cutLost(this);
    if (address === undefined) {
      if (this.#refusesAtOnce) this.#refuseWaiting(routerError("server-unreachable"));
      return;
    }
    for (const server of this.#open)
      server.isOutdated ||=
        server.address.host !== address.host ||
        server.address.port !== address.port ||
        server.address.term !== address.term;
    for (const server of this.#free.slice()) if (server.isOutdated) server.close();
    this.looked();
    this.#serveQueue();
    this.grow();
  }

  #serveQueue(): void {
    while (this.waiting > 0 && this.#free.length > 0) {
      const server = this.#free.pop();
      if (server !== undefined) this.#give(server);
    }
  }

  /** Other settings: free connections beyond the size are closed now, others as they come free; those who wait may get more. */
  resize(settings: PoolSettings): void {
    this.settings = settings;
    this.sweep();
  }

  /** Closes every connection at once; clients that are attached are told `error`. */
  cut(error: ErrorReply): void {
    // Others may be opened meanwhile.
    const open = [...this.#open];
    for (const server of open) server.fail(error);
  }

  /** Closes every connection; clients that are attached lose theirs. */
  stop(): void {
    for (const server of this.#open) server.close();
  }
}
