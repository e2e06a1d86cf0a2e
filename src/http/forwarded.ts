/**
 * Who the client was, told to the target: X-Forwarded-*, Forwarded (RFC 7239) and Via (RFC 9110 §7.6.3).
 *
 * All of it but the host is the same for every request of a client connection, so it is built once per connection as
 * bytes and copied into each request.
 */
import { asBytes } from "./bytes.ts";

/** What is known when a client connects. */
export interface ForwardedSource {
  /** "192.0.2.7" or "2001:db8::7", without brackets. */
  readonly clientIp: string;
  readonly proto: "http" | "https";
  /** Port of the listener; sent as X-Forwarded-Port when given. */
  readonly port?: number;
  /** Which fields to send. */
  readonly fields: "both" | "x-forwarded" | "forwarded" | "off";
  /** Pseudonym in Via; empty sends no Via. */
  readonly name: string;
  /** Our id in CDN-Loop (RFC 8586); absent or empty sends none. */
  readonly cdnId?: string;
}

/** The prebuilt bytes. Empty ones are not sent. */
export interface ForwardedBlock {
  /**
   * For an untrusted client, whose own such fields are dropped: complete lines with a hole for the host between each
   * two pieces.
   */
  readonly pieces: readonly Uint8Array[];
  /** Sum of the pieces' lengths. */
  readonly piecesBytes: number;
  /** `Via: 1.1 tenfold` with its CRLF. */
  readonly via: Uint8Array;
  /** `CDN-Loop: tenfold-fra` with its CRLF: one more line of the list that came. */
  readonly cdnLoop: Uint8Array;
  /** The address, to be appended to a trusted client's X-Forwarded-For. */
  readonly clientIp: Uint8Array;
  /** `X-Forwarded-Proto: http` and `X-Forwarded-Port: 80`, with CRLF. */
  readonly proto: Uint8Array;
  readonly port: Uint8Array;
  /** `for=192.0.2.7;proto=http;host="`, to be appended to a trusted client's Forwarded. */
  readonly element: Uint8Array;
}

/** Offset of the minor version in `via`, so that a request received as HTTP/1.0 can say so. */
export const VIA_MINOR_OFFSET: number = "Via: 1.".length;

/** A socket that listens on both families reports IPv4 clients so. */
const MAPPED = /^::ffff:(?=[0-9.]+$)/i;

/** Builds the bytes for one client connection. */
export function buildForwardedBlock(source: ForwardedSource): ForwardedBlock {
  const clientIp = source.clientIp.replace(MAPPED, "");
  const sendsX = source.fields === "both" || source.fields === "x-forwarded";
  const sendsForwarded = source.fields === "both" || source.fields === "forwarded";
  const via = source.name === "" ? "" : `Via: 1.1 ${source.name}\r\n`;
  const cdnLoop = source.cdnId ? `CDN-Loop: ${source.cdnId}\r\n` : "";
  const proto = sendsX ? `X-Forwarded-Proto: ${source.proto}\r\n` : "";
  const port = sendsX && source.port !== undefined ? `X-Forwarded-Port: ${source.port}\r\n` : "";
  const element = sendsForwarded ? `for=${forwardedNode(clientIp)};proto=${source.proto};host="` : "";
  const pieces = untrustedPieces(
    via + cdnLoop,
    sendsX ? `X-Forwarded-For: ${clientIp}\r\n${proto}${port}` : "",
    element,
  );
  return {
    pieces: pieces.map(asBytes),
    piecesBytes: pieces.join("").length,
    via: asBytes(via),
    cdnLoop: asBytes(cdnLoop),
    clientIp: asBytes(sendsX ? clientIp : ""),
    proto: asBytes(proto),
    port: asBytes(port),
    element: asBytes(element),
  };
}

function untrustedPieces(first: string, xForwarded: string, element: string): string[] {
  let text = first + xForwarded;
  if (xForwarded !== "") text += "X-Forwarded-Host: \0\r\n";
  if (element !== "") text += `Forwarded: ${element}\0"\r\n`;
  return text.split("\0");
}

/** A node of RFC 7239 §6: IPv6 in brackets and quoted, IPv4 as it is. */
function forwardedNode(ip: string): string {
  return ip.includes(":") ? `"[${ip}]"` : ip;
}
