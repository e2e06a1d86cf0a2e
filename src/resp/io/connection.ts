/**
 * One connection to a store: requests go out in order, replies come back in the same order, pushes in between.
 *
 * Requests of one turn of the event loop leave in one write. It knows nothing of deadlines or of connecting again: those
 * are the client's.
 */
import { connect, isIP, type Socket } from "node:net";
import { type ConnectionOptions, connect as connectTls } from "node:tls";
import type { Reply } from "../reply.ts";
import { ReplyReader } from "../reply-reader.ts";
import { type Request, RequestWriter } from "../request.ts";
import type { StoreUrl } from "../store-url.ts";

/** What happens on a connection. None is called after `lost`. */
export interface ConnectionOwner {
  connected(): void;
  reply(value: Reply): void;
  push(value: Reply): void;
  /** It is over, whoever ended it; `garbled` when the server sent what is no reply. */
  lost(reason: string, garbled: boolean): void;
}

export class Connection {
  /** Bytes received so far: what tells a slow server from a dead one. */
  receivedBytes = 0;
  readonly #socket: Socket;
  readonly #owner: ConnectionOwner;
  readonly #reader = new ReplyReader();
  readonly #writer = new RequestWriter();
  #flushWanted = false;
  #over = false;

  constructor(url: StoreUrl, tls: ConnectionOptions, owner: ConnectionOwner) {
    this.#owner = owner;
    const { host, port } = url;
    const connected = (): void => {
      if (!this.#over) owner.connected();
    };
    this.#socket = url.tls
      ? connectTls({ ...(isIP(host) === 0 ? { servername: host } : {}), ...tls, host, port }, connected)
      : connect({ host, port }, connected);
    this.#socket.setNoDelay(true);
    this.#socket.on("data", (bytes: Uint8Array) => this.#received(bytes));
    this.#socket.on("error", (error: Error) => this.#lose(error.message));
    this.#socket.on("close", () => this.#lose("the store closed the connection"));
  }

  /** Sends a request with the others of this turn. */
  send(request: Request): void {
    this.#writer.add(request);
    if (this.#flushWanted) return;
    this.#flushWanted = true;
    queueMicrotask(() => this.#flush());
  }

  /** Bytes that the kernel has not taken yet. */
  get unsentBytes(): number {
    return this.#socket.writableLength;
  }

  /** Cuts the connection; the owner is told. */
  destroy(reason: string): void {
    this.#lose(reason);
  }

  /** Sends what is left, then FIN. The owner is told nothing more. */
  end(): void {
    this.#over = true;
    if (this.#writer.length > 0) this.#socket.write(this.#writer.take());
    this.#socket.end();
    this.#socket.on("error", () => {}); // nobody is left to hear of it
    this.#socket.unref();
  }

  #flush(): void {
    this.#flushWanted = false;
    if (!this.#over && this.#writer.length > 0) this.#socket.write(this.#writer.take());
  }

  #received(bytes: Uint8Array): void {
    if (this.#over) return;
    this.receivedBytes += bytes.length;
    const reader = this.#reader;
    reader.push(bytes, 0, bytes.length);
    for (let outcome = reader.next(); outcome !== "more"; outcome = reader.next()) {
      if (outcome === "mistake") return this.#lose(reader.mistake, true);
      if (outcome === "push") this.#owner.push(reader.value);
      else this.#owner.reply(reader.value);
      if (this.#over) return;
    }
  }

  #lose(reason: string, garbled = false): void {
    if (this.#over) return;
    this.#over = true;
    this.#socket.destroy();
    this.#owner.lost(reason, garbled);
  }
}
