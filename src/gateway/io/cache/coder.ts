/**
 * Compressed forms of stored responses: made once, in the background, when a client first wants one, and stored beside the
 * response itself. Until it is there the client gets the plain one.
 */
import { brotliCompress, constants, gzip, zstdCompress } from "node:zlib";
import { memoized } from "../../../base/index.ts";
import {
  type FieldLine,
  layOutHead,
  normalizeEncodings,
  type StoredMeta,
  type StoredResponse,
} from "../../../edge/index.ts";
import { text } from "../../../http/index.ts";
import type { CacheKey } from "./cache-key.ts";
import type { Edge } from "./edge.ts";
import type { RuleCache } from "./rule-cache.ts";

/** Content codings that are made, the smallest first. */
const CODINGS = ["br", "zstd", "gzip"] as const;

/** One of `CODINGS`. */
export type Coding = (typeof CODINGS)[number];

type Done = (error: Error | null, result: Buffer) => void;

/** Levels at which a hundred kilobytes take some milliseconds of one thread. */
const COMPRESS: Readonly<Record<Coding, (body: Uint8Array, done: Done) => void>> = {
  br: (body, done) => brotliCompress(body, { params: { [constants.BROTLI_PARAM_QUALITY]: 6 } }, done),
  zstd: (body, done) => zstdCompress(body, { params: { [constants.ZSTD_c_compressionLevel]: 9 } }, done),
  gzip: (body, done) => gzip(body, { level: 6 }, done),
};

/** Smaller bodies fit one packet anyway; larger ones take a thread for too long. */
export const COMPRESSED_BYTES_MIN = 1024;
const BODY_BYTES_MAX = 8 * 1024 * 1024;

/** A form that saves less than this is not kept. */
const WORTH_SHARE = 0.9;

/** Compressions at once; others are made at a later request. */
const AT_ONCE_MAX = 4;

/** Forms known not to be worth it, by the number of their key and response; forgotten all at once. */
const WORTHLESS_MAX = 4096;

const COMPRESSIBLE =
  /^(?:text\/|application\/(?:[a-z0-9.-]+\+)?(?:json|xml|javascript|wasm)|image\/svg\+xml|font\/(?:ttf|otf))/i;

/** Whether a response may be sent in other codings, and is worth it. Its fields by name, and the length of its body. */
export function isCompressible(
  field: (name: string) => string | undefined,
  status: number,
  bodyBytes: number,
): boolean {
  if (status !== 200 || bodyBytes < COMPRESSED_BYTES_MIN || bodyBytes > BODY_BYTES_MAX) return false;
  if (field("content-encoding") !== undefined || !COMPRESSIBLE.test(field("content-type") ?? ""))
    return false;
  // An app that negotiates by itself has its own forms.
  if (/accept-encoding|\*/i.test(field("vary") ?? "")) return false;
  return !/no-transform/i.test(field("cache-control") ?? "");
}

/** The form that a client takes and that is smallest; undefined when it takes none of ours. */
export function bestCoding(acceptEncoding: string | undefined): Coding | undefined {
  if (acceptEncoding === undefined) return undefined;
  const taken = accepted(acceptEncoding);
  return CODINGS.find((coding) => taken.includes(coding));
}

const accepted: (acceptEncoding: string) => readonly string[] = memoized(256, (acceptEncoding) =>
  normalizeEncodings(acceptEncoding).split(","),
);

/** Whether `bytes[start, end)` is the key of a form. */
export function isCodedKey(bytes: Uint8Array, start: number, end: number): boolean {
  return CODINGS.some((coding) => {
    const at = end - coding.length - 2;
    return at >= start && bytes[at] === 0 && bytes[at + 1] === 0 && text(bytes, at + 2, end) === coding;
  });
}

export class Coder {
  readonly #edge: Edge;
  readonly #under = new Set<string>();
  readonly #worthless = new Set<string>();

  constructor(edge: Edge) {
    this.#edge = edge;
  }

  /** Makes the form of `stored` in the background, unless it is being made or is known not to be worth it. */
  make(coding: Coding, cache: RuleCache, key: CacheKey, stored: StoredResponse): void {
    const name = `${key.hashHi} ${key.hashLo} ${stored.responseWallMs}`;
    if (this.#under.size >= AT_ONCE_MAX || this.#under.has(name) || this.#worthless.has(name)) return;
    this.#under.add(name);
    const { bytes, bodyOffset, bodyBytes } = stored.entry;
    const body = bytes.slice(bodyOffset, bodyOffset + bodyBytes);
    const meta = plain(stored);
    const fields = codedFields(stored.fields(), coding);
    const { reason } = stored;
    const startSequence = this.#edge.store.purgeSequence;
    COMPRESS[coding](body, (error, coded) => {
      this.#under.delete(name);
      if (error !== null || coded.length > bodyBytes * WORTH_SHARE) return this.#giveUp(name);
      const head = layOutHead({ status: meta.status, reason }, fields, coded.length, cache.policy);
      const piece = { bytes: coded, start: 0, end: coded.length };
      if (head !== undefined) this.#edge.put({ key, cache, meta, head, body: [piece], startSequence });
    });
  }

  #giveUp(name: string): void {
    if (this.#worthless.size >= WORTHLESS_MAX) this.#worthless.clear();
    this.#worthless.add(name);
  }
}

/** What the policy knows, apart from the record. A form has no variants of its own. */
function plain(stored: StoredResponse): StoredMeta {
  const { status, requestWallMs, responseWallMs, initialAgeMs, lifetimeMs, flags, dateMs } = stored;
  const { staleWhileRevalidateMs, staleIfErrorMs } = stored;
  const times = { requestWallMs, responseWallMs, initialAgeMs, lifetimeMs, dateMs };
  const stale = { staleWhileRevalidateMs, staleIfErrorMs };
  const texts = { varyNames: "", varyValues: "", contentLanguage: "", etag: "", lastModified: "" };
  return { status, flags, ...times, ...stale, ...texts };
}

/** The fields of a form: its coding said, and its tag a weak one, since the bytes are others. */
function codedFields(fields: readonly FieldLine[], coding: Coding): FieldLine[] {
  const kept = fields.filter(([name]) => !/^(accept-ranges|content-digest|repr-digest)$/i.test(name));
  const tagged = kept.map(([name, value]): FieldLine => {
    const isStrong = name.toLowerCase() === "etag" && !value.startsWith("W/");
    return isStrong ? [name, `W/${value}`] : [name, value];
  });
  return [...tagged, ["Content-Encoding", coding]];
}
