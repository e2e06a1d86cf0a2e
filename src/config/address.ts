/**
 * Addresses as users write them: "127.0.0.1:8080", "app.internal:80", "[::1]:80", ":8080", "8080" or 8080.
 *
 * A port alone stands for the host that makes sense at that place: every interface for a listener, loopback for a
 * target. IPv6 hosts need their brackets (RFC 3986), or "::1:80" would be two addresses at once.
 */
import { parseIp } from "../base/index.ts";
import type { Address } from "./config.ts";

/** Why a text is no address. */
export type AddressFault = "scheme" | "no-port" | "port" | "brackets" | "host";

/** The longest name that DNS allows (RFC 1035). */
const HOST_LENGTH_MAX = 253;

const PORT_MAX = 65_535;

/** Reads an address; `defaultHost` is the host of a bare port. */
export function parseAddress(text: string, defaultHost: string): Address | AddressFault {
  if (text.includes("/")) return "scheme";
  const bracketed = /^\[([^\]]*)\](?::(.*))?$/.exec(text);
  if (bracketed) return withIpv6(bracketed[1] ?? "", bracketed[2]);
  const parts = text.split(":");
  if (parts.length > 2) return "brackets";
  const [first = "", second] = parts;
  if (second === undefined) return /^\d+$/.test(first) ? withPort(defaultHost, first) : "no-port";
  if (first === "") return withPort(defaultHost, second);
  return isHost(first) ? withPort(first.toLowerCase(), second) : "host";
}

/** The address as text; IPv6 hosts get their brackets. Also a target's id within its group. */
export function formatAddress({ host, port }: Address): string {
  return host.includes(":") ? `[${host}]:${port}` : `${host}:${port}`;
}

/** Whether `text` can be a host: an IPv4 address or a DNS name ("_" allowed, as private DNS uses it). */
export function isHost(text: string): boolean {
  if (text.length > HOST_LENGTH_MAX) return false;
  if (/^[\d.]+$/.test(text)) return parseIp(text) !== undefined;
  return text.split(".").every((label) => /^[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?$/i.test(label));
}

function withIpv6(host: string, port: string | undefined): Address | AddressFault {
  if (!host.includes(":") || parseIp(host) === undefined) return "host";
  return port === undefined ? "no-port" : withPort(host.toLowerCase(), port);
}

function withPort(host: string, text: string): Address | AddressFault {
  if (text === "") return "no-port";
  const port = /^\d{1,5}$/.test(text) ? Number(text) : Infinity;
  return port <= PORT_MAX ? { host, port } : "port";
}
