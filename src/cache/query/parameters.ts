/** Parameters as part of a key: two lists with the same text are the same to PostgreSQL. */
import type { Reason } from "./reasons.ts";
import { isTimeText } from "./statement/classify.ts";

/** The key's part, or why there is none. */
export type ParametersKey = { readonly text: string } | { readonly refusal: Reason };

/** Longest that is made part of a key, characters: a longer one costs more to hash than it can save. */
const TEXT_MAX = 64 * 1024;

/** Makes the key's part. Numbers and the texts of their digits are one, as on the wire. */
export function parametersKey(values: readonly unknown[]): ParametersKey {
  const parts: (string | null)[] = [];
  let length = 0;
  for (const value of values) {
    const part = partOf(value);
    if (part === undefined) return { refusal: "parameter-kind" };
    if (part !== null && isTimeText(part)) return { refusal: "time-literal" };
    length += part?.length ?? 0;
    if (length > TEXT_MAX) return { refusal: "parameter-kind" };
    parts.push(part);
  }
  return { text: JSON.stringify(parts) };
}

/** One value behind a sign of its kind, no letter, so that words stay words; null for NULL, undefined for what cannot be told apart for sure. */
function partOf(value: unknown): string | null | undefined {
  if (value === null || value === undefined) return null;
  if (typeof value === "object") return partOfObject(value);
  if (typeof value === "string") return `:${value}`;
  const isPlain = typeof value === "number" || typeof value === "bigint" || typeof value === "boolean";
  return isPlain ? `:${String(value)}` : undefined;
}

function partOfObject(value: object): string | undefined {
  // What is sent is local time with its offset, and a column without a zone keeps the local part.
  if (value instanceof Date) return `@${value.getTime()} ${value.getTimezoneOffset()}`;
  if (ArrayBuffer.isView(value))
    return `%${Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString("base64")}`;
  if ("toPostgres" in value) return undefined;
  if (Array.isArray(value)) {
    const parts = value.map(partOf);
    return parts.includes(undefined) ? undefined : `[${JSON.stringify(parts)}`;
  }
  try {
    return `{${JSON.stringify(value)}`;
  } catch {
    return undefined;
  }
}
