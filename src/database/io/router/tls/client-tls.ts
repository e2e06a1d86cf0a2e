/** TLS of those who connect to the router: what they are shown, and whether they have to use it. */
import { X509Certificate } from "node:crypto";
import { readIdentity, TlsFileError, type TlsIdentity, type TlsPaths } from "../../../../base/io/index.ts";
import { endpointBinding } from "../../../../pgwire/index.ts";
import type { TcpSocket } from "../../../../transport/index.ts";
import { type TlsOutcome, UpgradableSocket } from "../../../../transport/io/index.ts";

/** How clients may come. Without it they have no TLS. */
export interface ClientTlsSettings extends TlsPaths {
  /** "allow": each as it likes; "require": a log-in without TLS is refused; "bind": so is one that is not bound to the certificate. */
  readonly mode: "allow" | "require" | "bind";
}

/** What a client that begins with the handshake has to name (ALPN), so that it is no other protocol's (PostgreSQL 17). */
const PROTOCOL = "postgresql";

export class ClientTls {
  readonly isRequired: boolean;
  readonly needsBinding: boolean;
  /** What ties a log-in by SCRAM to our certificate; undefined where its signature allows none. */
  readonly binding: Uint8Array | undefined;
  readonly #identity: TlsIdentity;

  /** Reads the files. Throws a `TlsFileError` that names the one that cannot be used. */
  constructor(settings: ClientTlsSettings) {
    this.#identity = readIdentity(settings);
    this.isRequired = settings.mode !== "allow";
    this.needsBinding = settings.mode === "bind";
    this.binding = endpointBinding(new Uint8Array(new X509Certificate(this.#identity.cert).raw));
    if (this.needsBinding && this.binding === undefined)
      throw new TlsFileError(`${settings.cert} has a signature to which no log-in can be bound`);
  }

  /** Whether this connection can turn into one of TLS. */
  canSecure(socket: TcpSocket): boolean {
    return socket instanceof UpgradableSocket;
  }

  /** Begins the handshake; `first` is what has arrived of it. `told`: whether the connection may go on. */
  secure(
    socket: TcpSocket,
    first: Uint8Array,
    isDirect: boolean,
    told: (isSecure: boolean, problem: string | undefined) => void,
  ): void {
    if (!(socket instanceof UpgradableSocket)) return told(false, "the connection cannot have TLS");
    const { cert, key, clientCa: ca } = this.#identity;
    socket.startTls({ kind: "server", cert, key, ca, protocol: PROTOCOL }, first, (outcome) => {
      const problem = outcome.problem ?? this.#objection(outcome, isDirect);
      told(problem === undefined, problem);
    });
  }

  #objection({ isTrusted, protocol }: TlsOutcome, isDirect: boolean): string | undefined {
    if (this.#identity.clientCa !== undefined && !isTrusted) return "client-untrusted";
    return isDirect && protocol !== PROTOCOL ? "no-alpn" : undefined;
  }
}
