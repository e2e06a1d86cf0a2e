/**
 * An upgraded connection (WebSocket and the like): bytes pass untouched in both directions.
 *
 * Either side may end its own direction first (FIN); that is passed on, and the other direction goes on until it ends
 * too. Bytes keep the tunnel; silence for `tunnelIdle` ends it, and once one direction has ended, silence for `idle`.
 */
import type { Attempts } from "./attempts.ts";
import type { Exchange } from "./exchange.ts";
import type { Request } from "./request.ts";
import type { Serving } from "./serving.ts";

export class Tunnel {
  readonly #exchange: Exchange;
  readonly #serving: Serving;
  readonly #request: Request;
  readonly #attempts: Attempts;
  isOpen = false;
  #clientEnded = false;
  #targetEnded = false;

  constructor(exchange: Exchange, serving: Serving, request: Request, attempts: Attempts) {
    this.#exchange = exchange;
    this.#serving = serving;
    this.#request = request;
    this.#attempts = attempts;
  }

  /** Opens with what the target sent behind its 101, and what the client sent without waiting for it. */
  open(bytes: Uint8Array, start: number, end: number): void {
    const { down } = this.#request;
    this.isOpen = true;
    this.#clientEnded = false;
    this.#targetEnded = false;
    down?.resume();
    const early = down?.takeInput();
    if (early !== undefined) this.fromClient(early.bytes, early.start, early.end);
    this.fromTarget(bytes, start, end);
    if (down?.hasEnded === true) this.clientEnded();
  }

  fromClient(bytes: Uint8Array, start: number, end: number): void {
    this.#request.bytesIn += end - start;
    this.#attempts.send(bytes, start, end);
    this.stay();
  }

  fromTarget(bytes: Uint8Array, start: number, end: number): void {
    if (end > start) this.#exchange.sendDown(bytes, start, end);
    this.stay();
  }

  /** Bytes moved: the tunnel is in use. */
  stay(): void {
    const { tunnelIdleMs } = this.#serving.timeouts;
    const isHalf = this.#clientEnded || this.#targetEnded;
    this.#exchange.wait("tunnel", isHalf ? this.#request.timeouts.idleMs : tunnelIdleMs);
  }

  /** The client will send no more. */
  clientEnded(): void {
    this.#clientEnded = true;
    this.#attempts.upstream?.shutdown();
    this.settle();
  }

  /** The target will send no more. */
  targetEnded(): void {
    this.#targetEnded = true;
    this.#request.down?.shutdown();
    this.settle();
  }

  /** Ends the tunnel once both directions have, and all that came from the client is on its way. */
  settle(): void {
    const isOver = this.#clientEnded && this.#targetEnded;
    if (isOver && this.#attempts.upstream?.outbox === undefined) this.#exchange.endTunnel();
    else this.stay();
  }
}
