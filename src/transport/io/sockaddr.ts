/**
 * `struct sockaddr_in` and `sockaddr_in6` as bytes.
 */
import { parseIp } from "../../base/index.ts";
import { AF } from "./libc.ts";

/** Room for either family. */
export const SOCKADDR_BYTES = 28;

const INET_BYTES = 16;

/** The address in the system's form, or undefined when `host` is a name. */
export function encodeSockaddr(host: string, port: number): Uint8Array | undefined {
  const words = parseIp(host);
  if (words === undefined) return undefined;
  const isInet6 = host.includes(":");
  const bytes = new Uint8Array(isInet6 ? SOCKADDR_BYTES : INET_BYTES);
  const view = new DataView(bytes.buffer);
  view.setUint16(0, isInet6 ? AF.inet6 : AF.inet, true);
  view.setUint16(2, port, false);
  if (isInet6) words.forEach((word, i) => view.setUint32(8 + i * 4, word, false));
  else view.setUint32(4, words[3], false);
  return bytes;
}

/** IPv4 addresses met before: clients come again, and each connection keeps its address as text. */
const known = new Map<number, string>();

/** Addresses remembered, about 100 bytes each; then the memory starts afresh. */
const KNOWN_MAX = 16_384;

/** The address as text: "10.0.0.1" or "2001:db8::1". */
export function decodeHost(bytes: Uint8Array): string {
  if (bytes[0] !== AF.inet) return decodeInet6(bytes);
  const word = ((bytes[4] ?? 0) << 24) | ((bytes[5] ?? 0) << 16) | ((bytes[6] ?? 0) << 8) | (bytes[7] ?? 0);
  const host = known.get(word) ?? `${bytes[4]}.${bytes[5]}.${bytes[6]}.${bytes[7]}`;
  if (known.size >= KNOWN_MAX) known.clear();
  known.set(word, host);
  return host;
}

function decodeInet6(bytes: Uint8Array): string {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const groups = Array.from({ length: 8 }, (_, i) => view.getUint16(8 + i * 2, false));
  const isMapped = groups.slice(0, 5).every((group) => group === 0) && groups[5] === 0xffff;
  if (isMapped) return Array.from(bytes.subarray(20, 24)).join(".");
  return compress(groups.map((group) => group.toString(16)).join(":"));
}

/** RFC 5952: the longest run of two or more zero groups becomes "::". */
function compress(address: string): string {
  const runs = address.match(/(?:^|:)0(?::0)+(?=:|$)/g) ?? [];
  const longest = runs.toSorted((a, b) => b.length - a.length)[0];
  if (longest === undefined) return address;
  const at = address.indexOf(longest);
  const rest = address.slice(at + longest.length).replace(/^:/, "");
  return `${address.slice(0, at)}::${rest}`;
}

/** Port of either family. */
export function decodePort(bytes: Uint8Array): number {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength).getUint16(2, false);
}
