/**
 * The host of a request (RFC 9110 §7.2, RFC 3986 §3.2.2): a name, an IPv4 address or an IPv6 address in brackets,
 * and an optional port.
 */
import { parseIp } from "../../base/index.ts";
import { CLOSING_BRACKET, COLON, HOST, NINE, OPENING_BRACKET, text, ZERO } from "../bytes.ts";

const PORT_MAX = 65535;

/**
 * End of the host in `bytes[start..end)`: where its port begins, or `end`. -1 when this is no host: empty, with user
 * information, path, comma, space, percent-encoding, a bad address or a port above 65535.
 */
export function hostEnd(bytes: Uint8Array, start: number, end: number): number {
  const at = bytes[start] === OPENING_BRACKET ? addressEnd(bytes, start, end) : nameEnd(bytes, start, end);
  if (at <= start || at === end) return at > start ? at : -1;
  return bytes[at] === COLON && isPort(bytes, at + 1, end) ? at : -1;
}

function nameEnd(bytes: Uint8Array, start: number, end: number): number {
  let at = start;
  while (at < end && HOST[bytes[at] as number] === 1) at++;
  return at;
}

/** Digits up to 65535; none are legal too (RFC 3986 §3.2.3). */
function isPort(bytes: Uint8Array, start: number, end: number): boolean {
  let port = 0;
  for (let at = start; at < end && port <= PORT_MAX; at++) {
    const byte = bytes[at] as number;
    if (byte < ZERO || byte > NINE) return false;
    port = port * 10 + (byte - ZERO);
  }
  return port <= PORT_MAX;
}

/** Offset after "[...]" when it holds an IPv6 address, else -1. */
function addressEnd(bytes: Uint8Array, start: number, end: number): number {
  let close = start + 1;
  while (close < end && bytes[close] !== CLOSING_BRACKET) close++;
  return close < end && isIpv6(bytes, start + 1, close) ? close + 1 : -1;
}

/** RFC 3986 §3.2.2. A zone ("%eth0") means nothing on another machine and is refused. */
function isIpv6(bytes: Uint8Array, start: number, end: number): boolean {
  const address = text(bytes, start, end);
  return address.includes(":") && !address.includes("%") && parseIp(address) !== undefined;
}
