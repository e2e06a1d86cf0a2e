/** EDNS Client Subnet (RFC 7871): the network that a resolver asks for, and for which an answer holds. */

const FAMILY_BYTES: Readonly<Record<number, number>> = { 1: 4, 2: 16 };

/** A network of clients. */
export interface ClientSubnet {
  readonly family: 1 | 2;
  readonly sourceBits: number;
  /** The network as an address, its other bits zero. */
  readonly ip: string;
  /** Its bytes as they came. */
  readonly bytes: Uint8Array;
}

/**
 * Reads the data of the option. Undefined when it is malformed, which §7.1.2 answers with FORMERR: an unknown family, a
 * wrong length, bits beyond the prefix, a scope in a query.
 */
export function readClientSubnet(data: Uint8Array): ClientSubnet | undefined {
  if (data.length < 4) return undefined;
  const family = ((data[0] ?? 0) << 8) | (data[1] ?? 0);
  const [, , sourceBits = 0, scopeBits = 0] = data;
  const width = FAMILY_BYTES[family];
  if (width === undefined || sourceBits > width * 8 || scopeBits !== 0) return undefined;
  const bytes = data.slice(4);
  if (bytes.length !== Math.ceil(sourceBits / 8)) return undefined;
  const spare = bytes.length * 8 - sourceBits;
  if (spare > 0 && ((bytes.at(-1) ?? 0) & ((1 << spare) - 1)) !== 0) return undefined;
  return { family: family === 1 ? 1 : 2, sourceBits, ip: textOf(bytes, width), bytes };
}

/** The option's data in an answer that holds for `scopeBits` of the network. */
export function writeClientSubnet(
  { family, sourceBits, bytes }: ClientSubnet,
  scopeBits: number,
): Uint8Array {
  return Uint8Array.of(0, family, sourceBits, scopeBits, ...bytes);
}

function textOf(bytes: Uint8Array, width: number): string {
  const whole = new Uint8Array(width);
  whole.set(bytes);
  if (width === 4) return whole.join(".");
  const groups = Array.from(
    { length: 8 },
    (_, group) => ((whole[group * 2] ?? 0) << 8) | (whole[group * 2 + 1] ?? 0),
  );
  return groups.map((group) => group.toString(16)).join(":");
}
