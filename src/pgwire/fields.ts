/** Reading the fields of one whole message: a cursor that never leaves the message, and the fields of an error. */
import { cstringEnd, int16At, int32At, textOf } from "./bytes.ts";

/** A cursor over the fields of one message. */
export class FieldReader {
  readonly bytes: Uint8Array;
  at: number;
  readonly end: number;
  /** True once a field lay beyond the end, or a text had no end: the message is malformed. */
  isBroken = false;

  constructor(bytes: Uint8Array, start: number, end: number) {
    this.bytes = bytes;
    this.at = start;
    this.end = end;
  }

  get left(): number {
    return this.end - this.at;
  }
  byte(): number {
    return this.#advance(1) ? (this.bytes[this.at - 1] ?? 0) : 0;
  }
  int16(): number {
    return this.#advance(2) ? int16At(this.bytes, this.at - 2) : 0;
  }
  int32(): number {
    return this.#advance(4) ? int32At(this.bytes, this.at - 4) : 0;
  }
  cstring(): string {
    const end = cstringEnd(this.bytes, this.at, this.end);
    if (end < 0) return this.text(this.end - this.at + 1);
    const text = textOf(this.bytes, this.at, end);
    this.at = end + 1;
    return text;
  }
  /** The next `length` bytes as text. */
  text(length: number): string {
    return this.#advance(length) ? textOf(this.bytes, this.at - length, this.at) : "";
  }
  /** The next `length` bytes, copied. */
  slice(length: number): Uint8Array {
    return this.#advance(length) ? this.bytes.slice(this.at - length, this.at) : new Uint8Array(0);
  }

  #advance(count: number): boolean {
    if (count < 0 || count > this.end - this.at) {
      this.isBroken = true;
      this.at = this.end;
      return false;
    }
    this.at += count;
    return true;
  }
}

/** An ErrorResponse or NoticeResponse ("Error and Notice Message Fields"). */
export interface ErrorFields {
  readonly severity: string;
  /** SQLSTATE. */
  readonly code: string;
  readonly message: string;
  readonly detail?: string;
  readonly hint?: string;
  /** Name of the function in the server's source that says so: the same in every language. */
  readonly routine?: string;
}

/** The fields of the whole error frame `bytes[start, end)`. */
export function readError(bytes: Uint8Array, start: number, end: number): ErrorFields {
  const reader = new FieldReader(bytes, start + 5, end);
  const fields: Record<string, string> = {};
  for (let kind = reader.byte(); kind !== 0 && !reader.isBroken; kind = reader.byte())
    fields[String.fromCharCode(kind)] = reader.cstring();
  const { V, S, C = "XX000", M = "", D, H, R } = fields;
  return {
    severity: V ?? S ?? "ERROR",
    code: C,
    message: M,
    ...(D === undefined ? {} : { detail: D }),
    ...(H === undefined ? {} : { hint: H }),
    ...(R === undefined ? {} : { routine: R }),
  };
}

/** Only the SQLSTATE of the error frame `bytes[start, end)`. */
export function readErrorCode(bytes: Uint8Array, start: number, end: number): string {
  return readError(bytes, start, end).code;
}
