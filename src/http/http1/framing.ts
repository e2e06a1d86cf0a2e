/**
 * Where a body ends (RFC 9112 §6): the one question that request smuggling lives on.
 *
 * Only three answers are taken: no body, one plain Content-Length, or exactly `Transfer-Encoding: chunked`. Every
 * other combination that some parser somewhere reads otherwise is a mistake with a name.
 */
import { asBytes, equalsFolded, NINE, text, ZERO } from "../bytes.ts";
import { FIELD } from "../field-names.ts";
import type { Fields } from "./fields.ts";
import type { FramingMistake } from "./syntax-errors.ts";

/** What ends a body: nothing to end, a count of bytes, its last chunk, or (responses only) the connection. */
export type BodyKind = "none" | "length" | "chunked" | "until-close";

/** Where the framing of a message is written; both heads are one. */
export interface Framing {
  bodyKind: BodyKind;
  /** Bytes of the body when bodyKind is "length", else 0. At most 2^53-1. */
  contentLength: number;
}

const CHUNKED = asBytes("chunked");

/** Fills in `framing` from the fields. Returns why not, or undefined. */
export function readFraming(
  bytes: Uint8Array,
  fields: Fields,
  minorVersion: number,
  framing: Framing,
): FramingMistake | undefined {
  framing.bodyKind = "none";
  framing.contentLength = 0;
  const hasLength = fields.has(FIELD.contentLength);
  const hasEncoding = fields.has(FIELD.transferEncoding);
  if (!hasLength && !hasEncoding) return undefined;
  if (hasLength && hasEncoding) return "content-length-with-transfer-encoding";
  return hasLength ? readLength(bytes, fields, framing) : readEncoding(bytes, fields, minorVersion, framing);
}

function readLength(bytes: Uint8Array, fields: Fields, framing: Framing): FramingMistake | undefined {
  if (fields.repeated(FIELD.contentLength)) return "content-length-duplicate";
  const i = fields.first(FIELD.contentLength);
  const start = fields.valueStart[i] as number;
  const end = fields.valueEnd[i] as number;
  let value = 0;
  for (let at = start; at < end; at++) {
    const byte = bytes[at] as number;
    if (byte < ZERO || byte > NINE) return "content-length-malformed";
    value = value * 10 + (byte - ZERO);
  }
  if (start === end) return "content-length-malformed";
  // Beyond 2^53 the sum is no longer exact, but it never falls below again.
  if (value > Number.MAX_SAFE_INTEGER) return "content-length-too-large";
  framing.bodyKind = value === 0 ? "none" : "length";
  framing.contentLength = value;
  return undefined;
}

function readEncoding(
  bytes: Uint8Array,
  fields: Fields,
  minorVersion: number,
  framing: Framing,
): FramingMistake | undefined {
  if (minorVersion === 0) return "transfer-encoding-http10";
  if (fields.repeated(FIELD.transferEncoding)) return "transfer-encoding-duplicate";
  const i = fields.first(FIELD.transferEncoding);
  const start = fields.valueStart[i] as number;
  const end = fields.valueEnd[i] as number;
  if (!equalsFolded(bytes, start, end, CHUNKED)) return encodingMistake(text(bytes, start, end));
  framing.bodyKind = "chunked";
  return undefined;
}

/** OWS at either end. `String.trim` would take a no-break space too, as servers have done to their harm. */
const BLANKS = /^[ \t]+|[ \t]+$/g;

/** What is wrong with a Transfer-Encoding that is not exactly "chunked". */
function encodingMistake(value: string): FramingMistake {
  if (value === "") return "transfer-encoding-empty";
  const codings = value
    .toLowerCase()
    .split(",")
    .map((coding) => coding.replace(BLANKS, ""));
  const chunkedAt = codings.indexOf("chunked");
  const known = codings.every((coding) => /^[!#$%&'*+\-.^_`|~0-9a-z]+$/.test(coding));
  if (!known || (chunkedAt >= 0 && chunkedAt < codings.length - 1)) return "transfer-encoding-malformed";
  return "transfer-encoding-unknown";
}
