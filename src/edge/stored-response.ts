/**
 * A stored response: what the policy knows of it and what clients get, laid out in a record of the store.
 *
 *   head = fields for caches alone | status line, fields for clients, Content-Length
 *
 * A hit sends the second part as it is. Times and lifetimes are in the record's own words, so that a decision on a fresh
 * response reads numbers and makes no object. Texts (validators, language) are kept as places in the head.
 */
import { asBytes, copy, equalsFolded, text } from "../http/index.ts";
import {
  type CachePolicy,
  clientFields,
  type FieldLine,
  FLAG,
  type StoredMeta,
  tagsOf,
  valueIn,
} from "./policy/index.ts";
import { HEAD_BYTES_MAX, type StoredHead } from "./raw-head.ts";
import type { Entry, Reservation } from "./store/index.ts";

/** Words of a record that are ours. Durations are packed (see `packMs`), times take two words, texts are places. */
const META = {
  request: 0,
  response: 2,
  date: 4,
  initialAge: 6,
  lifetime: 7,
  staleWhileRevalidate: 8,
  staleIfError: 9,
  clientStart: 10,
  etag: 11,
  lastModified: 12,
  contentLanguage: 13,
  isRewritten: 14,
  isCompressible: 15,
} as const;

const NO_VARY = new Uint8Array(0);

const LF = 0x0a;
const COLON = 0x3a;
const CONTENT_LENGTH = asBytes("content-length");

const WORD = 2 ** 32;
const INT_MAX = 2 ** 31 - 1;

/**
 * Lays out the head of a response. `fields` are those to store (`storedFields`), `reason` its status line's words.
 * Undefined when it is too long to be stored. O(fields).
 */
export function layOutHead(
  { status, reason }: { readonly status: number; readonly reason: string },
  fields: readonly FieldLine[],
  bodyBytes: number,
  policy: CachePolicy,
): StoredHead | undefined {
  const isFraming = ([name]: FieldLine): boolean => name.toLowerCase() === "content-length";
  const whole = fields.filter((line) => !isFraming(line));
  const client = clientFields(whole, policy);
  const internal = whole.filter((line) => !client.includes(line));
  const hasBody = status !== 204 && status !== 304;
  const lines = hasBody ? [...client, ["Content-Length", String(bodyBytes)] as const] : client;
  const before = linesOf(internal);
  const head = `${before}HTTP/1.1 ${status} ${reason}\r\n${linesOf(lines)}`;
  if (head.length > HEAD_BYTES_MAX) return undefined;
  const place = (name: string): number => placeOf(head, valueIn(client, name));
  return {
    bytes: Buffer.from(head, "latin1"),
    clientStart: before.length,
    end: head.length,
    isRewritten: policy.browserCacheControl !== undefined,
    etag: place("etag"),
    lastModified: place("last-modified"),
    contentLanguage: place("content-language"),
    tags: tagsOf({ field: (name) => valueIn(fields, name) }).kept,
    isCompressible: false,
  };
}

function linesOf(fields: readonly FieldLine[]): string {
  return fields.map(([name, value]) => `${name}: ${value}\r\n`).join("");
}

/** Where a value stands: 16 bits each for its offset and its length; 0 for none. */
function placeOf(head: string, value: string | undefined): number {
  const at = value === undefined || value === "" ? -1 : head.indexOf(`: ${value}\r\n`);
  return at < 0 ? 0 : ((at + 2) << 16) | (value ?? "").length;
}

/** The key of a variant, as its record holds it; empty without Vary. */
export function varyKey({ varyNames, varyValues }: Pick<StoredMeta, "varyNames" | "varyValues">): Uint8Array {
  return varyNames === "" ? NO_VARY : Buffer.from(`${varyNames}\n${varyValues}`, "latin1");
}

/** Writes what the policy knows into a record that is being filled. */
export function writeMeta(record: Reservation, meta: StoredMeta, head: StoredHead): void {
  record.setStatus(meta.status);
  record.setFlags(meta.flags);
  setTime(record, META.request, meta.requestWallMs);
  setTime(record, META.response, meta.responseWallMs);
  setTime(record, META.date, meta.dateMs);
  record.setMeta(META.initialAge, packMs(meta.initialAgeMs));
  record.setMeta(META.lifetime, packMs(meta.lifetimeMs));
  record.setMeta(META.staleWhileRevalidate, packMs(meta.staleWhileRevalidateMs));
  record.setMeta(META.staleIfError, packMs(meta.staleIfErrorMs));
  record.setMeta(META.clientStart, head.clientStart);
  record.setMeta(META.etag, head.etag);
  record.setMeta(META.lastModified, head.lastModified);
  record.setMeta(META.contentLanguage, head.contentLanguage);
  record.setMeta(META.isRewritten, head.isRewritten ? 1 : 0);
  record.setMeta(META.isCompressible, head.isCompressible ? 1 : 0);
}

function setTime(record: Reservation, word: number, ms: number): void {
  const whole = Math.max(0, Math.floor(ms));
  record.setMeta(word, (whole % WORD) | 0);
  record.setMeta(word + 1, Math.floor(whole / WORD));
}

/** Milliseconds in one word as long as they fit (24 days); beyond that seconds, told by the sign. */
function packMs(ms: number): number {
  const whole = Math.max(0, Math.floor(ms));
  return whole <= INT_MAX ? whole : -Math.min(INT_MAX, Math.floor(whole / 1000));
}

function unpackMs(word: number): number {
  return word >= 0 ? word : -word * 1000;
}

/** The stored response that the reader shows at the moment. One object per worker. */
export class StoredResponse implements StoredMeta {
  readonly #entry: Entry;

