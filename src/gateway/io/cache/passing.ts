/** What the answer to a request that went around the cache says of what is stored. */
import { invalidatedGroups, invalidatedUrls, invalidates, updateFromHead } from "../../../edge/index.ts";
import { METHOD, type ResponseHead, text } from "../../../http/index.ts";
import type { RequestView } from "../../route.ts";
import { groupTag, hostOf } from "./cache-key.ts";
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

/** When a request went out, by the clock and by the purges, and when its answer came. */
export interface Asked {
  readonly wallMs: number;
  readonly sequence: number;
  readonly nowMs: number;
}

/** Takes what the answer says of what is stored. */
export function takeNote(passed: Passed, asked: Asked): void {
  const { view, head } = passed;
  if (invalidates(view.head.method, head.status)) return invalidate(passed);
  if (view.head.method === METHOD.head) freshen(passed, asked);
}

/** RFC 9111 §4.4 and RFC 9875 §3: a change that went well makes what is stored of its resource invalid. */
function invalidate({ edge, cache, view, head, bytes }: Passed): void {
  const response = new HeadedResponse(head, bytes);
  const host = text(view.bytes, view.head.hostStart, view.head.authorityEnd);
  const url = `http://${host}${edge.viewed.target}`;
  for (const named of URL.canParse(url) ? invalidatedUrls(url, response) : []) {
    const { host: at, pathname, search } = new URL(named);
    edge.purgePath(cache, { host: at, target: `${pathname}${search}` });
  }
  edge.purgeUrl(cache);
  const groups = invalidatedGroups(response);
  if (groups.length === 0) return;
  const own = hostOf(edge.keepKey());
  for (const group of groups) edge.purgeTag(groupTag(own, group));
}

/** RFC 9111 §4.3.5: an answer to HEAD tells what a GET would get now. */
function freshen({ edge, cache, head, bytes }: Passed, asked: Asked): void {
  const stored = edge.look(cache);
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
