/** The kind of device behind a request, for sites that send each another page. */
import type { CacheRequest } from "./message.ts";

/** Three kinds: finer ones would make each page a dozen objects. */
export type Device = "mobile" | "tablet" | "desktop";

const TABLET = /ipad|tablet|kindle|silk\/|playbook|android(?!.*mobile)/i;
const MOBILE = /mobi|iphone|ipod|android|blackberry|opera mini|windows phone/i;

/** What is read of a User-Agent: real ones are shorter, and longer ones would only cost time. */
const USER_AGENT_CHARS_MAX = 512;

/** The kind by Sec-CH-UA-Mobile where the client sends it, else by User-Agent. A tablet is told by the latter alone. */
export function deviceOf(request: Pick<CacheRequest, "field">): Device {
  const userAgent = (request.field("user-agent") ?? "").slice(0, USER_AGENT_CHARS_MAX);
  if (TABLET.test(userAgent)) return "tablet";
  const hint = request.field("sec-ch-ua-mobile");
  if (hint !== undefined) return hint === "?1" ? "mobile" : "desktop";
  return MOBILE.test(userAgent) ? "mobile" : "desktop";
}
