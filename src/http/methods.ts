/**
 * The methods that the gateway knows by number (RFC 9110 §9, RFC 5789). Any other token is `METHOD.other` and is
 * forwarded as it is.
 */
import { asBytes, equals } from "./bytes.ts";

export const METHOD = {
  other: 0,
  get: 1,
  head: 2,
  post: 3,
  put: 4,
  delete: 5,
  patch: 6,
  options: 7,
  connect: 8,
  trace: 9,
} as const;

/** Number of a method. */
export type MethodCode = (typeof METHOD)[keyof typeof METHOD];

const NAMES: readonly Uint8Array[] = Object.keys(METHOD).map((key) => asBytes(key.toUpperCase()));

const NONE = new Uint8Array(0);

/** The only method whose name begins with this byte, or the first of several; 0 for none. */
const BY_FIRST_BYTE: Uint8Array = new Uint8Array(256);
for (let code = NAMES.length - 1; code > METHOD.other; code--) BY_FIRST_BYTE[NAMES[code]?.[0] ?? 0] = code;

/** Idempotent by definition (RFC 9110 §9.2.2): sending it twice means the same as once. */
const IDEMPOTENT: readonly number[] = [
  METHOD.get,
  METHOD.head,
  METHOD.put,
  METHOD.delete,
  METHOD.options,
  METHOD.trace,
];

/** Whether a request with this method may be sent again when its outcome is unknown. */
export function isIdempotent(method: MethodCode): boolean {
  return IDEMPOTENT.includes(method);
}

/** The number of the method in `bytes[start..end)`. */
export function methodCode(bytes: Uint8Array, start: number, end: number): MethodCode {
  let code = BY_FIRST_BYTE[bytes[start] as number] as number;
  if (code === METHOD.other) return METHOD.other;
  for (; code < NAMES.length; code++) {
    if (equals(bytes, start, end, NAMES[code] ?? NONE)) return code as MethodCode;
  }
  return METHOD.other;
}
