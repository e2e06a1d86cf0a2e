/**
 * TLS for the store, on Bun's sockets.
 *
 *   accepted -> shaking hands (a deadline, and a bound on how many) -> a client of the store
 *
 * Each connection is given the certificate of the moment it comes in, so a renewed one needs no new listener, and no connection
 * is lost by it. A client that the certificate authority of clients does not vouch for never becomes one of the store's.
 */
import type { Socket } from "bun";
import type { Cancel, Scheduler } from "../../../base/index.ts";
import type { TlsIdentity } from "../../../base/io/index.ts";
import type { StoreSocket, StoreSocketOwner, StoreTransport } from "../transport.ts";

/** From TCP's handshake to the end of that of TLS. */
const HANDSHAKE_MS = 10_000;

/** Handshakes at once. One more ends the one that has taken longest: an honest client needs milliseconds. */
const HANDSHAKES_MAX = 1024;

/** What a transport is made of. */
export interface TlsTransportParts {
  readonly scheduler: Scheduler;
  readonly identity: TlsIdentity;
  /** Told why a handshake failed, a code of the system or of TLS. */
  readonly failed: (reason: string) => void;
}

type Accept = (socket: StoreSocket) => StoreSocketOwner | undefined;

/** A TLS connection: shaking hands while it has no owner. */
interface Shaking {
  readonly accept: Accept;
  readonly cancel: Cancel;
  owner: StoreSocketOwner | undefined;
}

type TlsSocket = Socket<Shaking>;

export class TlsTransport implements StoreTransport {
  readonly #parts: TlsTransportParts;
  readonly #handlers = this.#makeHandlers();
  /** In the order in which they came. */
  readonly #shaking = new Set<TlsSocket>();
  #identity: TlsIdentity;

  constructor(parts: TlsTransportParts) {
    this.#parts = parts;
    this.#identity = parts.identity;
  }

  /** Shows this certificate to whoever connects from now on. */
  renew(identity: TlsIdentity): void {
    this.#identity = identity;
  }

  /** Handshakes under way. */
  get handshakes(): number {
    return this.#shaking.size;
  }

  listen(
    { host: hostname, port }: { readonly host: string; readonly port: number },
    accept: Accept,
  ): { readonly port: number; stop(): void } {
    // Bun's types do not know reusePort here.
    const options = { hostname, port, reusePort: true, allowHalfOpen: true };
    const listener = Bun.listen({
      ...options,
      socket: { open: (socket: Socket) => this.#shake(socket, accept), data: () => {} },
    });
    return { port: listener.port, stop: () => listener.stop(false) };
  }

  #shake(socket: Socket, accept: Accept): void {
    const { cert, key, clientCa } = this.#identity;
    const clients =
      clientCa === undefined ? {} : { ca: clientCa, requestCert: true, rejectUnauthorized: true };
    const data: Shaking = {
      accept,
      owner: undefined,
      cancel: this.#parts.scheduler.after(HANDSHAKE_MS, () => this.#giveUp(shaking, "handshake-timeout")),
    };
    const [, shaking] = socket.upgradeTLS<Shaking>({
      data,
      tls: { cert, key, ...clients },
      socket: this.#handlers,
    });
    this.#shaking.add(shaking);
    const [oldest] = this.#shaking;
    if (this.#shaking.size > HANDSHAKES_MAX && oldest !== undefined)
      this.#giveUp(oldest, "too-many-handshakes");
  }

  #giveUp(socket: TlsSocket, reason: string): void {
    if (!this.#shaking.delete(socket)) return;
    socket.data.cancel();
    this.#parts.failed(reason);
    socket.terminate();
  }

  /** `success` alone does not mean that the client's certificate is good. */
  #shaken(socket: TlsSocket, success: boolean, problem: Error | null): void {
    const isTrusted = this.#identity.clientCa === undefined || socket.authorized;
    if (!success || !isTrusted) return this.#giveUp(socket, codeOf(problem));
    if (!this.#shaking.delete(socket)) return;
    socket.data.cancel();
    socket.data.owner = socket.data.accept(socket);
    if (socket.data.owner === undefined) socket.end();
  }

  #makeHandlers() {
    return {
      binaryType: "buffer",
      handshake: (socket: TlsSocket, success: boolean, problem: Error | null): void =>
        this.#shaken(socket, success, problem),
      data: (socket: TlsSocket, bytes: Buffer): void => socket.data.owner?.received(bytes, 0, bytes.length),
      drain: (socket: TlsSocket): void => socket.data.owner?.drained(),
      end: (socket: TlsSocket): void => {
        if (socket.data.owner === undefined) this.#giveUp(socket, "ECONNRESET");
        else socket.data.owner.ended();
      },
      close: (socket: TlsSocket, problem?: Error): void => {
        this.#giveUp(socket, "ECONNRESET");
        socket.data.owner?.closed(problem !== undefined);
      },
      // Bun calls it for what a handler threw, and for a session that broke.
      error: (socket: TlsSocket, problem: Error): void => socket.data.owner?.crashed(problem),
    } as const;
  }

  atRoundEnd(run: () => void): void {
    setImmediate(run);
  }

  /** Bun's loop is the loop. */
  start(): void {}

  /** Ends the handshakes; clients are the server's to end. */
  stop(): void {
    for (const socket of this.#shaking) this.#giveUp(socket, "stopped");
  }
}

function codeOf(problem: Error | null): string {
  return problem !== null && "code" in problem ? String(problem.code) : "handshake-failed";
}