  constructor(entry: Entry) {
    this.#entry = entry;
  }

  get entry(): Entry {
    return this.#entry;
  }
  get status(): number {
    return this.#entry.status;
  }
  get flags(): number {
    const { flags, isSoftPurged } = this.#entry;
    return isSoftPurged ? flags | FLAG.purged : flags;
  }
  get requestWallMs(): number {
    return this.#time(META.request);
  }
  get responseWallMs(): number {
    return this.#time(META.response);
  }
  get dateMs(): number {
    return this.#time(META.date);
  }
  get initialAgeMs(): number {
    return unpackMs(this.#entry.meta(META.initialAge));
  }
  get lifetimeMs(): number {
    return unpackMs(this.#entry.meta(META.lifetime));
  }
  get staleWhileRevalidateMs(): number {
    return unpackMs(this.#entry.meta(META.staleWhileRevalidate));
  }
  get staleIfErrorMs(): number {
    return unpackMs(this.#entry.meta(META.staleIfError));
  }
  get varyNames(): string {
    return this.#vary(0);
  }
  get varyValues(): string {
    return this.#vary(1);
  }
  get etag(): string {
    return this.#text(META.etag);
  }
  get lastModified(): string {
    return this.#text(META.lastModified);
  }
  get contentLanguage(): string {
    return this.#text(META.contentLanguage).toLowerCase();
  }

  /** Whether other codings of it may be kept. */
  get isCompressible(): boolean {
    return this.#entry.meta(META.isCompressible) === 1;
  }

  /** Where the part of the head that clients get begins; it ends at `entry.bodyOffset`. */
  get clientHeadOffset(): number {
    return this.#entry.headOffset + this.#entry.meta(META.clientStart);
  }

  /** The fields that were stored, those for caches among them. O(head). */
  fields(): FieldLine[] {
    const { bytes, headOffset, bodyOffset } = this.#entry;
    const internal = text(bytes, headOffset, this.clientHeadOffset);
    const [, ...client] = text(bytes, this.clientHeadOffset, bodyOffset).split("\r\n");
    const isRewritten = this.#entry.meta(META.isRewritten) === 1;
    const kept = client.map(lineOf).filter(([name]) => isStored(name.toLowerCase(), isRewritten));
    return [...kept, ...internal.split("\r\n").filter(Boolean).map(lineOf)];
  }

  /** The fields that clients get, without framing. O(head). */
  clientFields(): FieldLine[] {
    const { bytes, bodyOffset } = this.#entry;
    const [, ...client] = text(bytes, this.clientHeadOffset, bodyOffset).split("\r\n");
    return client.map(lineOf).filter(([name]) => isStored(name.toLowerCase(), false));
  }

  /** The value of the first line for clients with this name, in small letters; undefined when there is none. O(head). */
  clientField(folded: Uint8Array): string | undefined {
    const { bytes, bodyOffset } = this.#entry;
    let start = this.#nextLine(this.clientHeadOffset);
    while (start < bodyOffset) {
      const end = this.#nextLine(start);
      if (isNamed(bytes, start, folded))
        return text(bytes, start + folded.length + ": ".length, end - "\r\n".length);
      start = end;
    }
    return undefined;
  }

  /** Copies the lines for clients, but for framing and those with this name, to `out[at..]`; the offset after them. */
  copyClientLines(but: Uint8Array, out: Uint8Array, at: number): number {
    const { bytes, bodyOffset } = this.#entry;
    let into = at;
    let start = this.#nextLine(this.clientHeadOffset);
    while (start < bodyOffset) {
      const end = this.#nextLine(start);
      const isWanted = !isNamed(bytes, start, but) && !isNamed(bytes, start, CONTENT_LENGTH);
      if (isWanted) into = copy(bytes, start, end, out, into);
      start = end;
    }
    return into;
  }

  /** Where the line after the one at `start` begins. */
  #nextLine(start: number): number {
    const { bytes, bodyOffset } = this.#entry;
    let at = start;
    while (at < bodyOffset && bytes[at] !== LF) at++;
    return at + 1;
  }

  /** The words of its status line. */
  get reason(): string {
    const { bytes, bodyOffset } = this.#entry;
    const start = this.clientHeadOffset + "HTTP/1.1 200 ".length;
    const end = bytes.indexOf(0x0d, start);
    return text(bytes, start, Math.min(end, bodyOffset));
  }

  #time(word: number): number {
    return (this.#entry.meta(word) >>> 0) + this.#entry.meta(word + 1) * WORD;
  }

  #vary(part: 0 | 1): string {
    const { bytes, varyOffset, varyBytes } = this.#entry;
    if (varyBytes === 0) return "";
    const key = text(bytes, varyOffset, varyOffset + varyBytes);
    const end = key.indexOf("\n");
    return part === 0 ? key.slice(0, end) : key.slice(end + 1);
  }

  #text(word: number): string {
    const place = this.#entry.meta(word);
    if (place === 0) return "";
    const start = this.#entry.headOffset + (place >>> 16);
    return text(this.#entry.bytes, start, start + (place & 0xffff));
  }
}

function isNamed(bytes: Uint8Array, start: number, folded: Uint8Array): boolean {
  const end = start + folded.length;
  return bytes[end] === COLON && equalsFolded(bytes, start, end, folded);
}

function lineOf(line: string): FieldLine {
  const colon = line.indexOf(": ");
  return [line.slice(0, colon), line.slice(colon + 2)];
}

/** Framing is ours, and so is a Cache-Control that replaced the origin's. */
function isStored(name: string, isRewritten: boolean): boolean {
  return name !== "" && name !== "content-length" && !(isRewritten && name === "cache-control");
}
