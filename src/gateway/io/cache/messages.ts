/** Requests and responses as the caching policy reads them: views over parsed heads, no string made before it is asked for. */
import { memoized } from "../../../base/index.ts";
import type { LimitsConfig } from "../../../config/index.ts";
import type { CacheRequest, CacheResponse, Conditions, FieldLine, KeySource } from "../../../edge/index.ts";
import {
  asBytes,
  equalsFolded,
  FIELD,
  type Fields,
  knownText,
  METHOD,
  type MethodCode,
  type ResponseHead,
  text,
  wireName,
} from "../../../http/index.ts";
import type { RequestView } from "../../route.ts";

const CONDITIONS = [
  FIELD.ifNoneMatch,
  FIELD.ifModifiedSince,
  FIELD.ifMatch,
  FIELD.ifUnmodifiedSince,
] as const;

/**
 * Fields by which some frameworks let a request be for another URL, host or method than it says. Whoever sends one could
 * have his own response kept for everybody (James Kettle, "Practical Web Cache Poisoning"). X-Forwarded-Host and its kin
 * are not among them: the gateway writes those itself.
 */
const OVERRIDES = [
  FIELD.xOriginalUrl,
  FIELD.xRewriteUrl,
  FIELD.xOriginalHost,
  FIELD.xHost,
  FIELD.xForwardedServer,
  FIELD.xForwardedScheme,
  FIELD.xHttpMethodOverride,
  FIELD.xHttpHostOverride,
] as const;

/** A request, read through the worker's view while that holds it. */
export class ViewedRequest implements CacheRequest, KeySource {
  readonly #view: RequestView;

  constructor(view: RequestView) {
    this.#view = view;
  }

  get bytes(): Uint8Array {
    return this.#view.bytes;
  }
  /** TLS comes later. */
  readonly isSecure = false;
  get hostStart(): number {
    return this.#view.head.hostStart;
  }
  get hostEnd(): number {
    return this.#view.head.hostEnd;
  }
  get authorityEnd(): number {
    return this.#view.head.authorityEnd;
  }
  get pathStart(): number {
    return this.#view.head.pathStart;
  }
  get pathEnd(): number {
    return this.#view.head.pathEnd;
  }
  get queryStart(): number {
    return this.#view.head.queryStart;
  }
  get queryEnd(): number {
    return this.#view.head.queryEnd;
  }
  get method(): MethodCode {
    return this.#view.head.method;
  }
  get hasCacheControl(): boolean {
    const { fields } = this.#view.head;
    return fields.has(FIELD.cacheControl) || fields.has(FIELD.pragma);
  }
  get hasConditional(): boolean {
    const { fields } = this.#view.head;
    for (const code of CONDITIONS) if (fields.has(code)) return true;
    return false;
  }
  /** Whether it has a field that may change what the target answers and is not in the key. */
  hasOverride(keyed: readonly string[]): boolean {
    const { fields } = this.#view.head;
    for (const code of OVERRIDES) if (fields.has(code) && !isKeyed(code, keyed)) return true;
    return false;
  }
  get hasRange(): boolean {
    return this.#view.head.fields.has(FIELD.range);
  }
  get hasAuthorization(): boolean {
    return this.#view.head.fields.has(FIELD.authorization);
  }
  get target(): string {
    const { head, bytes } = this.#view;
    return text(bytes, head.pathStart, head.targetEnd);
  }
  field(name: string): string | undefined {
    return joined(this.#view.head.fields, this.#view.bytes, name);
  }
}

/** Why a request for what is not stored goes to a target alone, its answer not kept; undefined when it does not. */
export function aloneReason(
  viewed: ViewedRequest,
  { key }: { readonly key: { readonly headers: readonly string[] } },
): "head" | "range" | "unkeyed-header" | undefined {
  if (viewed.method === METHOD.head) return "head";
  if (viewed.hasRange) return "range";
  return viewed.hasOverride(key.headers) ? "unkeyed-header" : undefined;
}

/**
 * A plain GET that went to a target some time ago: what is usually asked of it is known, the rest is read again from its
 * head.
 */
export class PlainRequest implements CacheRequest {
  readonly #viewed: () => CacheRequest;
  readonly method: MethodCode = METHOD.get;
  readonly hasCacheControl: boolean;
  readonly hasConditional = false;
  readonly hasRange = false;
  readonly hasAuthorization: boolean;

  constructor(request: CacheRequest, viewed: () => CacheRequest) {
    this.#viewed = viewed;
    this.hasCacheControl = request.hasCacheControl;
    this.hasAuthorization = request.hasAuthorization;
  }

  get target(): string {
    return this.#viewed().target;
  }
  field(name: string): string | undefined {
    return this.#viewed().field(name);
  }
}

/** The answer of a target, while its head is in the worker's hands. */
export class HeadedResponse implements CacheResponse {
  readonly #head: ResponseHead;
  readonly #bytes: Uint8Array;

  constructor(head: ResponseHead, bytes: Uint8Array) {
    this.#head = head;
    this.#bytes = bytes;
  }

