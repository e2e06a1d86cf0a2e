/** The files of a TLS server, read and looked at before anybody is served with them: who it is, and whom it lets in. */
import { createPrivateKey, X509Certificate } from "node:crypto";
import { readFileSync } from "node:fs";
import { isIP } from "node:net";

/** Where they are, PEM all of them. */
export interface TlsPaths {
  /** The server's certificate and what stands between it and its CA. */
  readonly cert: string;
  /** The private key of the first of them, without a passphrase. */
  readonly key: string;
  /** CAs of clients: without a certificate of one of them nobody gets in. Undefined: nobody is asked for one. */
  readonly clientCa?: string | undefined;
}

/** What the files hold. */
export interface TlsIdentity {
  readonly cert: string;
  readonly key: string;
  readonly clientCa: string | undefined;
  /** Wall ms at which the certificate ends. */
  readonly expiresMs: number;
}

/** A file that TLS cannot be served with. */
export class TlsFileError extends Error {
  override readonly name = "TlsFileError";
}

/** Reads the files. Throws a `TlsFileError` that names the file, never what it holds. */
export function readIdentity(paths: TlsPaths): TlsIdentity {
  const cert = read(paths.cert);
  const key = read(paths.key);
  const leaf = parse(paths.cert, "certificate", () => new X509Certificate(cert));
  const secret = parse(paths.key, "private key", () => createPrivateKey(key));
  if (!leaf.checkPrivateKey(secret))
    throw new TlsFileError(`${paths.key} is not the key of the certificate in ${paths.cert}`);
  const clientCa = paths.clientCa === undefined ? undefined : readCa(paths.clientCa);
  return { cert, key, clientCa, expiresMs: Date.parse(leaf.validTo) };
}

/** Whether the first certificate of `cert` (PEM, or DER) is one for `host`, a name or an IP address. */
export function isFor(cert: string | Uint8Array, host: string): boolean {
  const leaf = new X509Certificate(cert);
  return (isIP(host) === 0 ? leaf.checkHost(host) : leaf.checkIP(host)) !== undefined;
}

/** A file of CA certificates as text. Throws a `TlsFileError`. */
export function readCa(path: string): string {
  const text = read(path);
  parse(path, "certificate", () => new X509Certificate(text));
  return text;
}

function read(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch (problem) {
    throw new TlsFileError(`${path} cannot be read: ${problem instanceof Error ? problem.message : ""}`);
  }
}

/** What a parser says of a key may show a part of it, so it is not repeated. */
function parse<T>(path: string, what: string, parser: () => T): T {
  try {
    return parser();
  } catch {
    throw new TlsFileError(`${path} holds no ${what} in PEM`);
  }
}
