/**
 * The gateway's own answers: error pages, redirects and fixed responses.
 */
import type { ActionConfig } from "../../config/index.ts";
import { METHOD, reasonPhrase, text } from "../../http/index.ts";
import { type ErrorPage, renderErrorPage } from "../error-page.ts";
import { GATEWAY_ERRORS, type GatewayErrorCode } from "../errors.ts";
import type { RequestView } from "../route.ts";
import type { Request } from "./request.ts";
import type { Serving } from "./serving.ts";

/** An answer before it is bytes. */
export interface Reply {
  readonly status: number;
  readonly fields: readonly (readonly [name: string, value: string])[];
  readonly body: string;
}

/** What went wrong with one exchange. */
export interface Failure {
  readonly code: GatewayErrorCode;
  /** The finer code, e.g. which rule of HTTP was broken. */
  readonly detail: string | undefined;
  readonly accept: string;
  readonly requestId: string;
  readonly tried: readonly string[];
}

/** The page for a failure. */
export function errorReply(failure: Failure): Reply {
  const row = GATEWAY_ERRORS[failure.code];
  const message = failure.detail === undefined ? row.message : `${row.message} (${failure.detail})`;
  return pageReply({ ...row, ...failure, code: failure.code, message }, failure.accept);
}

/** Renders any error row as a reply. */
export function pageReply(page: ErrorPage, accept: string): Reply {
  const { contentType, body } = renderErrorPage(page, accept);
  const fields: [string, string][] = [
    ["Content-Type", contentType],
    ["Cache-Control", "no-store"],
    ["X-Error-Code", page.code],
  ];
  if (page.status === 503) fields.push(["Retry-After", RETRY_AFTER_S]);
  return { status: page.status, fields, body };
}

/** A client told to come back should not come back at once. */
const RETRY_AFTER_S = "1";

/**
 * The answer to a request that goes no further: one that a redirect or respond rule answers, or an OPTIONS or TRACE
 * whose Max-Forwards is used up, which makes the gateway its final recipient (RFC 9110 §7.6.2).
 */
export function localReply(action: ActionConfig, view: RequestView): Reply | undefined {
  if (action.kind === "forward") return view.head.maxForwards === 0 ? FINAL_RECIPIENT : undefined;
  if (action.kind === "respond") return { status: action.status, fields: action.headers, body: action.body };
  return { status: action.status, fields: [["Location", location(action.location, view)]], body: "" };
}

const FINAL_RECIPIENT: Reply = { status: 200, fields: [], body: "" };

/** Fills {scheme} {host} {path} {query} in; {query} brings its own "?". */
function location(template: string, { head, bytes }: RequestView): string {
  const query = text(bytes, head.queryStart, head.queryEnd);
  const values: Record<string, string> = {
    scheme: "http",
    host: text(bytes, head.hostStart, head.hostEnd),
    path: text(bytes, head.pathStart, head.pathEnd) || "/",
    query: query === "" ? "" : `?${query}`,
  };
  return template.replace(/\{(scheme|host|path|query)\}/g, (_, key: string) => values[key] ?? "");
}

/** How the reply ends the exchange. */
export interface ReplyContext {
  readonly close: boolean;
  /** HTTP/1.0 clients must be told that the connection stays. */
  readonly keepAlive10: boolean;
  readonly isHead: boolean;
  readonly requestId: string;
  /** The Server field. */
  readonly name: string;
  /** Sent as X-Edge. */
  readonly edge: string | undefined;
  readonly wallMs: number;
}

/** How a reply ends the exchange of this request. */
export function replyContext(request: Request, serving: Serving): ReplyContext {
  return {
    close: request.close,
    keepAlive10: request.isHttp10 && !request.close,
    isHead: request.method === METHOD.head,
    requestId: serving.requestIds.text(request.number),
    name: serving.name,
    edge: serving.site.edge,
    wallMs: serving.wallMs(),
  };
}

/** The reply as bytes. */
export function renderReply(reply: Reply, context: ReplyContext): Uint8Array {
  const body = Buffer.from(reply.body);
  const hasBody = reply.status >= 200 && reply.status !== 204 && reply.status !== 304;
  const lines = [
    `HTTP/1.1 ${reply.status} ${reasonPhrase(reply.status)}`,
    `Server: ${context.name}`,
    `Date: ${new Date(context.wallMs).toUTCString()}`,
    ...reply.fields.map(([name, value]) => `${name}: ${value}`),
    ...(hasBody ? [`Content-Length: ${body.length}`] : []),
    ...(context.edge === undefined ? [] : [`X-Edge: ${context.edge}`]),
    `X-Request-Id: ${context.requestId}`,
    ...connectionField(context),
  ];
  const head = Buffer.from(`${lines.join("\r\n")}\r\n\r\n`, "latin1");
  return context.isHead || !hasBody ? head : Buffer.concat([head, body]);
}

function connectionField({ close, keepAlive10 }: ReplyContext): string[] {
  if (close) return ["Connection: close"];
  return keepAlive10 ? ["Connection: keep-alive"] : [];
}
