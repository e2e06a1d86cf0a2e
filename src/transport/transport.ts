/**
 * TCP as the data planes need it: sockets that never buffer, tell how much the kernel took, can pause, and hand over
 * received bytes without copying them.
 *
 * Three implementations keep this contract and run one suite: `io_uring` (Linux 6.1 and later, where it is allowed: one
 * system call for many messages), `epoll` (other Linux: plain system calls) and `bun` (Bun's sockets, everywhere else).
 */
import type { Address } from "../config/index.ts";

/** One connected socket. */
export interface TcpSocket {
  /** Textual IP of the other end. */
  readonly remoteAddress: string;
  /** Its port; 0 when it had gone before it could be asked for. */
  readonly remotePort: number;
  /** Where the connection is one of TLS: the other end's certificate (DER), if it showed one. */
  readonly peerCertificate?: Uint8Array | undefined;
  /**
   * Gives `bytes[start, start + length)` to the kernel. Returns how many it took, 0 when its buffer is full (then
   * `drained` follows), -1 when the connection is gone.
   */
  write(bytes: Uint8Array, start: number, length: number): number;
  /** Reads nothing until `resume`: the kernel's buffer fills and the other end has to wait. */
  pause(): void;
  resume(): void;
  /** Sends FIN; still reads. */
  shutdown(): void;
  /** Closes in the orderly way. `closed` is called before it returns. */
  end(): void;
  /** Closes with RST. `closed` is called before it returns. */
  terminate(): void;
}

/** Why a connection could not be made. "connect-exhausted" is our fault: no descriptor or local port is left. */
export type ConnectFailure = "connect-refused" | "connect-failed" | "connect-exhausted";

/** Why there is no TLS, where it is wanted: the other end has none, its certificate is not good enough, the handshake failed. */
export type TlsFailure = "tls-refused" | "tls-untrusted" | "tls-failed";

/** Gives a new socket its owner, or undefined to turn it away: it is reset. */
export type Accept = (socket: TcpSocket) => SocketOwner | undefined;

/** Who owns a socket. Calls come one at a time, never after `closed`, and may close the socket. */
export interface SocketOwner {
  /** `bytes[start, end)` are borrowed: they hold only during the call. */
  received(bytes: Uint8Array, start: number, end: number): void;
  /** The kernel takes bytes again after a write that it did not take whole; or it never will, which the next write tells. */
  drained(): void;
  /** The other end sent FIN: it will send no more, but may read. */
  ended(): void;
  /** The socket is gone, whoever closed it. `reset`: not in order, so bytes may be missing. The last call. */
  closed(reset: boolean): void;
  /** One of these calls threw. The socket is as it was; the owner decides what becomes of it. */
  crashed(error: unknown): void;
}

/** The owner of a socket that is being connected. */
export interface ConnectOwner extends SocketOwner {
  opened(socket: TcpSocket): void;
  /** There will be no socket. The last call. */
  connectFailed(failure: ConnectFailure | TlsFailure): void;
}

/** An open listening socket. */
export interface TcpListener {
  readonly port: number;
  /** Stops accepting. Connections that wait in the kernel's queue are accepted first, so that none is reset. */
  stop(): void;
}

export interface Transport {
  readonly name: "io_uring" | "epoll" | "bun";
  /** Opens `address` with SO_REUSEPORT. Throws the system's error, with its `code`. */
  listen(address: Address, accept: Accept): TcpListener;
  /** Begins to connect. Returns a function that gives up. */
  connect(address: Address, owner: ConnectOwner): () => void;
  /**
   * Gives Bun's loop its turn as soon as this round's outcomes are dealt with: for who waits for a promise, an immediate
   * or a file inside a call to an owner. Without it that begins when nothing has happened for 20 ms.
   */
  yieldSoon(): void;
  /** Calls `run` once, when what has arrived is dealt with and before what was written goes out, as far as that is held. */
  atRoundEnd(run: () => void): void;
  /** Runs until `stop`. */
  start(): void;
  stop(): void;
}
