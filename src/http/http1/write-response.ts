/**
 * Responses that the gateway makes itself: errors, redirects, fixed answers, health.
 */
import { asBytes, put, putDecimal } from "../bytes.ts";

/** Reason phrases (RFC 9110 §15 and the registry). Others are sent without one. */
const REASONS: Readonly<Record<number, string>> = {
  100: "Continue",
  101: "Switching Protocols",
  200: "OK",
  201: "Created",
  202: "Accepted",
  204: "No Content",
  301: "Moved Permanently",
  302: "Found",
  303: "See Other",
  304: "Not Modified",
  307: "Temporary Redirect",
  308: "Permanent Redirect",
  400: "Bad Request",
  401: "Unauthorized",
  403: "Forbidden",
  404: "Not Found",
  405: "Method Not Allowed",
  408: "Request Timeout",
  410: "Gone",
  411: "Length Required",
  413: "Content Too Large",
  414: "URI Too Long",
  417: "Expectation Failed",
  421: "Misdirected Request",
  426: "Upgrade Required",
  429: "Too Many Requests",
  431: "Request Header Fields Too Large",
  451: "Unavailable For Legal Reasons",
  499: "Client Closed Request",
  500: "Internal Server Error",
  501: "Not Implemented",
  502: "Bad Gateway",
  503: "Service Unavailable",
  504: "Gateway Timeout",
  505: "HTTP Version Not Supported",
  508: "Loop Detected",
};

/** The reason phrase of a status, empty when it has none. */
export function reasonPhrase(status: number): string {
  return REASONS[status] ?? "";
}

/** Name and value pairs. Values must hold no CR, LF or NUL; `writeResponse` throws on one that does. */
export type ResponseFields = readonly (readonly [name: string, value: string])[];

const CONTENT_LENGTH = asBytes("Content-Length: ");
const END_OF_HEAD = asBytes("\r\n\r\n");
/** "Content-Length: ", sixteen digits, two line ends. */
const TAIL_BYTES_MAX = 40;

/**
 * Writes a whole response with its Content-Length to `out[at..]`. Returns the offset after it, or -1 when it does not
 * fit. For HEAD, send all but the body: `body.length` bytes less.
 *
 * @throws Error when a field could end its own line: that would be a fault of ours (response splitting).
 */
export function writeResponse(
  out: Buffer,
  at: number,
  status: number,
  fields: ResponseFields,
  body: Uint8Array,
): number {
  const start = head(status, fields);
  if (at + start.length + body.length + TAIL_BYTES_MAX > out.length) return -1;
  let into = at + out.write(start, at, "latin1");
  if (status >= 200 && status !== 204 && status !== 304)
    into = putDecimal(body.length, out, put(CONTENT_LENGTH, out, into));
  else into -= 2;
  return put(body, out, put(END_OF_HEAD, out, into));
}

/** Status line and fields, each with its CRLF. */
function head(status: number, fields: ResponseFields): string {
  let text = `HTTP/1.1 ${status} ${reasonPhrase(status)}\r\n`;
  for (const [name, value] of fields) {
    if (/[\r\n\0]/.test(name + value))
      throw new Error(`response field ${JSON.stringify(name)} holds a line end`);
    text += `${name}: ${value}\r\n`;
  }
  return text;
}