  get status(): number {
    return this.#head.status;
  }
  get bodyBytes(): number | undefined {
    return this.#head.bodyKind === "length" ? this.#head.contentLength : undefined;
  }
  field(name: string): string | undefined {
    return joined(this.#head.fields, this.#bytes, name);
  }
}

/** Names that heads index -> their codes: whether such a field is there is one load. */
const CODES: ReadonlyMap<string, number> = new Map(
  Object.entries(FIELD)
    .filter(([, code]) => code > FIELD.lookalike)
    .map(([key, code]) => [wireName(key), code]),
);

/** Other names are those that rules and policy ask for: few. */
const nameBytes: (name: string) => Uint8Array = memoized(256, asBytes);

/**
 * The values of all lines of one name, cookies with "; " between as they are in one line (RFC 6265 §5.4). A name spelt
 * with "_" for "-" is another name.
 */
function joined(fields: Fields, bytes: Uint8Array, name: string): string | undefined {
  const code = CODES.get(name) ?? FIELD.other;
  if (code !== FIELD.other) {
    const first = fields.first(code);
    if (first < 0) return undefined;
    if (!fields.repeated(code))
      return knownText(bytes, fields.valueStart[first] ?? 0, fields.valueEnd[first] ?? 0);
  }
  const wanted = code === FIELD.other ? nameBytes(name) : undefined;
  const separator = name === "cookie" ? "; " : ", ";
  let value: string | undefined;
  for (let i = 0; i < fields.count; i++) {
    if (fields.code[i] !== code) continue;
    const start = fields.nameStart[i] ?? 0;
    if (wanted !== undefined && !equalsFolded(bytes, start, fields.nameEnd[i] ?? 0, wanted)) continue;
    const line = text(bytes, fields.valueStart[i] ?? 0, fields.valueEnd[i] ?? 0);
    value = value === undefined ? line : `${value}${separator}${line}`;
  }
  return value;
}

function isKeyed(code: number, keyed: readonly string[]): boolean {
  return keyed.some((name) => CODES.get(name) === code);
}

/** All fields of a head, in order. */
export function linesOf(
  { count, nameStart, nameEnd, valueStart, valueEnd }: Fields,
  bytes: Uint8Array,
): FieldLine[] {
  return Array.from({ length: count }, (_, i) => [
    text(bytes, nameStart[i] ?? 0, nameEnd[i] ?? 0),
    text(bytes, valueStart[i] ?? 0, valueEnd[i] ?? 0),
  ]);
}

/** The lines of a head as it is stored or laid out, without the status line. */
export function linesIn(bytes: Uint8Array, start: number, end: number): FieldLine[] {
  const [, ...lines] = text(bytes, start, end).split("\r\n");
  return lines.filter(Boolean).map((line) => {
    const colon = line.indexOf(":");
    return [line.slice(0, colon), line.slice(colon + 1).trim()];
  });
}

/** Status line and fields, each with its CRLF, without framing. */
export function headBytes(status: number, reason: string, fields: readonly FieldLine[]): Uint8Array {
  const lines = fields
    .filter(([name]) => name.toLowerCase() !== "content-length")
    .map(([name, value]) => `${name}: ${value}\r\n`);
  return asBytes(`HTTP/1.1 ${status} ${reason}\r\n${lines.join("")}`);
}

/** Fields that the cache decides about by itself. */
const OWN_CONDITIONS = /^(if-none-match|if-modified-since|if-match|if-unmodified-since|if-range|range)$/i;

/**
 * The request head `bytes[0, end)` with our conditions in the place of its own, and `more` lines, as a GET; without any
 * where a head with them would be longer than one may be.
 */
export function conditionalHead(
  { bytes, end }: { readonly bytes: Uint8Array; readonly end: number },
  { ifNoneMatch, ifModifiedSince }: Conditions,
  more: readonly string[],
  { headBytesMax, fieldsMax }: Pick<LimitsConfig, "headBytesMax" | "fieldsMax">,
): Uint8Array {
  const [requestLine = "", ...fields] = text(bytes, 0, end - 4).split("\r\n");
  const plain = fields.filter((line) => !OWN_CONDITIONS.test(line.slice(0, line.indexOf(":"))));
  const whole = [...plain, ...more];
  if (ifNoneMatch !== undefined) whole.push(`If-None-Match: ${ifNoneMatch}`);
  if (ifModifiedSince !== undefined) whole.push(`If-Modified-Since: ${ifModifiedSince}`);
  const written = (lines: readonly string[]): Uint8Array =>
    asBytes(`${[requestLine.replace(/^HEAD /, "GET "), ...lines].join("\r\n")}\r\n\r\n`);
  const head = written(whole);
  return head.length > headBytesMax || whole.length > fieldsMax ? written(plain) : head;
}

/** Links that say what to load beside a page. */
const PRELOAD = /;\s*rel\s*=\s*"?[^";]*\b(?:preload|modulepreload|preconnect)\b/i;

/** A 103 with the links of these fields that say what to load; empty when there are none. */
export function earlyHints(fields: readonly FieldLine[]): Uint8Array {
  const links = fields.filter(([name, value]) => name.toLowerCase() === "link" && PRELOAD.test(value));
  if (links.length === 0) return new Uint8Array(0);
  const lines = links.map(([name, value]) => `${name}: ${value}\r\n`);
  return asBytes(`HTTP/1.1 103 Early Hints\r\n${lines.join("")}\r\n`);
}
