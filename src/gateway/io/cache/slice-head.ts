/** The head of a response that is sent in slices: the fields of one of them, with the framing of the whole. */
import type { FieldLine, StoredMeta, StoredResponse } from "../../../edge/index.ts";
import { copy } from "../../../http/index.ts";
import type { Piece } from "./edge.ts";
import { headBytes } from "./messages.ts";
import { OWN_BYTES_MAX, putAge, putEnd, putFraming, putText } from "./own-lines.ts";
import type { Sender } from "./stored-answer.ts";

/** The head of a response, from wherever it was taken. */
export interface SliceHead {
  readonly meta: StoredMeta;
  readonly fields: readonly FieldLine[];
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

/** Sends the head. */
export function sendHead(
  { exchange, serving, request }: Omit<Sender, "sending">,
  { fields, note, ageS }: SliceHead,
  { status, length, range, body }: Kind,
): void {
  const plain = fields.filter(([name]) => name.toLowerCase() !== "content-range");
  const lines: FieldLine[] = range === undefined ? plain : [...plain, ["Content-Range", range]];
  const head = headBytes(status, REASONS[status], lines);
  const words = `Cache-Status: ${serving.name}; ${note}\r\n`;
  const bodyBytes = body === undefined ? 0 : body.end - body.start;
  const out = Buffer.allocUnsafe(head.length + words.length + 2 * OWN_BYTES_MAX + bodyBytes);
  let at = putText(words, out, copy(head, 0, head.length, out, 0));
  if (ageS !== undefined) at = putAge(ageS, out, at);
  if (length !== undefined) at = putFraming(length, out, at);
  at = putEnd(serving, request, out, at);
  if (body !== undefined) at = copy(body.bytes, body.start, body.end, out, at);
  exchange.sendDown(out, 0, at);
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
