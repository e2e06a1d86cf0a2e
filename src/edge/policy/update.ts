/** What a 304, or a response to HEAD, changes in a stored response (RFC 9111 §3.2, §4.3.4, §4.3.5). */
import { equalStrongly, equalWeakly, isStrong } from "./entity-tag.ts";
import { storedFields } from "./fields.ts";
import { type CacheResponse, type Exchange, type FieldLine, valueIn } from "./message.ts";
import type { CachePolicy } from "./policy.ts";
import { type RefusalReason, storabilityOfGet, withheldFields } from "./storability.ts";
import type { StoredMeta } from "./stored-meta.ts";

/** What has become of the stored response. */
export type Update =
  /** Store these fields and this meta with the old body. */
  | { readonly kind: "updated"; readonly fields: readonly FieldLine[]; readonly meta: StoredMeta }
  /** The response is about another body: drop the stored one, and after a 304 fetch without conditions. */
  | { readonly kind: "mismatch" }
  /** The stored response may still answer this request, and is dropped after. */
  | { readonly kind: "drop"; readonly fields: readonly FieldLine[]; readonly reason: RefusalReason };

/** A stored response: its meta and its fields. */
export interface Stored {
  readonly meta: StoredMeta;
  readonly fields: readonly FieldLine[];
  /** Length of its body. */
  readonly bodyBytes: number;
}

/** They describe the stored body or its coding, which a response without a body cannot change (RFC 9111 §3.2). */
const NEVER_UPDATED: ReadonlySet<string> = new Set(["content-encoding", "content-length", "content-range"]);

/** What a 304 changes. `lines` are its fields; `exchange.request` is the request that it answers. O(lines). */
export function updateFrom304(
  stored: Stored,
  exchange: Exchange,
  lines: readonly FieldLine[],
  policy: CachePolicy,
): Update {
  const { response } = exchange;
  const isSame = isSameRepresentation(stored.meta, response.field("etag"), response.field("last-modified"));
  return isSame ? updated(stored, exchange, lines, policy) : { kind: "mismatch" };
}

/**
 * What a 200 in answer to HEAD changes: all fields when validators and length agree with the stored response, else
 * the stored one is out of date. Any other status says nothing of the stored response.
 */
export function updateFromHead(
  stored: Stored,
  exchange: Exchange,
  lines: readonly FieldLine[],
  policy: CachePolicy,
): Update | undefined {
  const { response } = exchange;
  if (response.status !== 200 || stored.meta.status !== 200) return undefined;
  const length = response.field("content-length");
  const hasLength = length === undefined || length === String(stored.bodyBytes);
  const { etag, lastModified } = stored.meta;
  const isSame =
    hasLength &&
    (response.field("etag") ?? etag) === etag &&
    (response.field("last-modified") ?? lastModified) === lastModified;
  return isSame ? updated(stored, exchange, lines, policy) : { kind: "mismatch" };
}

/** The stored fields with those of `lines` in their place (RFC 9111 §3.2). O(stored + lines). */
export function mergeFields(
  stored: readonly FieldLine[],
  lines: readonly FieldLine[],
  responseWallMs: number,
): FieldLine[] {
  const news = storedFields(lines, [], responseWallMs).filter(
    ([name]) => !NEVER_UPDATED.has(name.toLowerCase()),
  );
  const replaced = new Set(news.map(([name]) => name.toLowerCase()));
  return [...stored.filter(([name]) => !replaced.has(name.toLowerCase())), ...news];
}

/**
 * Whether a 304 speaks of the stored response (RFC 9111 §4.3.4). A strong tag has to be equal; else a weak one, else
 * the date. A 304 without validators answers the conditions that were sent, and those were of this response.
 */
function isSameRepresentation(
  stored: StoredMeta,
  etag: string | undefined,
  lastModified: string | undefined,
): boolean {
  if (etag !== undefined && stored.etag !== "") {
    return isStrong(etag) && isStrong(stored.etag)
      ? equalStrongly(etag, stored.etag)
      : equalWeakly(etag, stored.etag);
  }
  return lastModified === undefined || stored.lastModified === "" || lastModified === stored.lastModified;
}

function updated(
  stored: Stored,
  exchange: Exchange,
  lines: readonly FieldLine[],
  policy: CachePolicy,
): Update {
  const merged = mergeFields(stored.fields, lines, exchange.responseWallMs);
  // Age is not among the stored fields, and that of the new response is the one that counts.
  const age = exchange.response.field("age");
  const withAge: FieldLine[] = age === undefined ? merged : [...merged, ["age", age]];
  const response = viewOf(stored, withAge);
  const whole: Exchange = { ...exchange, response };
  const withheld = withheldFields(whole, policy);
  const fields = merged.filter(([name]) => !withheld.includes(name.toLowerCase()));
  const verdict = storabilityOfGet(whole, policy);
  return verdict.kind === "store"
    ? { kind: "updated", fields, meta: verdict.meta }
    : { kind: "drop", fields, reason: verdict.reason };
}

function viewOf({ meta, bodyBytes }: Stored, fields: readonly FieldLine[]): CacheResponse {
  return { status: meta.status, bodyBytes, field: (name) => valueIn(fields, name) };
}
