/** The lines that end the head of every response from the cache: this exchange's own. */
import { asBytes, copy, put, putDecimal } from "../../../http/index.ts";
import type { Request } from "../request.ts";
import type { Serving } from "../serving.ts";

const CRLF = asBytes("\r\n");
const AGE = asBytes("Age: ");
const LENGTH = asBytes("Content-Length: ");
const CHUNKED = asBytes("Transfer-Encoding: chunked\r\n");
const REQUEST_ID = asBytes("X-Request-Id: ");
const CLOSE = asBytes("Connection: close\r\n");
const KEEP_ALIVE = asBytes("Connection: keep-alive\r\n");

/** Room that these lines may take, but for Cache-Status. */
export const OWN_BYTES_MAX = 384;

/** `Age: N`; the offset after it. */
export function putAge(seconds: number, out: Uint8Array, at: number): number {
  return put(CRLF, out, putDecimal(seconds, out, put(AGE, out, at)));
}

/** In place of a length: the body comes in chunks. */
export const CHUNKS = -1;
/** In place of a length: the body ends with the connection. */
export const UNTIL_CLOSE = -2;

/** How the body is framed: its length, or one of the two above. */
export function putFraming(length: number, out: Uint8Array, at: number): number {
  if (length === CHUNKS) return put(CHUNKED, out, at);
  return length === UNTIL_CLOSE ? at : put(CRLF, out, putDecimal(length, out, put(LENGTH, out, at)));
}

/** A text of ASCII; the offset after it. */
export function putText(words: string, out: Uint8Array, at: number): number {
  return copy(asBytes(words), 0, words.length, out, at);
}

/** X-Edge, request id, Connection and the empty line. */
export function putEnd(serving: Serving, request: Request, out: Uint8Array, at: number): number {
  let into = put(REQUEST_ID, out, put(serving.site.edgeLine, out, at));
  into = put(CRLF, out, put(serving.requestIds.write(request.number), out, into));
  if (request.close) into = put(CLOSE, out, into);
  else if (request.isHttp10) into = put(KEEP_ALIVE, out, into);
  return put(CRLF, out, into);
}

/** What the head of a response that goes by says beside Cache-Status: of its forms, and how long browsers may keep it. */
export function recordedLines(
  { keeps, isCompressible }: { readonly keeps: boolean; readonly isCompressible: boolean },
  browserCacheControl: string | undefined,
): string {
  const vary = isCompressible ? "Vary: Accept-Encoding\r\n" : "";
  return keeps && browserCacheControl !== undefined
    ? `${vary}Cache-Control: ${browserCacheControl}\r\n`
    : vary;
}
