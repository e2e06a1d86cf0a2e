/**
 * A TCP connection that may turn into one of TLS after some words in clear, as PostgreSQL's do:
 *
 *   plain: bytes go straight through -> startTls() -> handshake -> what the owner writes and receives is inside TLS
 *
 * It sits between a transport's socket and its owner, so that TLS works the same on each transport, and connections of listeners
 * without TLS do not pass here at all. The TLS itself is that of `node:tls`, over a stream whose other end is the socket. Its callbacks
 * are Bun's, so the transport's loop is asked to yield whenever something of TLS is under way.
 */
import { Duplex } from "node:stream";
import { connect, type TLSSocket, TLSSocket as TlsServerSocket } from "node:tls";
import { systemScheduler } from "../../base/index.ts";
import { isFor as isCertificateFor } from "../../base/io/index.ts";
import type { ConnectFailure, ConnectOwner, SocketOwner, TcpSocket, Transport } from "../transport.ts";

/** Which end of the handshake we are, and what is shown and wanted; PEM. */
export interface TlsRole {
  readonly kind: "server" | "client";
  readonly cert?: string | undefined;
  readonly key?: string | undefined;
  /** Whom the other end's certificate has to come from. Without it, a client takes the system's CAs and a server asks for none. */
  readonly ca?: string | undefined;
  /** A client's: the name that the server is asked for (SNI). */
  readonly serverName?: string | undefined;
  /** Protocol that is named in the handshake (ALPN). */
  readonly protocol: string;
}

/** How a handshake ended: `problem` says why it failed. */
export interface TlsOutcome {
  readonly problem: string | undefined;
  /** The other end's certificate is of a CA that we know. */
  readonly isTrusted: boolean;
  /** …is for this name or address; false where it is not, or there is none. */
  readonly isFor: (host: string) => boolean;
  /** The ALPN protocol that both agree on. */
  readonly protocol: string | undefined;
}

/** How long goodbyes may take before the connection is cut. */
const CLOSE_MS = 5_000;

export class UpgradableSocket implements TcpSocket, ConnectOwner {
  /** Set before the first byte arrives. */
  owner: SocketOwner | undefined;
  /** The other end's certificate (DER). */
  peerCertificate: Uint8Array | undefined;
  readonly #transport: Transport;
  #raw: TcpSocket | undefined;
  #stream: Duplex | undefined;
  #tls: TLSSocket | undefined;
  /** Told once how the handshake ended. */
  #told: ((outcome: TlsOutcome) => void) | undefined;
  /** Encrypted bytes that the kernel has not taken yet. */
  #rest: { bytes: Uint8Array; start: number; readonly done: () => void } | undefined;
  #isFull = false;
  #isOver = false;
  #cancelClose: () => void = () => {};

  constructor(transport: Transport, raw?: TcpSocket) {
    this.#transport = transport;
    this.#raw = raw;
  }

  /** Of a connection that is being made: told when it is there, or will not be. */
  onOpened: () => void = () => {};
  onConnectFailed: (failure: ConnectFailure) => void = () => {};

  get remoteAddress(): string {
    return this.#raw?.remoteAddress ?? "";
  }
  get remotePort(): number {
    return this.#raw?.remotePort ?? 0;
  }

  // --- the owner's calls ------------------------------------------------------------------------------------------

