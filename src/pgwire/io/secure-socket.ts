/**
 * A connection to a server turns into one of TLS, as libpq's `sslmode` has it:
 *
 *   connected -> asks for TLS -> "S" and nothing else -> handshake -> the certificate will do -> secure
 */
import { isIP, type Socket } from "node:net";
import { connect, type TLSSocket } from "node:tls";
import { isFor, readCa, readIdentity, TlsFileError } from "../../base/io/index.ts";
import { endpointBinding } from "../channel-binding.ts";
import {
  certificateObjection,
  type ServerTlsSettings,
  TLS_NO,
  TLS_PROTOCOL,
  TLS_REQUEST,
  TLS_YES,
} from "../server-tls.ts";
import { PgConnectionError, type PgConnectionErrorCode } from "./errors.ts";

/** What came of it: a socket to go on with, and what ties a log-in to the server's certificate; or why there is none. */
export type Secured =
  | { readonly kind: "secured"; readonly socket: Socket; readonly binding: Uint8Array | undefined }
  | { readonly kind: "failed"; readonly code: PgConnectionErrorCode; readonly detail?: string };

/** The files that settings name, read before a connection is made. */
export interface TlsFiles extends ServerTlsSettings {
  readonly pem: { readonly ca?: string; readonly cert?: string; readonly key?: string };
}

/** Reads them. Throws a `PgConnectionError` that names the file. */
export function readTlsFiles(settings: ServerTlsSettings): TlsFiles {
  const { ca, cert, key } = settings;
  try {
    const own = cert === undefined || key === undefined ? undefined : readIdentity({ cert, key });
    return {
      ...settings,
      pem: {
        ...(ca === undefined ? {} : { ca: readCa(ca) }),
        ...(own === undefined ? {} : { cert: own.cert, key: own.key }),
      },
    };
  } catch (problem) {
    if (problem instanceof TlsFileError) throw new PgConnectionError("tls-file", problem.message);
    throw problem;
  }
}

/**
 * Asks for TLS on a socket that is connected and has said nothing. Stays open for ever when the server is silent or goes: whoever owns
 * the socket has a deadline, and notices its end.
 */
export async function secureSocket(socket: Socket, host: string, tls: TlsFiles): Promise<Secured> {
  const answer = await answerTo(socket);
  // What follows "S" in clear was not written by a server that waits for our handshake.
  if (answer.length !== 1) return failed("tls-failed", "it sends bytes before the handshake");
  if (answer[0] === TLS_NO && tls.mode === "prefer") return { kind: "secured", socket, binding: undefined };
  if (answer[0] === TLS_NO) return failed("tls-refused");
  if (answer[0] !== TLS_YES) return failed("tls-failed", "it does not know the request for TLS");
  const secured = await handshake(socket, host, tls);
  if (typeof secured === "string") return failed("tls-failed", secured);
  const certificate = secured.getPeerCertificate(false).raw;
  const shown = { isTrusted: secured.authorized, isFor: (name: string) => isFor(certificate, name) };
  const objection = certificateObjection(tls, shown, host);
  if (objection !== undefined) return failed("tls-untrusted", objection);
  return { kind: "secured", socket: secured, binding: endpointBinding(certificate) };
}

function failed(code: PgConnectionErrorCode, detail?: string): Secured {
  return { kind: "failed", code, ...(detail === undefined ? {} : { detail }) };
}

function answerTo(socket: Socket): Promise<Uint8Array> {
  return new Promise((resolve) => {
    socket.once("data", resolve);
    socket.write(TLS_REQUEST);
  });
}

/** Resolves to the secure socket, or to what went wrong. */
function handshake(socket: Socket, host: string, { pem }: TlsFiles): Promise<TLSSocket | string> {
  return new Promise((resolve) => {
    const secured = connect({
      socket,
      ...pem,
      minVersion: "TLSv1.2",
      ALPNProtocols: [TLS_PROTOCOL],
      // Whether the certificate will do is judged when the handshake is over: modes differ in that.
      rejectUnauthorized: false,
      checkServerIdentity: () => undefined, // `authorized` is to be of the CA alone
      ...(isIP(host) === 0 ? { servername: host } : {}),
    });
    secured.once("error", (problem: Error) => resolve(problem.message));
    secured.once("secureConnect", () => resolve(secured));
  });
}
