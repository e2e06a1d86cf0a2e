/**
 * One connection to a target.
 *
 * It carries one exchange at a time (no pipelining towards targets: a slow answer would hold up the next), rests in
 * its pool between exchanges, and forwards socket events to whichever exchange holds it.
 */
import type { Address } from "../../config/index.ts";
import {
  type ConnectFailure,
  type ConnectOwner,
  FLUSH,
  flush,
  type Outbox,
  SEND,
  type SendResult,
  send,
  type TcpSocket,
  type Transport,
} from "../../transport/index.ts";
import type { GatewayErrorCode } from "../errors.ts";
import type { Pool } from "./pool.ts";

/** What an upstream tells the exchange that holds it. */
export interface UpstreamUser {
  upstreamOpened(): void;
  /** `bytes[start, end)` hold only during the call. */
  upstreamData(bytes: Uint8Array, start: number, end: number): void;
  /** All that waited has gone to the target. */
  upstreamDrained(): void;
  /** Some of it has. */
  upstreamMoved(): void;
  /** The target sent FIN: nothing more will come. */
  upstreamEnded(): void;
  /** The connection is gone, or never came to be. `reset`: not by an orderly close. */
  upstreamClosed(code: GatewayErrorCode, reset: boolean): void;
  /** Our own code threw while it handled an event of this connection. */
  upstreamCrashed(error: unknown): void;
}

/** What a connection takes from its group. */
export interface UpstreamContext {
  readonly transport: Transport;
  /** How long a connection may rest: below the target's own keep-alive timeout. */
  readonly keepAliveMs: () => number;
  /** Called when a connection of the pool has closed, so that a waiting request can take its place. */
  readonly roomFreed: () => void;
}

type State = "connecting" | "open" | "closed";

export class Upstream implements ConnectOwner {
  readonly pool: Pool;
  readonly #context: UpstreamContext;
  #socket: TcpSocket | undefined;
  #giveUp: () => void = () => {};
  #state: State = "connecting";
  #paused = false;
  /** The end of what we send is due once the outbox is empty. */
  #shutsDown = false;
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
  get socket(): TcpSocket {
    if (this.#socket === undefined) throw new Error("upstream: used before it was open");
    return this.#socket;
  }
  get isOpen(): boolean {
    return this.#state === "open";
  }

  connect(address: Address): void {
    this.#giveUp = this.#context.transport.connect(address, this);
  }

  /** Sends to the target; on `SEND.waits` the source should pause until its user is told `upstreamDrained`. */
  send(bytes: Uint8Array, start: number, end: number): SendResult {
    return this.isOpen ? send(this, bytes, start, end) : SEND.gone;
  }

  pause(): void {
    if (!this.isOpen || this.#paused) return;
    this.#paused = true;
    this.socket.pause();
  }
  resume(): void {
    if (!this.isOpen || !this.#paused) return;
    this.#paused = false;
    this.socket.resume();
  }
  /** Half-closes once all is sent: the target sees the end of what we send. */
  shutdown(): void {
    if (!this.isOpen) return;
    if (this.outbox === undefined) this.socket.shutdown();
    else this.#shutsDown = true;
  }

  /** Begins its rest in the pool. It reads on: a target that closes or speaks meanwhile must be noticed. */
  rest(nowMs: number): void {
    this.user = undefined;
    this.resume();
    this.uses++;
    this.expiresMs = nowMs + Math.min(this.#context.keepAliveMs(), this.hintMs);
  }

  /** Closes at once; its user is not told. */
  close(): void {
    if (this.#state === "closed") return;
    this.user = undefined;
    const isConnecting = this.#state === "connecting";
    this.#leave();
    if (isConnecting) this.#giveUp();
    else this.#socket?.end();
  }

  opened(socket: TcpSocket): void {
    this.#socket = socket;
    this.#state = "open";
    this.user?.upstreamOpened();
  }

  connectFailed(failure: ConnectFailure): void {
    const { user } = this;
    try {
      this.#lost(failure, true);
    } catch (error) {
      user?.upstreamCrashed(error);
    }
  }

  received(bytes: Uint8Array, start: number, end: number): void {
    // An idle connection on which the target speaks is broken: it would be read as the next answer.
    if (this.user === undefined) this.close();
    else this.user.upstreamData(bytes, start, end);
  }

  drained(): void {
    if (this.outbox === undefined) return;
    const flushed = flush(this);
    if (flushed === FLUSH.stuck || flushed === FLUSH.gone) return;
    if (flushed === FLUSH.empty && this.#shutsDown) this.socket.shutdown();
    if (flushed === FLUSH.empty) this.user?.upstreamDrained();
    else this.user?.upstreamMoved();
  }

  ended(): void {
    if (this.user === undefined) this.close();
    else this.user.upstreamEnded();
  }

  closed(reset: boolean): void {
    this.#lost("upstream-closed", reset);
  }

  #lost(code: GatewayErrorCode, reset: boolean): void {
    if (this.#state === "closed") return;
    const { user } = this;
    this.user = undefined;
    this.#leave();
    user?.upstreamClosed(code, reset);
  }

  /** An event handler threw. */
  crashed(error: unknown): void {
    if (this.user === undefined) this.close();
    else this.user.upstreamCrashed(error);
  }

  #leave(): void {
    this.#state = "closed";
    this.outbox = undefined;
    this.pool.remove(this);
    this.#context.roomFreed();
  }
}
