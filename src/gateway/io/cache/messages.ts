/** Requests and responses as the caching policy reads them: views over parsed heads, no string made before it is asked for. */
import type { CacheRequest, CacheResponse, FieldLine } from "../../../edge/index.ts";
import {
  asBytes,
  equalsFolded,
  FIELD,
  type Fields,
  METHOD,
  type MethodCode,
  type ResponseHead,
  text,
} from "../../../http/index.ts";
import type { RequestView } from "../../route.ts";

const CONDITIONS = [
  FIELD.ifNoneMatch,
  FIELD.ifModifiedSince,
  FIELD.ifMatch,
  FIELD.ifUnmodifiedSince,
] as const;

/** A request, read through the worker's view while that holds it. */
export class ViewedRequest implements CacheRequest {
  readonly #view: RequestView;

  constructor(view: RequestView) {
    this.#view = view;
  }

  get method(): MethodCode {
    return this.#view.head.method;
  }
  get hasCacheControl(): boolean {
    const { fields } = this.#view.head;
    return fields.has(FIELD.cacheControl) || fields.has(FIELD.pragma);
  }
  get hasConditional(): boolean {
    const { fields } = this.#view.head;
    for (const code of CONDITIONS) if (fields.has(code)) return true;
    return false;
  }
  get hasRange(): boolean {
    return this.#view.head.fields.has(FIELD.range);
  }
  get hasAuthorization(): boolean {
    return this.#view.head.fields.has(FIELD.authorization);
  }
  get target(): string {
    const { head, bytes } = this.#view;
    return text(bytes, head.pathStart, head.targetEnd);
  }
  field(name: string): string | undefined {
    return joined(this.#view.head.fields, this.#view.bytes, name);
  }
}

/** The answer of a target, while its head is in the worker's hands. */
export class HeadedResponse implements CacheResponse {
  readonly #head: ResponseHead;
  readonly #bytes: Uint8Array;

  constructor(head: ResponseHead, bytes: Uint8Array) {
    this.#head = head;
    this.#bytes = bytes;
  }

  get status(): number {
    return this.#head.status;
  }
  get bodyBytes(): number | undefined {
    return this.#head.bodyKind === "length" ? this.#head.contentLength : undefined;
  }
  field(name: string): string | undefined {
    return joined(this.#head.fields, this.#bytes, name);
  }
}

/** The values of all lines of one name. A name spelt with "_" for "-" is another name. */
function joined(fields: Fields, bytes: Uint8Array, name: string): string | undefined {
  const wanted = asBytes(name);
  let value: string | undefined;
  for (let i = 0; i < fields.count; i++) {
    if (fields.code[i] === FIELD.lookalike) continue;
    if (!equalsFolded(bytes, fields.nameStart[i] ?? 0, fields.nameEnd[i] ?? 0, wanted)) continue;
    const line = text(bytes, fields.valueStart[i] ?? 0, fields.valueEnd[i] ?? 0);
    value = value === undefined ? line : `${value}, ${line}`;
  }
  return value;
}

/** All fields of a head, in order. */
export function linesOf(
  { count, nameStart, nameEnd, valueStart, valueEnd }: Fields,
  bytes: Uint8Array,
): FieldLine[] {
  return Array.from({ length: count }, (_, i) => [
    text(bytes, nameStart[i] ?? 0, nameEnd[i] ?? 0),
    text(bytes, valueStart[i] ?? 0, valueEnd[i] ?? 0),
  ]);
}

/** Methods that change nothing (RFC 9110 §9.2.1). */
export function isSafe(method: MethodCode): boolean {
  return (
    method === METHOD.get || method === METHOD.head || method === METHOD.options || method === METHOD.trace
  );
}
