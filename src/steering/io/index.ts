/** The sockets of steering. */
export { type DnsCounts, DnsServer } from "./dns-server.ts";
