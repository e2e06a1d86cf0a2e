/** The head of a response that is sent in slices: the fields of one of them, with the framing of the whole. */
import type { FieldLine, StoredMeta } from "../../../edge/index.ts";
import { copy } from "../../../http/index.ts";
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
}

/** What differs between the heads that one slice can make. */
interface Kind {
  readonly status: keyof typeof REASONS;
  readonly length?: number;
  /** Content-Range. */
  readonly range?: string;
}

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
  { status, length, range }: Kind,
): void {
  const plain = fields.filter(([name]) => name.toLowerCase() !== "content-range");
  const lines: FieldLine[] = range === undefined ? plain : [...plain, ["Content-Range", range]];
  const head = headBytes(status, REASONS[status], lines);
  const words = `Cache-Status: ${serving.name}; ${note}\r\n`;
  const out = new Uint8Array(head.length + words.length + 2 * OWN_BYTES_MAX);
  let at = putText(words, out, copy(head, 0, head.length, out, 0));
  if (ageS !== undefined) at = putAge(ageS, out, at);
  if (length !== undefined) at = putFraming(length, out, at);
  exchange.sendDown(out, 0, putEnd(serving, request, out, at));
}
