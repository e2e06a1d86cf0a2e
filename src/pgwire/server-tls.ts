/**
 * How a server is spoken to by TLS: libpq's `sslmode` and what goes with it, as it stands in a URL, and whether a server's certificate
 * will do. Source: PostgreSQL 18, 32.1.2 "Parameter Key Words" and 32.19 "SSL Support".
 */
import { resolve } from "node:path";
import type { PostgresUrl } from "./postgres-url.ts";

/** libpq's modes but "allow", which is as good as "prefer". */
export const SERVER_TLS_MODES = ["disable", "prefer", "require", "verify-ca", "verify-full"] as const;

/** How servers are spoken to. Files are PEM. */
export interface ServerTlsSettings {
  readonly mode: (typeof SERVER_TLS_MODES)[number];
  /** A file of CAs. Default: those of the system. With "require" it is looked at as with "verify-ca", as libpq does. */
  readonly ca?: string | undefined;
  /** Our own certificate and its key, for servers that want to see one. */
  readonly cert?: string | undefined;
  readonly key?: string | undefined;
  /** A log-in that is not bound to the server's certificate fails (`channel_binding=require`). Default no. */
  readonly needsBinding?: boolean;
}

/** The request for TLS, and the two answers to it: one byte, and nothing behind it (CVE-2021-23222). */
export const TLS_REQUEST: Uint8Array = Uint8Array.of(0, 0, 0, 8, 0x04, 0xd2, 0x16, 0x2f);
export const TLS_YES = 0x53;
export const TLS_NO = 0x4e;
/** What the protocol is called in the handshake (ALPN). */
export const TLS_PROTOCOL = "postgresql";

/** Lists of revoked certificates are not read; who names one would not want that to go unsaid. */
const UNREAD: readonly string[] = ["sslcrl", "sslcrldir", "sslpassword"];

/**
 * What a URL says: `sslmode`, else `ssl=true` of other drivers, else "require" where it names files of TLS or what needs it, else "prefer".
 * Returns what is wrong with it, such as "has sslmode=on: write one of …". Paths begin in `folder`.
 */
export function serverTlsOf(
  { options }: Pick<PostgresUrl, "options">,
  folder: string,
): ServerTlsSettings | string {
  const unread = UNREAD.find((name) => options.has(name));
  if (unread !== undefined) return `has ${unread}, which is not supported: leave it out`;
  const written = options.get("sslmode") ?? impliedMode(options);
  const mode = written === "allow" ? "prefer" : SERVER_TLS_MODES.find((known) => known === written);
  if (mode === undefined) return `has sslmode=${written}: write one of ${SERVER_TLS_MODES.join(", ")}`;
  const pathAt = (name: string): string | undefined => {
    const path = options.get(name);
    return path === undefined ? undefined : resolve(folder, path);
  };
  const [cert, key] = [pathAt("sslcert"), pathAt("sslkey")];
  if ((cert === undefined) !== (key === undefined))
    return "has one of sslcert and sslkey: write both, or none";
  const ca = options.get("sslrootcert") === SYSTEM ? undefined : pathAt("sslrootcert");
  return {
    mode,
    ...(ca === undefined ? {} : { ca }),
    ...(cert === undefined ? {} : { cert, key }),
    ...(options.get("channel_binding") === "require" ? { needsBinding: true } : {}),
  };
}

/** Instead of a file: the CAs of the system, which vouch for everybody's names, so that the name is looked at. */
const SYSTEM = "system";

function impliedMode(options: PostgresUrl["options"]): string {
  const ssl = options.get("ssl");
  if (ssl !== undefined) return /^(false|0|no|off)$/i.test(ssl) ? "disable" : "require";
  const ca = options.get("sslrootcert");
  if (ca === SYSTEM) return "verify-full";
  const isNeeded =
    ca !== undefined ||
    options.has("sslcert") ||
    options.get("channel_binding") === "require" ||
    options.get("sslnegotiation") === "direct";
  return isNeeded ? "require" : "prefer";
}

/** What became known of a server's certificate in the handshake. */
export interface ShownCertificate {
  /** It is of a CA that we know. */
  readonly isTrusted: boolean;
  /** …and for this name or address. */
  readonly isFor: (host: string) => boolean;
}

/** Why a server's certificate will not do; undefined when it will. */
export function certificateObjection(
  { mode, ca }: Pick<ServerTlsSettings, "mode" | "ca">,
  { isTrusted, isFor }: ShownCertificate,
  host: string,
): string | undefined {
  const wantsTrust = mode.startsWith("verify-") || (mode === "require" && ca !== undefined);
  if (wantsTrust && !isTrusted) return "its certificate is of no CA that we know";
  return mode === "verify-full" && !isFor(host) ? `its certificate is not for ${host}` : undefined;
}
