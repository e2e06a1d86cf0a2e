/**
 * One listening address: accepts clients and holds the rules that serve them.
 *
 * Rules are replaced in place: connections, WebSockets among them, never notice a reload. Every worker opens the
 * address for itself (`SO_REUSEPORT`) and the kernel spreads connections over the workers.
 */
import type { ListenerConfig } from "../../config/index.ts";
import type { TcpListener, TcpSocket } from "../../transport/index.ts";
import { findRoute, type RequestView } from "../route.ts";
import { WORKER_COUNTER } from "../scoreboard.ts";
import { Downstream } from "./downstream.ts";
import type { Plan } from "./plan.ts";
import type { Serving } from "./serving.ts";

export class HttpListener {
  #config: ListenerConfig;
  readonly #serving: Serving;
  /** Dense, each connection knowing its place: a Set would cost 140 bytes a connection. */
  readonly #connections: Downstream[] = [];
  #plans: readonly Plan[];
  #socket: TcpListener | undefined;
  #closing = false;

  constructor(config: ListenerConfig, plans: readonly Plan[], serving: Serving) {
    this.#config = config;
    this.#plans = plans;
    this.#serving = serving;
  }

  get config(): ListenerConfig {
    return this.#config;
  }
  /** True once the listener takes no new connections and ends the ones it has after their present exchange. */
  get closing(): boolean {
    return this.#closing;
  }
  get connections(): number {
    return this.#connections.length;
  }

  /** Opens the address. Throws the system's error (EADDRINUSE, EACCES, EADDRNOTAVAIL). */
  start(): void {
    this.#socket = this.#serving.transport.listen(this.config.address, (socket) => this.#accept(socket));
  }

  /** New rules for requests from now on. */
  update(config: ListenerConfig, plans: readonly Plan[]): void {
    this.#config = config;
    this.#plans = plans;
  }

  /** The plan of the first rule that matches. */
  find(request: RequestView): Plan | undefined {
    return findRoute(this.#plans, request);
  }

  /** Stops accepting; idle connections close now, busy ones after their exchange, tunnels live on. */
  drain(): void {
    this.#socket?.stop();
    this.#socket = undefined;
    this.#closing = true;
    for (const connection of this.#connections.slice()) connection.drain();
  }

  /** Cuts what is left. */
  stop(): void {
    this.drain();
    for (const connection of this.#connections.slice()) connection.cut("stopping");
  }

  left(connection: Downstream): void {
    const last = this.#connections.pop();
    if (last !== undefined && last !== connection) {
      last.place = connection.place;
      this.#connections[connection.place] = last;
    }
    this.#serving.connectionClosed();
  }

  #accept(socket: TcpSocket): Downstream | undefined {
    const serving = this.#serving;
    serving.column.count(WORKER_COUNTER.accepted);
    if (serving.connections >= serving.limits.connectionsMax) {
      serving.column.count(WORKER_COUNTER.shed);
      return undefined;
    }
    const peer = serving.peers.at(socket.remoteAddress, this.config.address.port);
    const connection = new Downstream(socket, this, serving, peer);
    connection.place = this.#connections.push(connection) - 1;
    serving.connectionOpened();
    return connection;
  }
}
