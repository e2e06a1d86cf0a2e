/** Requests as rules, keys and logs see them: parsed heads without a connection. */
import { HEAD_LIMITS, RequestHead } from "../../http/index.ts";
import type { RequestView } from "../route.ts";
import { get } from "./client.ts";

/** The view of a raw request that must be accepted. */
export function viewOf(raw: string, clientIp = "192.0.2.7"): RequestView {
  const head = new RequestHead(HEAD_LIMITS);
  const bytes = Buffer.from(raw, "latin1");
  if (head.parse(bytes, 0, bytes.length) <= 0) throw new Error(`refused: ${head.error ?? "incomplete"}`);
  return { head, bytes, clientIp };
}

/** The view of a GET. */
export function viewOfGet(path: string, ...fields: string[]): RequestView {
  return viewOf(get(path, ...fields));
}
