/** Names of any length and any characters as `bytea` keys that an index of Postgres takes. */
import { createHash } from "node:crypto";

/** An entry of a B-tree may have 2,704 bytes, with everything that is in it. */
const BYTES_MAX = 1024;

/** Never in UTF-8, so that no short name is equal to a digest. */
const DIGESTED = Uint8Array.of(0xff);

/** The name's UTF-8, for people who look into the table; of a name beyond 1 KiB the byte ff and its SHA-256. */
export function identity(name: string): Buffer {
  const bytes = Buffer.from(name, "utf8");
  if (bytes.byteLength <= BYTES_MAX) return bytes;
  return Buffer.concat([DIGESTED, createHash("sha256").update(bytes).digest()]);
}