  write(bytes: Uint8Array, start: number, length: number): number {
    if (this.#tls === undefined) return this.#raw?.write(bytes, start, length) ?? -1;
    if (this.#isOver) return -1;
    if (this.#isFull) return 0;
    const isRoomLeft = this.#tls.write(bytes.slice(start, start + length));
    this.#isFull = !isRoomLeft || this.#rest !== undefined;
    this.#transport.yieldSoon();
    return length;
  }
  pause(): void {
    this.#raw?.pause();
  }
  resume(): void {
    this.#raw?.resume();
  }
  shutdown(): void {
    if (this.#tls === undefined) this.#raw?.shutdown();
    else this.#tls.end();
    this.#transport.yieldSoon();
  }
  end(): void {
    if (this.#tls === undefined) return this.#raw?.end();
    if (this.#isOver) return;
    this.#isOver = true;
    this.#cancelClose = systemScheduler.after(CLOSE_MS, () => this.#raw?.terminate());
    this.#tls.end();
    this.#transport.yieldSoon();
    this.owner?.closed(false);
  }
  terminate(): void {
    this.#raw?.terminate();
  }

  /**
   * Begins the handshake. `first` are bytes of the other end that have arrived already. `told` is called once, before anything else is
   * received; after a problem the connection is of no use.
   */
  startTls(role: TlsRole, first: Uint8Array, told: (outcome: TlsOutcome) => void): void {
    this.#told = told;
    const stream = new Duplex({
      read: () => {},
      write: (chunk: Uint8Array, _encoding, done) => this.#toKernel(chunk, 0, done),
      final: (done) => {
        done();
        if (this.#isOver) this.#raw?.end();
        else this.#raw?.shutdown();
      },
    });
    this.#stream = stream;
    const tls = tlsOver(stream, role);
    this.#tls = tls;
    const isServer = role.kind === "server";
    tls.on(isServer ? "secure" : "secureConnect", () => this.#secured(tls));
    tls.on("data", (bytes: Uint8Array) => {
      this.#secured(tls);
      this.#guard(() => this.owner?.received(bytes, 0, bytes.length));
    });
    tls.on("end", () => this.#guard(() => this.owner?.ended()));
    tls.on("drain", () => this.#hasRoom());
    tls.on("error", (problem: Error) => this.#broken(problem));
    stream.on("error", () => {}); // told by the socket's `closed`
    if (first.length > 0) stream.push(Buffer.from(first));
    this.#transport.yieldSoon();
  }

  #secured(tls: TLSSocket): void {
    const told = this.#told;
    if (told === undefined) return;
    this.#told = undefined;
    const peer: unknown = tls.getPeerCertificate(false);
    if (isCertificate(peer)) this.peerCertificate = peer.raw;
    this.#guard(() =>
      told({
        problem: undefined,
        isTrusted: tls.authorized,
        isFor: (host) => this.peerCertificate !== undefined && isCertificateFor(this.peerCertificate, host),
        protocol: typeof tls.alpnProtocol === "string" ? tls.alpnProtocol : undefined,
      }),
    );
  }

  #broken(problem: Error): void {
    this.#failed("code" in problem ? String(problem.code) : problem.message);
    this.#raw?.terminate();
  }

  /** The handshake, if it is not over. */
  #failed(problem: string): void {
    const told = this.#told;
    this.#told = undefined;
    this.#guard(() => told?.({ problem, isTrusted: false, isFor: () => false, protocol: undefined }));
  }

  /** What an owner throws in a callback of Bun's is its crash, as it is on a transport's socket. */
  #guard(run: () => void): void {
    if (this.#isOver) return;
    try {
      run();
    } catch (error) {
      this.owner?.crashed(error);
    }
  }

  // --- between TLS and the kernel ---------------------------------------------------------------------------------

  #toKernel(bytes: Uint8Array, start: number, done: () => void): void {
    const taken = this.#raw?.write(bytes, start, bytes.length - start) ?? -1;
    if (taken >= 0 && start + taken < bytes.length) this.#rest = { bytes, start: start + taken, done };
    else done();
  }

  #hasRoom(): void {
    if (!this.#isFull || this.#rest !== undefined || this.#tls?.writableNeedDrain === true) return;
    this.#isFull = false;
    this.#guard(() => this.owner?.drained());
  }

  // --- the transport's calls --------------------------------------------------------------------------------------

  opened(socket: TcpSocket): void {
    this.#raw = socket;
    this.onOpened();
  }
  connectFailed(failure: ConnectFailure): void {
    this.onConnectFailed(failure);
  }
  received(bytes: Uint8Array, start: number, end: number): void {
    if (this.#stream === undefined) return this.owner?.received(bytes, start, end);
    this.#stream.push(Buffer.from(bytes.slice(start, end)));
    this.#transport.yieldSoon();
  }
  drained(): void {
    if (this.#tls === undefined) return this.owner?.drained();
    const rest = this.#rest;
    this.#rest = undefined;
    if (rest !== undefined) this.#toKernel(rest.bytes, rest.start, rest.done);
    this.#hasRoom();
    this.#transport.yieldSoon();
  }
  ended(): void {
    if (this.#stream === undefined) return this.owner?.ended();
    this.#stream.push(null);
    this.#transport.yieldSoon();
  }
  closed(reset: boolean): void {
    this.#raw = undefined;
    this.#failed("closed");
    this.#cancelClose();
    const wasOver = this.#isOver;
    this.#isOver = true;
    this.#rest = undefined;
    this.#tls?.destroy();
    if (!wasOver) this.owner?.closed(reset);
  }
  crashed(error: unknown): void {
    this.owner?.crashed(error);
  }
}

function tlsOver(stream: Duplex, role: TlsRole): TLSSocket {
  const { kind, cert, key, ca, serverName, protocol } = role;
  const shared = {
    minVersion: "TLSv1.2",
    ALPNProtocols: [protocol],
    ...(cert === undefined ? {} : { cert }),
    ...(key === undefined ? {} : { key }),
    ...(ca === undefined ? {} : { ca }),
  } as const;
  // Whether a certificate will do is judged when the handshake is over: modes differ in that.
  if (kind === "client")
    return connect({
      ...shared,
      socket: stream,
      rejectUnauthorized: false,
      checkServerIdentity: () => undefined, // `authorized` is to be of the CA alone
      ...(serverName === undefined ? {} : { servername: serverName }),
    });
  const asks = ca === undefined ? {} : { requestCert: true, rejectUnauthorized: true };
  // The types know sockets alone here; any stream will do.
  const socket = stream as ConstructorParameters<typeof TlsServerSocket>[0];
  return new TlsServerSocket(socket, { ...shared, isServer: true, ...asks });
}

function isCertificate(peer: unknown): peer is { readonly raw: Uint8Array } {
  return typeof peer === "object" && peer !== null && "raw" in peer && peer.raw instanceof Uint8Array;
}
