/**
 * TLS of the router's connections to servers, as libpq's `sslmode`:
 *
 *   connected -> asks for TLS -> "S" and nothing else -> handshake -> the certificate will do -> opened
 *
 * It is a transport whose connections are secure when they are told of, so that pools, monitors and cancel requests need not know of it.
 */
import { isIP } from "node:net";
import type { Log } from "../../../../base/index.ts";
import { readCa, readIdentity } from "../../../../base/io/index.ts";
import type { Address } from "../../../../config/index.ts";
import {
  certificateObjection,
  type ServerTlsSettings,
  TLS_NO,
  TLS_PROTOCOL,
  TLS_REQUEST,
  TLS_YES,
} from "../../../../pgwire/index.ts";
import type {
  ConnectOwner,
  SocketOwner,
  TcpListener,
  TcpSocket,
  TlsFailure,
  Transport,
} from "../../../../transport/index.ts";
import { UpgradableSocket } from "../../../../transport/io/index.ts";

const NOTHING = new Uint8Array(0);

export class ServerTls implements Transport {
  readonly name: Transport["name"];
  readonly #inner: Transport;
  readonly #log: Log;
  #settings: ServerTlsSettings;
  #pem: Pem;

  /** Reads the files. Throws a `TlsFileError` that names the file. */
  constructor(inner: Transport, settings: ServerTlsSettings, log: Log) {
    this.name = inner.name;
    this.#inner = inner;
    this.#log = log;
    this.#settings = settings;
    this.#pem = readPem(settings);
  }

  /** Connections from now on are made so. Throws as the constructor does, and changes nothing then. */
  configure(settings: ServerTlsSettings): void {
    this.#pem = readPem(settings);
    this.#settings = settings;
  }

  listen(address: Address, accept: (socket: TcpSocket) => SocketOwner | undefined): TcpListener {
    return this.#inner.listen(address, accept);
  }

  connect(address: Address, owner: ConnectOwner): () => void {
    const { mode } = this.#settings;
    if (mode === "disable") return this.#inner.connect(address, owner);
    const socket = new UpgradableSocket(this.#inner);
    const attempt = new TlsAttempt(socket, owner, {
      isOptional: mode === "prefer",
      secure: (told) => this.#secure(socket, address, told),
      failed: (reason) =>
        this.#log.warn("server-tls-failed", { server: `${address.host}:${address.port}`, reason }),
    });
    socket.owner = attempt;
    socket.onOpened = () => attempt.begin();
    socket.onConnectFailed = (failure) => owner.connectFailed(failure);
    const giveUp = this.#inner.connect(address, socket);
    return () => {
      if (!attempt.giveUp()) giveUp();
    };
  }

  #secure(
    socket: UpgradableSocket,
    { host }: Address,
    told: (failure: TlsFailure | undefined, reason: string) => void,
  ): void {
    const serverName = isIP(host) === 0 ? host : undefined;
    const role = { kind: "client", ...this.#pem, serverName, protocol: TLS_PROTOCOL } as const;
    socket.startTls(role, NOTHING, (outcome) => {
      if (outcome.problem !== undefined) return told("tls-failed", outcome.problem);
      const objection = certificateObjection(this.#settings, outcome, host);
      told(objection === undefined ? undefined : "tls-untrusted", objection ?? "");
    });
  }

  yieldSoon(): void {
    this.#inner.yieldSoon();
  }
  atRoundEnd(run: () => void): void {
    this.#inner.atRoundEnd(run);
  }
  start(): void {
    this.#inner.start();
  }
  stop(): void {
    this.#inner.stop();
  }
}

/** What the files of the settings hold. */
type Pem = Pick<ServerTlsSettings, "ca" | "cert" | "key">;

function readPem({ ca, cert, key }: ServerTlsSettings): Pem {
  const own = cert === undefined || key === undefined ? undefined : readIdentity({ cert, key });
  return { ca: ca === undefined ? undefined : readCa(ca), cert: own?.cert, key: own?.key };
}

interface AttemptParts {
  /** A server without TLS will do. */
  readonly isOptional: boolean;
  readonly secure: (told: (failure: TlsFailure | undefined, reason: string) => void) => void;
  readonly failed: (reason: string) => void;
}

/** Owns a connection from its first byte to the end of the handshake. */
class TlsAttempt implements SocketOwner {
  readonly #socket: UpgradableSocket;
  readonly #owner: ConnectOwner;
  readonly #parts: AttemptParts;
  #state: "connecting" | "asked" | "handshake" | "over" = "connecting";

  constructor(socket: UpgradableSocket, owner: ConnectOwner, parts: AttemptParts) {
    this.#socket = socket;
    this.#owner = owner;
    this.#parts = parts;
  }

  begin(): void {
    this.#state = "asked";
    this.#socket.write(TLS_REQUEST, 0, TLS_REQUEST.length);
  }

  /** Nobody wants the connection any more; false: there is none yet. */
  giveUp(): boolean {
    if (this.#state === "connecting") return false;
    this.#state = "over";
    this.#socket.terminate();
    return true;
  }

  received(bytes: Uint8Array, start: number, end: number): void {
    if (this.#state !== "asked") return;
    const answer = bytes[start];
    // What follows "S" in clear was not written by a server that waits for our handshake (CVE-2021-23222).
    if (end - start !== 1) return this.#fail("tls-failed", "it sends bytes before the handshake");
    if (answer === TLS_NO && this.#parts.isOptional) return this.#open();
    if (answer === TLS_NO) return this.#fail("tls-refused", "it has no TLS");
    if (answer !== TLS_YES) return this.#fail("tls-failed", "it does not know the request for TLS");
    this.#state = "handshake";
    this.#parts.secure((failure, reason) => {
      if (this.#state !== "handshake") return;
      if (failure === undefined) this.#open();
      else this.#fail(failure, reason);
    });
  }

  #open(): void {
    this.#state = "over";
    this.#socket.owner = this.#owner;
    this.#owner.opened(this.#socket);
  }

  #fail(failure: TlsFailure, reason: string): void {
    this.#state = "over";
    this.#parts.failed(reason);
    this.#socket.terminate();
    this.#owner.connectFailed(failure);
  }

  drained(): void {}
  ended(): void {
    if (this.#state !== "over") this.#fail("tls-failed", "it closed the connection");
  }
  closed(): void {
    this.ended();
  }
  crashed(error: unknown): void {
    this.#owner.crashed(error);
  }
}
