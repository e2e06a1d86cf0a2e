/** What an unsafe request makes of stored responses (RFC 9111 §4.4, RFC 9875 §3). */
import { METHOD, type MethodCode, parseList } from "../../http/index.ts";
import type { CacheResponse } from "./message.ts";

/** Methods that change nothing (RFC 9110 §9.2.1). Any other, known or not, may. */
const SAFE: readonly MethodCode[] = [METHOD.get, METHOD.head, METHOD.options, METHOD.trace];

/** Whether the response to a request with this method tells that stored responses are out of date. */
export function invalidates(method: MethodCode, status: number): boolean {
  return !SAFE.includes(method) && status >= 200 && status < 400;
}

/**
 * The URLs whose stored responses, all variants of them, are out of date: that of the request, and those of Location
 * and Content-Location as far as they have the same origin. Nobody may spoil the cache of another host.
 */
export function invalidatedUrls(url: string, response: CacheResponse): string[] {
  const target = new URL(url);
  const named = ["location", "content-location"]
    .map((name) => response.field(name))
    .map((reference) => (reference === undefined ? null : URL.parse(reference, target.href)))
    .filter((other) => other?.origin === target.origin)
    .map((other) => withoutFragment(other ?? target));
  return [...new Set([withoutFragment(target), ...named])];
}

/**
 * The groups whose members are out of date (Cache-Group-Invalidation), on the origin of the request. Only the
 * response to an unsafe request may name some; a field that does not parse names none.
 */
export function invalidatedGroups(response: CacheResponse): string[] {
  return strings(response.field("cache-group-invalidation"));
}

/** The groups that a response belongs to (Cache-Groups, RFC 9875 §2), on the origin of its request. */
export function groupsOf(response: CacheResponse): string[] {
  const groups = response.field("cache-groups");
  return groups === undefined ? [] : strings(groups);
}

/** The strings of a structured list, each once; what is no string is left out. */
export function strings(list: string | undefined): string[] {
  const members = parseList(list ?? "") ?? [];
  const found = members.flatMap((member) =>
    member.kind === "item" && member.value.kind === "string" ? [member.value.value] : [],
  );
  return [...new Set(found)];
}

function withoutFragment(url: URL): string {
  const copy = new URL(url);
  copy.hash = "";
  return copy.href;
}
