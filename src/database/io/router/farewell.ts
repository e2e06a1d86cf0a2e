/**
 * The end of a client that is told why: after the error comes our FIN, and what it still sends is read and thrown away until it closes.
 * Closed at once with bytes unread, the kernel would reset the connection, and the client might never see the error.
 */
import { FLUSH, flush } from "../../../transport/index.ts";
import type { ClientConnection } from "./client-connection.ts";

/** How long a client that was told goodbye may take to read it and close, and how much it may send meanwhile. */
const CLOSE_MS = 5_000;
const DISCARDED_MAX = 1024 * 1024;

/** The socket takes more: whether all that waited has gone out. One that has gone is closed: where it is not read either, nothing else would tell. */
export function writesOn(client: ClientConnection): boolean {
  const flushed = flush(client);
  if (flushed === FLUSH.gone) client.socket.terminate();
  return flushed === FLUSH.empty;
}

export class Farewell {
  readonly #client: ClientConnection;
  #discarded = 0;
  #hasEnded: boolean;

  /** What it is told has been written. `hasEnded`: it has sent its FIN. */
  constructor(client: ClientConnection, hasEnded: boolean) {
    this.#client = client;
    this.#hasEnded = hasEnded;
    client.context.wheel.schedule(client, CLOSE_MS);
    if (client.outbox === undefined) this.drained();
  }

  /** All that it is told has gone out. */
  drained(): void {
    const { socket } = this.#client;
    if (this.#hasEnded) return socket.end();
    socket.shutdown();
    socket.resume();
  }

  received(bytes: number): void {
    this.#discarded += bytes;
    if (this.#discarded > DISCARDED_MAX) this.#client.socket.end();
  }

  ended(): void {
    this.#hasEnded = true;
    if (this.#client.outbox === undefined) this.#client.socket.end();
  }
}
