/**
 * A reader of HTTP/1.1 messages that takes exactly one form of each: what no two parsers could read differently.
 *
 * It shares no code with the gateway, so that one cannot hide the other's mistakes. It is slow and small: whole
 * strings, one character per byte. Everything outside the canonical form is "ambiguous" and named.
 */

/** A complete message; field names in lower case, transfer coding removed from the body. */
export interface Message {
  readonly kind: "message";
  readonly startLine: string;
  readonly fields: readonly (readonly [name: string, value: string])[];
  readonly body: string;
  /** Offset of the first byte behind it. */
  readonly end: number;
}

/** One message, more bytes needed (with the head when that is complete), or a form that has several readings. */
export type Reading =
  | Message
  | { readonly kind: "more"; readonly head?: Head }
  | { readonly kind: "ambiguous"; readonly what: string };

/** Start line and fields of a message. */
export type Head = Pick<Message, "startLine" | "fields">;

type Part = { readonly kind: "part"; readonly body: string; readonly end: number };
type Unread = Exclude<Reading, Message>;

const FIELD_LINE = /^([!#$%&'*+\-.^_`|~0-9A-Za-z]+):[ \t]*(.*?)[ \t]*$/s;
const REQUEST_LINE = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+ [\x21-\x7e]+ HTTP\/1\.[01]$/;
const STATUS_LINE = /^HTTP\/1\.[01] [1-5][0-9][0-9] [^\r\n\0]*$/;
const CHUNK_LINE = /^([0-9a-fA-F]{1,13})([ \t]*;[\t\x20-\x7e\x80-\xff]*)?$/;
const DECIMAL = /^(0|[1-9][0-9]{0,14})$/;
const CODINGS = /^([a-z-]+[ \t]*,[ \t]*)*chunked$/i;

/** Reads the request that starts at `start`. */
export function readRequest(text: string, start: number): Reading {
  const head = readHead(text, start, REQUEST_LINE);
  if (head.kind !== "head") return head;
  const fault = requestFault(head);
  if (fault !== undefined) return ambiguous(fault);
  return withBody(head, readBody(text, head, "none"));
}

/** Reads the response that starts at `start`. `bodiless` when it answers HEAD; `ended` when the sender has closed. */
export function readResponse(text: string, start: number, bodiless: boolean, ended: boolean): Reading {
  const head = readHead(text, start, STATUS_LINE);
  if (head.kind !== "head") return head;
  const status = statusOf(head);
  if (bodiless || status < 200 || status === 204 || status === 304) {
    return withBody(head, { kind: "part", body: "", end: head.bodyStart });
  }
  const body = readBody(text, head, "until-close");
  return withBody(head, body.kind === "more" && ended && !isFramed(head) ? restOf(text, head) : body);
}

/** Status code of a response. */
export function statusOf({ startLine }: Head): number {
  return Number(startLine.slice(9, 12));
}

/** All values of the field. */
export function valuesOf({ fields }: Head, name: string): string[] {
  return fields.filter(([known]) => known === name).map(([, value]) => value);
}

interface ReadHead extends Head {
  readonly kind: "head";
  readonly bodyStart: number;
}

function readHead(text: string, start: number, startLine: RegExp): ReadHead | Unread {
  const end = text.indexOf("\r\n\r\n", start);
  const block = text.slice(start, end === -1 ? undefined : end);
  if (/(?<!\r)\n/.test(block)) return ambiguous("a bare LF in the head");
  if (end === -1) return { kind: "more" };
  const [first = "", ...lines] = block.split("\r\n");
  if (!startLine.test(first)) return ambiguous(`the start line ${JSON.stringify(first.slice(0, 80))}`);
  const fields = readFields(lines);
  if (typeof fields === "string") return ambiguous(fields);
  return { kind: "head", startLine: first, fields, bodyStart: end + 4 };
}

/** Fields of the lines, or what is wrong with one of them. */
function readFields(lines: readonly string[]): (readonly [string, string])[] | string {
  const fields: (readonly [string, string])[] = [];
  for (const line of lines) {
    const [, name, value] = FIELD_LINE.exec(line) ?? [];
    const shown = JSON.stringify(line.slice(0, 80));
    if (name === undefined || value === undefined) return `the field line ${shown}`;
    if (/[\0\r\n]/.test(value)) return `a NUL or line end in the field line ${shown}`;
    fields.push([name.toLowerCase(), value]);
  }
  return fields;
}

function requestFault(head: Head): string | undefined {
  const hosts = valuesOf(head, "host").length;
  const old = head.startLine.endsWith("1.0");
  if (hosts > 1 || (hosts === 0 && !old)) return `${hosts} Host fields`;
  if (old && valuesOf(head, "transfer-encoding").length > 0) return "a transfer coding in HTTP/1.0";
  return undefined;
}

function isFramed(head: Head): boolean {
  return valuesOf(head, "content-length").length + valuesOf(head, "transfer-encoding").length > 0;
}

function readBody(text: string, head: ReadHead, unframed: "none" | "until-close"): Part | Unread {
  const lengths = valuesOf(head, "content-length");
  const codings = valuesOf(head, "transfer-encoding");
  if (lengths.length + codings.length > 1) return ambiguous("several fields that frame the body");
  const [length] = lengths;
  const [coding] = codings;
  if (length !== undefined) return readCounted(text, head.bodyStart, length);
  if (coding !== undefined)
    return CODINGS.test(coding) ? readChunks(text, head.bodyStart) : ambiguous(`the coding ${coding}`);
  return unframed === "none" ? { kind: "part", body: "", end: head.bodyStart } : { kind: "more" };
}

function readCounted(text: string, start: number, length: string): Part | Unread {
  if (!DECIMAL.test(length)) return ambiguous(`the length ${JSON.stringify(length)}`);
  const end = start + Number(length);
  return end <= text.length ? { kind: "part", body: text.slice(start, end), end } : { kind: "more" };
}

function readChunks(text: string, start: number): Part | Unread {
  let body = "";
  let at = start;
  for (;;) {
    const lineEnd = text.indexOf("\r\n", at);
    if (lineEnd === -1) return { kind: "more" };
    const line = text.slice(at, lineEnd);
    const [, digits] = CHUNK_LINE.exec(line) ?? [];
    if (digits === undefined) return ambiguous(`the chunk line ${JSON.stringify(line.slice(0, 80))}`);
    const size = Number.parseInt(digits, 16);
    const dataStart = lineEnd + 2;
    if (size === 0) return readTrailers(text, dataStart, body);
    at = dataStart + size + 2;
    if (at > text.length) return { kind: "more" };
    if (text.slice(at - 2, at) !== "\r\n") return ambiguous("no line end behind a chunk");
    body += text.slice(dataStart, at - 2);
  }
}

function readTrailers(text: string, start: number, body: string): Part | Unread {
  if (text.startsWith("\r\n", start)) return { kind: "part", body, end: start + 2 };
  const end = text.indexOf("\r\n\r\n", start);
  if (end === -1) return { kind: "more" };
  const fields = readFields(text.slice(start, end).split("\r\n"));
  return typeof fields === "string"
    ? ambiguous(`in the trailer: ${fields}`)
    : { kind: "part", body, end: end + 4 };
}

function restOf(text: string, head: ReadHead): Part {
  return { kind: "part", body: text.slice(head.bodyStart), end: text.length };
}

function withBody({ startLine, fields }: ReadHead, body: Part | Unread): Reading {
  if (body.kind === "part") return { kind: "message", startLine, fields, body: body.body, end: body.end };
  return body.kind === "more" ? { kind: "more", head: { startLine, fields } } : body;
}

function ambiguous(what: string): Unread {
  return { kind: "ambiguous", what };
}
