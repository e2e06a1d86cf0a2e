/**
 * IP addresses and CIDR blocks (RFC 4632, RFC 4291): who is a trusted proxy, whose source address a rule matches.
 *
 * An address is 128 bits in four words; IPv4 is kept as its IPv4-mapped form (::ffff:a.b.c.d), because a socket that
 * listens on both families reports IPv4 clients so. An IPv4 address, mapped or not, is only ever inside IPv4 blocks:
 * "::/0" means all of IPv6, and trusts nobody in IPv4.
 */

/** 128 bits, most significant word first; each word a uint32. */
export type IpAddress = readonly [number, number, number, number];

/** A block of addresses: those that share the first `prefixBits` of 128 with `network`. */
export interface Cidr {
  readonly network: IpAddress;
  /** 0..128, counted over the IPv4-mapped form: "10.0.0.0/8" has 104. */
  readonly prefixBits: number;
}

/** How to write a block; for messages about one that did not parse. */
export const CIDR_MEND = 'write an address or a block, such as "10.0.0.0/8", "192.0.2.7" or "2001:db8::/32"';

const MAPPED_PREFIX_BITS = 96;
const MAPPED_WORD = 0xffff;
const GROUPS = 8;

/** A block, or one address as a block of its own; undefined when it is neither. Host bits are cleared. */
export function parseCidr(text: string): Cidr | undefined {
  const [addressText = "", prefixText, ...rest] = text.split("/");
  const address = parseIp(addressText);
  if (address === undefined || rest.length > 0) return undefined;
  const bitsBefore = addressText.includes(":") ? 0 : MAPPED_PREFIX_BITS;
  const prefixBits = prefixText === undefined ? 128 : parsePrefix(prefixText, bitsBefore);
  return prefixBits === undefined ? undefined : { network: masked(address, prefixBits), prefixBits };
}

/** Whether `ip`, as text or parsed, is in the block; false when it is no address. */
export function contains(block: Cidr, ip: string | IpAddress): boolean {
  const address = typeof ip === "string" ? parseIp(ip) : ip;
  if (address === undefined) return false;
  if (isIpv4(address) && block.prefixBits < MAPPED_PREFIX_BITS) return false;
  return address.every(
    (word, at) => ((word ^ (block.network[at] ?? 0)) & maskAt(block.prefixBits, at)) === 0,
  );
}

/** Dotted IPv4, or IPv6 with "::", an embedded IPv4 tail or a zone ("%eth0", dropped); undefined otherwise. */
export function parseIp(text: string): IpAddress | undefined {
  if (!text.includes(":")) {
    const word = parseIpv4(text);
    return word === undefined ? undefined : [0, 0, MAPPED_WORD, word];
  }
  const [bare = ""] = text.split("%");
  const groups = parseGroups(bare);
  if (groups === undefined) return undefined;
  const wordAt = (at: number): number => (((groups[at] ?? 0) << 16) | (groups[at + 1] ?? 0)) >>> 0;
  return [wordAt(0), wordAt(2), wordAt(4), wordAt(6)];
}

/** Whether a host is this machine alone: a name or an address of loopback. */
export function isLoopback(host: string): boolean {
  return host === "localhost" || host === "::1" || (host.startsWith("127.") && parseIp(host) !== undefined);
}

function isIpv4(address: IpAddress): boolean {
  return address[0] === 0 && address[1] === 0 && address[2] === MAPPED_WORD;
}

function parsePrefix(text: string, bitsBefore: number): number | undefined {
  const bits = /^(0|[1-9]\d{0,2})$/.test(text) ? bitsBefore + Number(text) : Number.POSITIVE_INFINITY;
  return bits <= 128 ? bits : undefined;
}

/** Strict: four decimal octets without leading zeros, which other readers take for octal. */
function parseIpv4(text: string): number | undefined {
  const octets = text.split(".");
  if (octets.length !== 4) return undefined;
  if (!octets.every((octet) => /^(0|[1-9]\d{0,2})$/.test(octet) && Number(octet) <= 255)) return undefined;
  return octets.reduce((word, octet) => word * 256 + Number(octet), 0);
}

/** The eight 16-bit groups, with "::" filled in. */
function parseGroups(text: string): readonly number[] | undefined {
  const halves = text.split("::");
  // An embedded IPv4 address can only end the whole.
  const [left, right] = halves.map((half, at) => parseHalf(half, at === halves.length - 1));
  if (halves.length > 2 || left === undefined) return undefined;
  if (halves.length === 1) return left.length === GROUPS ? left : undefined;
  if (right === undefined || left.length + right.length >= GROUPS) return undefined;
  return [...left, ...Array.from({ length: GROUPS - left.length - right.length }, () => 0), ...right];
}

function parseHalf(text: string, isLast: boolean): readonly number[] | undefined {
  if (text === "") return [];
  const groups: number[] = [];
  const parts = text.split(":");
  for (const [at, part] of parts.entries()) {
    const embedded = isLast && at === parts.length - 1 ? parseIpv4(part) : undefined;
    if (embedded !== undefined) groups.push(embedded >>> 16, embedded & 0xffff);
    else if (/^[0-9a-f]{1,4}$/i.test(part)) groups.push(Number.parseInt(part, 16));
    else return undefined;
  }
  return groups;
}

function masked(address: IpAddress, prefixBits: number): IpAddress {
  const word = (at: number): number => ((address[at] ?? 0) & maskAt(prefixBits, at)) >>> 0;
  return [word(0), word(1), word(2), word(3)];
}

/** The bits of word `at` that a prefix covers. */
function maskAt(prefixBits: number, at: number): number {
  const bits = Math.min(32, Math.max(0, prefixBits - at * 32));
  return bits === 0 ? 0 : -1 << (32 - bits);
}
