/** The fixed parts of a DNS message (RFC 1035 §4.1.1, §4.1.2): header and question, read in place. */

/** Bytes of a header. */
export const HEADER_BYTES = 12;

/** Response codes (RFC 1035 §4.1.1). */
export const RCODE = { noError: 0, formErr: 1, nxDomain: 3, notImp: 4, refused: 5 } as const;

const LABEL_BYTES_MAX = 63;
const NAME_BYTES_MAX = 255;

/** What a header says. */
export interface DnsHeader {
  readonly id: number;
  readonly isResponse: boolean;
  /** 0 is a query. */
  readonly opcode: number;
  readonly wantsRecursion: boolean;
  readonly questions: number;
  readonly answers: number;
  readonly authorities: number;
  readonly additionals: number;
}

/** What is asked. */
export interface DnsQuestion {
  /** Small letters, no dot at the end; what is no plain letter of a name is escaped, so that no two names are one. */
  readonly name: string;
  readonly type: number;
  /** 1 is the internet. */
  readonly class: number;
  /** Where the question ends in the message. */
  readonly end: number;
}

/** Reads the header; undefined when there is none. */
export function headerOf(bytes: Uint8Array): DnsHeader | undefined {
  if (bytes.length < HEADER_BYTES) return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const flags = view.getUint16(2);
  return {
    id: view.getUint16(0),
    isResponse: (flags & 0x8000) !== 0,
    opcode: (flags >> 11) & 0xf,
    wantsRecursion: (flags & 0x100) !== 0,
    questions: view.getUint16(4),
    answers: view.getUint16(6),
    authorities: view.getUint16(8),
    additionals: view.getUint16(10),
  };
}

/** Reads the first question; undefined when it is cut short, or its name has a pointer (there is nothing to point at). */
export function questionOf(bytes: Uint8Array): DnsQuestion | undefined {
  const labels: string[] = [];
  let at = HEADER_BYTES;
  for (let length = bytes[at++] ?? -1; length !== 0; length = bytes[at++] ?? -1) {
    if (length < 0 || length > LABEL_BYTES_MAX || at + length > bytes.length) return undefined;
    labels.push(labelOf(bytes.subarray(at, at + length)));
    at += length;
    if (at - HEADER_BYTES > NAME_BYTES_MAX) return undefined;
  }
  if (at + 4 > bytes.length) return undefined;
  const word = (offset: number): number => ((bytes[at + offset] ?? 0) << 8) | (bytes[at + offset + 1] ?? 0);
  return { name: labels.join("."), type: word(0), class: word(2), end: at + 4 };
}

function labelOf(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => {
    const letter = String.fromCharCode(byte).toLowerCase();
    return /[a-z0-9_-]/.test(letter) ? letter : `\\${byte}`;
  }).join("");
}

/** A message with a header alone, such as a refusal that repeats nothing. */
export function bareReply({ id, opcode, wantsRecursion }: DnsHeader, rcode: number): Uint8Array {
  const reply = new Uint8Array(HEADER_BYTES);
  const view = new DataView(reply.buffer);
  view.setUint16(0, id);
  view.setUint16(2, 0x8000 | (opcode << 11) | (wantsRecursion ? 0x100 : 0) | rcode);
  return reply;
}

/** "Ask again by TCP": header and question, nothing that a forged sender would gain by. Undefined for what is no query. */
export function truncatedReply(bytes: Uint8Array): Uint8Array | undefined {
  const header = headerOf(bytes);
  const question = header?.isResponse === false && header.opcode === 0 ? questionOf(bytes) : undefined;
  if (header === undefined || question === undefined || header.questions !== 1) return undefined;
  const reply = new Uint8Array(question.end);
  reply.set(bytes.subarray(0, question.end));
  const view = new DataView(reply.buffer);
  view.setUint16(2, 0x8000 | 0x200 | (header.wantsRecursion ? 0x100 : 0));
  for (const at of [6, 8, 10]) view.setUint16(at, 0);
  return reply;
}
