/**
 * What the policy asks of a request and a response: views that read strings only when a question needs them.
 *
 * Names are in small letters. A field that comes on several lines is one value, joined with ", ".
 */
import type { MethodCode } from "../../http/index.ts";

/** A request as the cache sees it. On a plain hit only `method` and the flags are read. */
export interface CacheRequest {
  readonly method: MethodCode;
  /** Whether there is a Cache-Control or a Pragma. */
  readonly hasCacheControl: boolean;
  /** Whether there is any If- field. */
  readonly hasConditional: boolean;
  readonly hasRange: boolean;
  readonly hasAuthorization: boolean;
  /** Path and query as sent; read only when a response is about to be stored. */
  readonly target: string;
  /** The value of a field, or undefined. */
  field(name: string): string | undefined;
}

/** A final response of the upstream as the cache sees it. */
export interface CacheResponse {
  readonly status: number;
  /** Length of the body when it is known beforehand. */
  readonly bodyBytes: number | undefined;
  /** The value of a field, or undefined. */
  field(name: string): string | undefined;
}

/** A request, the answer of the upstream, and when each passed here. */
export interface Exchange {
  readonly request: CacheRequest;
  readonly response: CacheResponse;
  /** When the request was sent upstream, in wall milliseconds. */
  readonly requestWallMs: number;
  /** When the head of the response had arrived, in wall milliseconds. */
  readonly responseWallMs: number;
}

/** One field as it is stored: the name in any case, and its value. */
export type FieldLine = readonly [name: string, value: string];

/** The value of all lines with this name, joined; undefined when there is none. O(lines). */
export function valueIn(lines: readonly FieldLine[], name: string): string | undefined {
  const values = lines.filter(([other]) => other.toLowerCase() === name).map(([, value]) => value);
  return values.length === 0 ? undefined : values.join(", ");
}
