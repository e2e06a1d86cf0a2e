/** The head of a response that is sent in slices: the fields of one of them, with the framing of the whole. */
import {
  type FieldLine,
  notModifiedFields,
  type StoredMeta,
  type StoredResponse,
} from "../../../edge/index.ts";
import { copy, put } from "../../../http/index.ts";
import type { Piece } from "./edge.ts";
import { headBytes } from "./messages.ts";
import { OWN_BYTES_MAX, putAge, putEnd, putFraming, putText } from "./own-lines.ts";
import { CONTENT_RANGE } from "./slice-order.ts";
import type { Sender } from "./stored-answer.ts";

/** The head of a response, from wherever it was taken. */
export interface SliceHead {
  readonly meta: StoredMeta;
  /** For clients. */
  readonly fields: () => readonly FieldLine[];
  readonly note: string;
  /** Undefined for one that has just come. */
  readonly ageS: number | undefined;
  /** The stored slice that it was taken from, which is in place. */
  readonly stored?: StoredResponse;
}

/** What differs between the heads that one slice can make. */
interface Kind {
  readonly status: keyof typeof REASONS;
  readonly length?: number;
  /** Content-Range. */
  readonly range?: string;
  /** All of the body, where it goes with the head in one write. */
  readonly body?: Piece | undefined;
}

/** A body up to this size is copied behind its head: one write instead of two, which costs less than the copy. */
const JOINED_BYTES_MAX = 16 * 1024;

const REASONS = {
  200: "OK",
  206: "Partial Content",
  304: "Not Modified",
  416: "Range Not Satisfiable",
} as const;

/** Room for a status line. */
const STATUS_BYTES_MAX = 64;

/** Sends the head. */
export function sendHead(
  { exchange, serving, request }: Omit<Sender, "sending">,
  head: SliceHead,
  { status, length, range, body }: Kind,
): void {
  const { note, ageS, stored } = head;
  // What is stored goes as it is: no text is made of it.
  const made = stored === undefined || status === 304 ? headOf(head, status) : undefined;
  const headRoom = made?.length ?? STATUS_BYTES_MAX + storedBytes(stored);
  const rangeLine = range === undefined ? "" : `Content-Range: ${range}\r\n`;
  const words = `${rangeLine}Cache-Status: ${serving.site.cacheName}; ${note}\r\n`;
  const bodyBytes = body === undefined ? 0 : body.end - body.start;
  const out = Buffer.allocUnsafe(headRoom + words.length + 2 * OWN_BYTES_MAX + bodyBytes);
  let at = made === undefined ? putText(statusLine(status), out, 0) : put(made, out, 0);
  if (made === undefined && stored !== undefined) at = stored.copyClientLines(CONTENT_RANGE, out, at);
  at = putText(words, out, at);
  if (ageS !== undefined) at = putAge(ageS, out, at);
  if (length !== undefined) at = putFraming(length, out, at);
  at = putEnd(serving, request, out, at);
  if (body !== undefined) at = copy(body.bytes, body.start, body.end, out, at);
  exchange.sendDown(out, 0, at);
}

function statusLine(status: Kind["status"]): string {
  return `HTTP/1.1 ${status} ${REASONS[status]}\r\n`;
}

function headOf({ fields }: SliceHead, status: Kind["status"]): Uint8Array {
  const plain = fields().filter(([name]) => name.toLowerCase() !== "content-range");
  return headBytes(status, REASONS[status], status === 304 ? notModifiedFields(plain) : plain);
}

/** Bytes of the lines for clients. */
function storedBytes(stored: StoredResponse | undefined): number {
  return stored === undefined ? 0 : stored.entry.bodyOffset - stored.clientHeadOffset;
}

/** The bytes `[first, end)` of a body out of a stored slice that begins at `base`, where they are few and all in it. */
export function fewBytes(
  stored: StoredResponse | undefined,
  base: number,
  first: number,
  end: number,
): Piece | undefined {
  if (stored === undefined || first < base || end - first > JOINED_BYTES_MAX) return undefined;
  const { bytes, bodyOffset, bodyBytes } = stored.entry;
  if (end - base > bodyBytes) return undefined;
  return { bytes, start: bodyOffset + first - base, end: bodyOffset + end - base };
}
