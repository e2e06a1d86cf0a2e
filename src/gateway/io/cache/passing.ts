/** What the answer to a request that went around the cache says of what is stored. */
import { groupsIn, updateFromHead } from "../../../edge/index.ts";
import { type ResponseHead, text } from "../../../http/index.ts";
import type { RequestView } from "../../route.ts";
import type { Edge } from "./edge.ts";
import { HeadedResponse, linesOf } from "./messages.ts";
import type { RuleCache } from "./rule-cache.ts";

/** A request in the view, and the head of its answer. */
export interface Passed {
  readonly edge: Edge;
  readonly cache: RuleCache;
  readonly view: RequestView;
  readonly head: ResponseHead;
  readonly bytes: Uint8Array;
}

/** RFC 9111 §4.4 and RFC 9875 §3: a change that went well makes what is stored of its resource invalid. */
export function invalidate({ edge, cache, view, head, bytes }: Passed): void {
  if (head.status >= 400) return;
  const response = new HeadedResponse(head, bytes);
  edge.purgeUrl(cache, view);
  const host = text(view.bytes, view.head.hostStart, view.head.authorityEnd).toLowerCase();
  for (const name of ["location", "content-location"]) {
    const target = sameOrigin(response.field(name), host, edge.viewed.target);
    if (target !== undefined) edge.purgePath(cache, { host, target });
  }
  for (const group of groupsIn(response.field("cache-group-invalidation") ?? "")) edge.purgeTag(group);
}

/** Path and query of a URL on this host, or undefined: what is elsewhere is not ours to invalidate. */
function sameOrigin(location: string | undefined, host: string, base: string): string | undefined {
  if (location === undefined) return undefined;
  const url = URL.parse(location, `http://${host}${base}`);
  return url?.host === host ? `${url.pathname}${url.search}` : undefined;
}

/** RFC 9111 §4.3.5: an answer to HEAD tells what a GET would get now. `asked`: when it went out, and when it came. */
export function freshen(
  { edge, cache, view, head, bytes }: Passed,
  asked: { readonly wallMs: number; readonly sequence: number; readonly nowMs: number },
): void {
  const stored = edge.look(cache, view);
  if (stored === false || stored === undefined) return;
  const response = new HeadedResponse(head, bytes);
  const exchange = {
    request: edge.viewed,
    response,
    requestWallMs: asked.wallMs,
    responseWallMs: asked.nowMs,
  };
  const whole = { meta: stored, fields: stored.fields(), bodyBytes: stored.entry.bodyBytes };
  const update = updateFromHead(whole, exchange, linesOf(head.fields, bytes), cache.policy);
  const key = edge.keepKey();
  if (update?.kind === "updated") edge.keepUpdated({ key, cache }, stored, update, asked.sequence);
  else if (update !== undefined) edge.remove(key);
}
