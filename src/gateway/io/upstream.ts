/**
 * One connection to a target.
 *
 * It carries one exchange at a time (no pipelining towards targets: a slow answer would hold up the next), rests in
 * its pool between exchanges, and forwards socket events to whichever exchange holds it.
 */
import type { Socket } from "bun";
import type { Address } from "../../config/index.ts";
import type { GatewayErrorCode } from "../errors.ts";
import { flush, type Outbox, SEND, type SendResult, send } from "./outbox.ts";
import type { Pool } from "./pool.ts";

/** What an upstream tells the exchange that holds it. */
export interface UpstreamUser {
  upstreamOpened(): void;
  upstreamData(bytes: Uint8Array): void;
  upstreamDrained(): void;
  /** The target sent FIN: nothing more will come. */
  upstreamEnded(): void;
  /** The connection is gone, or never came to be. */
  upstreamClosed(code: GatewayErrorCode): void;
}

/** What a connection needs to know of its surroundings. */
export interface UpstreamContext {
  readonly nowMs: () => number;
  /** How long a connection may rest: below the target's own keep-alive timeout. */
  readonly keepAliveMs: () => number;
  /** Called when a connection of the pool has closed, so that a waiting request can take its place. */
  readonly roomFreed: () => void;
}

type State = "connecting" | "open" | "closed";

export class Upstream {
  readonly pool: Pool;
  readonly #context: UpstreamContext;
  #socket: Socket<Upstream> | undefined;
  #state: State = "connecting";
  user: UpstreamUser | undefined;
  outbox: Outbox | undefined;
  /** Exchanges carried before the present one; 0 on a fresh connection. */
  uses = 0;
  /** Monotonic ms after which an idle connection is not used again. */
  expiresMs = 0;
  /** Set from the target's `Keep-Alive: timeout=N`, when that is shorter than ours. */
  hintMs: number = Number.POSITIVE_INFINITY;

  constructor(pool: Pool, context: UpstreamContext) {
    this.pool = pool;
    this.#context = context;
  }

  /** The socket; only valid between opened and closed. */
  get socket(): Socket<Upstream> {
    if (this.#socket === undefined) throw new Error("upstream: used before it was open");
    return this.#socket;
  }
  get isOpen(): boolean {
    return this.#state === "open";
  }

  connect(address: Address): void {
    Bun.connect<Upstream>({
      hostname: address.host,
      port: address.port,
      allowHalfOpen: true,
      data: this,
      socket: HANDLERS,
    }).catch(() => this.closed("connect-refused"));
  }

  /** Sends to the target; on `SEND.waits` the source should pause until its user is told `upstreamDrained`. */
  send(bytes: Uint8Array, start: number, end: number, borrowed: boolean): SendResult {
    return this.isOpen ? send(this, bytes, start, end, borrowed) : SEND.gone;
  }

  pause(): void {
    if (this.isOpen) this.socket.pause();
  }
  resume(): void {
    if (this.isOpen) this.socket.resume();
  }
  /** Half-closes: the target sees the end of what we send. */
  shutdown(): void {
    if (this.isOpen) this.socket.shutdown();
  }

  /** Begins its rest in the pool. */
  rest(nowMs: number): void {
    this.user = undefined;
    this.uses++;
    this.expiresMs = nowMs + Math.min(this.#context.keepAliveMs(), this.hintMs);
  }

  /** Closes at once; its user is not told. */
  close(): void {
    this.user = undefined;
    if (this.#state === "open") this.#socket?.end();
    else this.#state = "closed";
    this.#leave();
  }

  opened(socket: Socket<Upstream>): void {
    this.#socket = socket;
    if (this.#state === "closed") {
      socket.terminate();
      return;
    }
    this.#state = "open";
    this.user?.upstreamOpened();
  }

  received(bytes: Uint8Array): void {
    // An idle connection on which the target speaks is broken: it would be read as the next answer.
    if (this.user === undefined) this.close();
    else this.user.upstreamData(bytes);
  }

  drained(): void {
    if (flush(this)) this.user?.upstreamDrained();
  }

  ended(): void {
    if (this.user === undefined) this.close();
    else this.user.upstreamEnded();
  }

  closed(code: GatewayErrorCode): void {
    if (this.#state === "closed") return;
    const user = this.user;
    this.user = undefined;
    this.#leave();
    user?.upstreamClosed(code);
  }

  #leave(): void {
    this.#state = "closed";
    this.outbox = undefined;
    this.pool.remove(this);
    this.#context.roomFreed();
  }
}

/** One set of handlers for all upstream sockets; the connection is the socket's data. */
const HANDLERS = {
  binaryType: "buffer",
  open: (socket: Socket<Upstream>): void => socket.data.opened(socket),
  data: (socket: Socket<Upstream>, bytes: Buffer): void => socket.data.received(bytes),
  drain: (socket: Socket<Upstream>): void => socket.data.drained(),
  end: (socket: Socket<Upstream>): void => socket.data.ended(),
  close: (socket: Socket<Upstream>): void => socket.data.closed("upstream-closed"),
  error: (socket: Socket<Upstream>): void => socket.data.closed("upstream-closed"),
  connectError: (socket: Socket<Upstream>): void => socket.data.closed("connect-refused"),
} as const;
