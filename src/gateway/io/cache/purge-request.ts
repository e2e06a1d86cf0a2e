/**
 * PURGE, a request by which an application removes what is kept of a URL, as Varnish, Squid and Fastly know it:
 *
 *     PURGE /products/17 HTTP/1.1
 *     Authorization: Bearer TOKEN
 *     Cache-Tag: product-17         (everything with these tags instead of the URL)
 *     Soft-Purge: 1                 (stale from now on, but still there when the origin fails)
 */
import { equalConstantTime } from "../../../base/index.ts";
import { tagsOf } from "../../../edge/index.ts";
import { text } from "../../../http/index.ts";
import type { RequestView } from "../../route.ts";
import type { Exchange } from "../exchange.ts";
import type { Edge } from "./edge.ts";
import type { RuleCache } from "./rule-cache.ts";

const METHOD_NAME = "PURGE";
const BEARER = /^Bearer +(.+)$/i;

/** Whether the request in the view is a PURGE. */
export function isPurge({ head, bytes }: RequestView): boolean {
  const { methodStart, methodEnd } = head;
  return (
    methodEnd - methodStart === METHOD_NAME.length && text(bytes, methodStart, methodEnd) === METHOD_NAME
  );
}

/** Carries a PURGE out and answers it. */
// oxlint-disable-next-line max-params -- who asks, what of, and the token that is right
export function answerPurge(exchange: Exchange, edge: Edge, cache: RuleCache, token: string): true {
  const done = purgeAsAsked(edge, cache, token);
  if (done === undefined) exchange.fail("purge-forbidden");
  else exchange.replyWith(200, `detail=${done}`);
  return true;
}

/** What was purged, in words for Cache-Status; undefined when its token is wrong. */
function purgeAsAsked(edge: Edge, cache: RuleCache, token: string): string | undefined {
  const { viewed } = edge;
  const [, candidate = ""] = BEARER.exec(viewed.field("authorization") ?? "") ?? [];
  if (!equalConstantTime(token, candidate)) return undefined;
  const isHard = viewed.field("soft-purge") !== "1";
  const { kept: tags } = tagsOf(viewed);
  for (const tag of tags) edge.purgeTag(tag, isHard);
  if (tags.length === 0) edge.purgeUrl(cache, isHard);
  return `${isHard ? "purged" : "soft-purged"}-${tags.length === 0 ? "url" : "tags"}`;
}
