/** Builders for the tests of this part: requests, exchanges and stored responses, in time that starts at `T0`. */
import { METHOD, type MethodCode } from "../../http/index.ts";
import { formatHttpDate } from "./http-date.ts";
import { type CacheRequest, type CacheResponse, type Exchange, type FieldLine, valueIn } from "./message.ts";
import { type CachePolicy, DEFAULT_POLICY } from "./policy.ts";
import { type Storability, storability } from "./storability.ts";
import type { StoredMeta } from "./stored-meta.ts";

/** Thu, 26 Nov 2026 12:00:00 GMT. */
export const T0: number = Date.UTC(2026, 10, 26, 12);

export const SECOND = 1000;

/** Fields by name; an array stands for several lines. */
export type FieldMap = Readonly<Record<string, string | readonly string[]>>;

export function linesOf(fields: FieldMap): FieldLine[] {
  return Object.entries(fields).flatMap(([name, value]) =>
    [value].flat().map((line): FieldLine => [name, line]),
  );
}

export function request(fields: FieldMap = {}, method: MethodCode = METHOD.get, target = "/"): CacheRequest {
  const lines = linesOf(fields);
  const has = (pattern: RegExp): boolean => lines.some(([name]) => pattern.test(name));
  return {
    method,
    target,
    hasCacheControl: has(/^(cache-control|pragma)$/i),
    hasConditional: has(/^if-/i),
    hasRange: has(/^range$/i),
    hasAuthorization: has(/^authorization$/i),
    field: (name) => valueIn(lines, name),
  };
}

export function response(fields: FieldMap = {}, status = 200, bodyBytes?: number): CacheResponse {
  const lines = linesOf(fields);
  return { status, bodyBytes, field: (name) => valueIn(lines, name) };
}

/** A response that came at `T0`, at once. */
export function exchange(answer: CacheResponse, asked: CacheRequest = request()): Exchange {
  return { request: asked, response: answer, requestWallMs: T0, responseWallMs: T0 };
}

/** Whether a GET's response with these fields is stored. */
export function judge(fields: FieldMap, status = 200, policy: Partial<CachePolicy> = {}): Storability {
  return storability(exchange(response(fields, status)), policyWith(policy));
}

export function policyWith(changes: Partial<CachePolicy>): CachePolicy {
  return { ...DEFAULT_POLICY, ...changes };
}

/** What is remembered of a response with these fields. */
export function stored(fields: FieldMap, status = 200, policy: Partial<CachePolicy> = {}): StoredMeta {
  const verdict = judge(fields, status, policy);
  if (verdict.kind === "no") throw new Error(`not stored: ${verdict.reason}`);
  return verdict.meta;
}

/** The HTTP date so many seconds from `T0`. */
export function date(seconds: number): string {
  return formatHttpDate(T0 + seconds * SECOND);
}
