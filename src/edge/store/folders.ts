/** Folders: host and path up to a "/", which a table of purges holds by their hash. */

/** "/" */
export const SLASH = 0x2f;

/** One step of the hash of a folder: FNV-1a, for its speed byte by byte. */
export function hashByte(hash: number, byte: number): number {
  return Math.imul(hash ^ byte, 0x0100_0193);
}
/** Where such a hash starts. */
export const HASH_START: number = 0x811c_9dc5 | 0;

/** Spreads the bits of FNV's last step over the low bits that name a row. */
export function spread(hash: number): number {
  const mixed = Math.imul(hash ^ (hash >>> 15), 0x85eb_ca6b);
  return (mixed ^ (mixed >>> 13)) >>> 0;
}

const QUERY = 0x3f;

/** Whether the table of folders can hold this prefix. */
export function isFolder(prefix: Uint8Array): boolean {
  return prefix.at(-1) === SLASH && !prefix.includes(QUERY);
}

/** The folder that a prefix lies in; empty when it is not even a whole host. */
export function folderOf(prefix: Uint8Array): Uint8Array {
  const query = prefix.indexOf(QUERY);
  const path = query < 0 ? prefix : prefix.subarray(0, query);
  return path.subarray(0, path.lastIndexOf(SLASH) + 1);
}

/** The hash of a whole folder. */
export function hashFolder(folder: Uint8Array): number {
  return spread(folder.reduce(hashByte, HASH_START));
}
