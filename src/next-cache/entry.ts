/**
 * Entries as bytes: JSON, with the buffers and maps that Next.js puts into its values kept as what they are.
 */

/** Cache lifetime as Next.js passes it, seconds. */
export interface CacheControl {
  readonly revalidate: number | false;
  readonly expire?: number | undefined;
}

/** What is stored per key. */
export interface StoredEntry {
  /** Wall clock, ms. */
  readonly lastModified: number;
  /** The sequence number that was current when rendering began. */
  readonly sequence: number;
  /** The history of marks that the number belongs to. */
  readonly epoch: string;
  readonly tags: readonly string[];
  readonly cacheControl?: CacheControl | undefined;
  /** A value of Next.js; `null` for a page that is known not to exist. */
  readonly value: unknown;
}

/** Marks what JSON does not know. A value of the app cannot be mistaken for it: its own key is escaped. */
const KIND = "$tenfold";

/** Bytes of an entry. */
export function encodeEntry(entry: StoredEntry): Uint8Array {
  return new TextEncoder().encode(JSON.stringify(pack(entry)));
}

/** The entry; undefined when the bytes are none, which is a miss. */
export function decodeEntry(bytes: Uint8Array): StoredEntry | undefined {
  try {
    const entry = unpack(JSON.parse(new TextDecoder().decode(bytes))) as Partial<StoredEntry> | null;
    const isWhole = typeof entry?.lastModified === "number" && typeof entry.sequence === "number";
    return isWhole && Array.isArray(entry.tags) ? (entry as StoredEntry) : undefined;
  } catch {
    return undefined;
  }
}

function pack(value: unknown): unknown {
  if (value instanceof Uint8Array) return { [KIND]: "bytes", data: Buffer.from(value).toString("base64") };
  if (value instanceof Map) return { [KIND]: "map", data: [...value].map((pair) => pair.map(pack)) };
  if (Array.isArray(value)) return value.map(pack);
  if (typeof value !== "object" || value === null) return value;
  const packed = Object.fromEntries(Object.entries(value).map(([name, part]) => [name, pack(part)]));
  return KIND in packed ? { [KIND]: "object", data: packed } : packed;
}

function unpack(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(unpack);
  if (typeof value !== "object" || value === null) return value;
  const { [KIND]: kind, data } = value as { [KIND]?: unknown; data?: unknown };
  if (kind === "bytes") return Buffer.from(String(data), "base64");
  if (kind === "map")
    return new Map((data as [unknown, unknown][]).map(([key, part]) => [unpack(key), unpack(part)]));
  const fields = kind === "object" ? (data as object) : value;
  return Object.fromEntries(Object.entries(fields).map(([name, part]) => [name, unpack(part)]));
}
