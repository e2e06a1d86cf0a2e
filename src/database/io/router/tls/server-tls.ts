/**
 * TLS of the router's connections to servers, as libpq's `sslmode`:
 *
 *   connected -> asks for TLS -> "S" and nothing else -> handshake -> the certificate will do -> opened
 *
 * It is a transport whose connections are secure when they are told of, so that pools, monitors and cancel requests need not know of it.
 */
import { isIP } from "node:net";
import type { Log } from "../../../../base/index.ts";
import type { Address } from "../../../../config/index.ts";
import type {
  ConnectOwner,
  SocketOwner,
  TcpListener,
  TcpSocket,
  TlsFailure,
  Transport,
} from "../../../../transport/index.ts";
import { readCa, type TlsOutcome, UpgradableSocket } from "../../../../transport/io/index.ts";

/** libpq's modes but "allow", which is of no use. */
export const SERVER_TLS_MODES = ["disable", "prefer", "require", "verify-ca", "verify-full"] as const;

/** How servers are spoken to. */
export interface ServerTlsSettings {
  readonly mode: (typeof SERVER_TLS_MODES)[number];
  /** A file of CAs (PEM). Default: those of the system. With "require" it is looked at as with "verify-ca", as libpq does. */
  readonly ca?: string | undefined;
}

const REQUEST = Uint8Array.of(0, 0, 0, 8, 0x04, 0xd2, 0x16, 0x2f);
const YES = 0x53;
const NO = 0x4e;
const PROTOCOL = "postgresql";
const NOTHING = new Uint8Array(0);

export class ServerTls implements Transport {
  readonly name: Transport["name"];
  readonly #inner: Transport;
  readonly #log: Log;
  #settings: ServerTlsSettings;
  #ca: string | undefined;

  /** Reads the CAs. Throws a `TlsFileError` that names the file. */
  constructor(inner: Transport, settings: ServerTlsSettings, log: Log) {
    this.name = inner.name;
    this.#inner = inner;
    this.#log = log;
    this.#settings = settings;
    this.#ca = settings.ca === undefined ? undefined : readCa(settings.ca);
  }

  /** Connections from now on are made so. Throws as the constructor does, and changes nothing then. */
  configure(settings: ServerTlsSettings): void {
    this.#ca = settings.ca === undefined ? undefined : readCa(settings.ca);
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
    const role = { kind: "client", ca: this.#ca, serverName, protocol: PROTOCOL } as const;
    socket.startTls(role, NOTHING, (outcome) => {
      if (outcome.problem !== undefined) return told("tls-failed", outcome.problem);
      const objection = this.#objection(outcome, host);
      told(objection === undefined ? undefined : "tls-untrusted", objection ?? "");
    });
  }

  #objection({ isTrusted, isFor }: TlsOutcome, host: string): string | undefined {
    const { mode, ca } = this.#settings;
    const wantsTrust = mode.startsWith("verify-") || (mode === "require" && ca !== undefined);
    if (wantsTrust && !isTrusted) return "its certificate is of no CA that we know";
    return mode === "verify-full" && !isFor(host) ? `its certificate is not for ${host}` : undefined;
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
    this.#socket.write(REQUEST, 0, REQUEST.length);
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
    if (answer === NO && this.#parts.isOptional) return this.#open();
    if (answer === NO) return this.#fail("tls-refused", "it has no TLS");
    if (answer !== YES) return this.#fail("tls-failed", "it does not know the request for TLS");
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
