/**
 * The field section of a head (RFC 9112 §5) as indexes into the bytes it came in.
 *
 * One pass over the bytes finds and checks every name and value; nothing is copied, no string is made, no object
 * per field. Line endings must be CRLF, names must be tokens with the colon right after them, values may hold no
 * control character, and a folded line is refused: each of these has been a way to make two parsers disagree.
 */
import { asBytes, COLON, CR, equalsFolded, FOLD, HTAB, isBlank, LF, SP, text, VALUE } from "../bytes.ts";
import { FIELD, FIELD_CODES, fieldCode } from "../field-names.ts";
import type { FieldMistake } from "./syntax-errors.ts";

/** Why a field section is refused. */
export type FieldsError = FieldMistake | "too-many-fields";

/** For `#refuseName`: the fault is inside or after a name, not at the begin of a line. */
const IN_NAME = -1;

/** The fields of one head. Reusable; all offsets are those of the buffer given to `parse`. */
export class Fields {
  /** Number of fields; they are numbered 0..count-1 in the order of arrival. */
  count = 0;
  /** Offset of the empty line that ends the section. */
  end = 0;
  /** Set when `parse` refused. */
  error: FieldsError | undefined = undefined;
  /** Begin of each field line; `nameStart[count]` is `end`, so that field i is the line `nameStart[i]..nameStart[i+1]`. */
  readonly nameStart: Int32Array;
  readonly nameEnd: Int32Array;
  /** Values are without the whitespace around them. */
  readonly valueStart: Int32Array;
  readonly valueEnd: Int32Array;
  /** `FIELD` code of each field. */
  readonly code: Uint8Array;
  /** 1 where Connection named the field; valid only when `connection.ts` found such names. */
  readonly nominated: Uint8Array;
  readonly #first = new Int16Array(FIELD_CODES);
  readonly #last = new Int16Array(FIELD_CODES);

  /** Room for `fieldsMax` fields; a section with more is refused as `too-many-fields`. */
  constructor(fieldsMax: number) {
    this.nameStart = new Int32Array(fieldsMax + 1);
    this.nameEnd = new Int32Array(fieldsMax);
    this.valueStart = new Int32Array(fieldsMax);
    this.valueEnd = new Int32Array(fieldsMax);
    this.code = new Uint8Array(fieldsMax);
    this.nominated = new Uint8Array(fieldsMax);
  }

  /**
   * Reads field lines from `at` through the empty line. Returns the offset after it, 0 when it is not there yet,
   * -1 when refused (see `error`). The loop is long because it is the hottest of the gateway: bench/http1-codec.ts.
   */
  parse(bytes: Uint8Array, from: number, end: number): number {
    const { nameStart, nameEnd, valueStart, valueEnd } = this;
    const fieldsMax = nameEnd.length;
    this.#first.fill(-1);
    let count = 0;
    let at = from;
    while (at < end) {
      const start = at;
      while (at < end && FOLD[bytes[at] as number] !== 0) at++;
      if (at === end) return 0;
      if (bytes[at] === CR && at === start) return this.#finish(bytes, at, end, count);
      if (bytes[at] !== COLON || at === start)
        return this.#refuseName(bytes, at, end, at > start ? IN_NAME : count);
      if (count === fieldsMax) return this.#refuse("too-many-fields");
      nameStart[count] = start;
      nameEnd[count] = at;
      this.#register(fieldCode(bytes, start, at), count);

      at++;
      while (at < end && isBlank(bytes[at])) at++;
      const value = at;
      while (at < end && VALUE[bytes[at] as number] === 1) at++;
      if (at === end) return 0;
      if (bytes[at] !== CR || at + 1 === end || bytes[at + 1] !== LF)
        return this.#refuseValue(bytes, at, end);
      valueStart[count] = value;
      valueEnd[count] = withoutBlanks(bytes, value, at);
      count++;
      at += 2;
    }
    return 0;
  }

  /** Number of the first field with this code, or -1. */
  first(code: number): number {
    return this.#first[code] as number;
  }

  /** Whether a field with this code is there. */
  has(code: number): boolean {
    return (this.#first[code] as number) >= 0;
  }

  /** Number of the last field with this code; only valid when `has(code)`. */
  last(code: number): number {
    return this.#last[code] as number;
  }

  /** Whether there are two or more fields with this code. */
  repeated(code: number): boolean {
    return (this.#first[code] as number) >= 0 && this.#first[code] !== this.#last[code];
  }

  /** Number of the first field with this name (small letters), or -1. O(fields). */
  find(bytes: Uint8Array, name: Uint8Array): number {
    for (let i = 0; i < this.count; i++) {
      if (this.code[i] === FIELD.lookalike) continue;
      if (equalsFolded(bytes, this.nameStart[i] as number, this.nameEnd[i] as number, name)) return i;
    }
    return -1;
  }

  /** Value of the first field with this name (small letters) as Latin-1, or undefined. Allocates; O(fields). */
  value(bytes: Uint8Array, name: string): string | undefined {
    const i = this.find(bytes, asBytes(name));
    return i < 0 ? undefined : text(bytes, this.valueStart[i] as number, this.valueEnd[i] as number);
  }

  #register(code: number, index: number): void {
    this.code[index] = code;
    if (code === FIELD.other) return;
    if ((this.#first[code] as number) < 0) this.#first[code] = index;
    this.#last[code] = index;
  }

  #finish(bytes: Uint8Array, at: number, end: number, count: number): number {
    if (at + 1 === end) return 0;
    if (bytes[at + 1] !== LF) return this.#refuse("bare-cr");
    this.count = count;
    this.end = at;
    this.nameStart[count] = at;
    return at + 2;
  }

  #refuse(error: FieldsError): -1 {
    this.error = error;
    return -1;
  }

  /** The byte at `at` cannot stand there: inside or after a name, or at the begin of line number `line`. */
  #refuseName(bytes: Uint8Array, at: number, end: number, line: number): 0 | -1 {
    const byte = bytes[at];
    if (byte === LF) return this.#refuse("bare-lf");
    if (byte === COLON) return this.#refuse("field-name-empty");
    if (byte === CR) return this.#refuseCarriageReturn(bytes, at, end);
    if (byte !== SP && byte !== HTAB) return this.#refuse("field-name-invalid");
    if (line === IN_NAME) return this.#refuse("field-name-whitespace");
    return this.#refuse(line > 0 ? "obs-fold" : "leading-whitespace");
  }

  #refuseCarriageReturn(bytes: Uint8Array, at: number, end: number): 0 | -1 {
    if (at + 1 === end) return 0;
    return this.#refuse(bytes[at + 1] === LF ? "colon-missing" : "bare-cr");
  }

  #refuseValue(bytes: Uint8Array, at: number, end: number): 0 | -1 {
    const byte = bytes[at];
    if (byte === LF) return this.#refuse("bare-lf");
    if (byte !== CR) return this.#refuse("field-value-control");
    return at + 1 === end ? 0 : this.#refuse("bare-cr");
  }
}

/** End of the value without the blanks behind it. */
function withoutBlanks(bytes: Uint8Array, start: number, end: number): number {
  let at = end;
  while (at > start && isBlank(bytes[at - 1])) at--;
  return at;
}
