/**
 * The first part of a client's address: enough to tell a user "your office", too little to follow a person.
 */
import { parseIp } from "../base/index.ts";

/** The third word of an IPv4 address in its IPv6 form. */
const MAPPED_WORD = 0xffff;

/** "203.0.113.0/24" of an IPv4 address, "2001:db8:1::/48" of an IPv6 one; undefined of anything else. */
export function addressPrefix(address: string | undefined): string | undefined {
  const [first, second, third, fourth] = parseIp(address ?? "") ?? [];
  if (first === undefined || second === undefined || fourth === undefined) return undefined;
  if (first === 0 && second === 0 && third === MAPPED_WORD) {
    return `${fourth >>> 24}.${(fourth >>> 16) & 0xff}.${(fourth >>> 8) & 0xff}.0/24`;
  }
  const groups = [first >>> 16, first & 0xffff, second >>> 16];
  return `${groups.map((group) => group.toString(16)).join(":")}::/48`;
}
