/**
 * Content-Length and Transfer-Encoding as they are forwarded: in one spelling.
 *
 * Whatever whitespace, zeros or capitals the sender chose, the next hop sees `Content-Length: 5` or
 * `Transfer-Encoding: chunked`. So no parser behind us can read them otherwise than we did.
 */
import { asBytes, CR, copy, equals, put, SP, ZERO } from "../bytes.ts";
import { FIELD } from "../field-names.ts";
import type { Fields } from "./fields.ts";

const LENGTH_NAME = asBytes("Content-Length: ");
const CRLF = asBytes("\r\n");
const CHUNKED = asBytes("chunked");
const CHUNKED_LINE = asBytes("Transfer-Encoding: chunked\r\n");

/** Bytes that a rewritten line can be longer than the one received. */
export const FRAMING_LINE_BYTES_MAX = 32;

/** Whether field i, one of the two, is spelt as we would spell it and may be copied as it is. */
export function isCanonical(bytes: Uint8Array, fields: Fields, i: number): boolean {
  const start = fields.valueStart[i] as number;
  const end = fields.valueEnd[i] as number;
  const name = fields.nameEnd[i] as number;
  if (start !== name + 2 || bytes[name + 1] !== SP || bytes[end] !== CR) return false;
  if (fields.code[i] === FIELD.transferEncoding) return equals(bytes, start, end, CHUNKED);
  return bytes[start] !== ZERO || end - start === 1;
}

/** Writes field i, one of the two, in our spelling; the offset after it. */
export function putFramingLine(
  bytes: Uint8Array,
  fields: Fields,
  i: number,
  out: Uint8Array,
  at: number,
): number {
  if (fields.code[i] === FIELD.transferEncoding) return put(CHUNKED_LINE, out, at);
  const end = fields.valueEnd[i] as number;
  let start = fields.valueStart[i] as number;
  while (start < end - 1 && bytes[start] === ZERO) start++;
  return put(CRLF, out, copy(bytes, start, end, out, put(LENGTH_NAME, out, at)));
}
