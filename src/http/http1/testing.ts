/** Builders and checks for the tests of the HTTP/1.1 codec. */
import { buildForwardedBlock } from "../forwarded.ts";
import { METHOD, type MethodCode } from "../methods.ts";
import { type RequestContext, writeForwardedRequest } from "./forward-request.ts";
import { type ResponseContext, writeForwardedResponse } from "./forward-response.ts";
import { HEAD_LIMITS, type HeadLimits } from "./limits.ts";
import { RequestHead } from "./request-head.ts";
import { ResponseHead } from "./response-head.ts";

/** The bytes of a text whose characters are bytes. */
export function bytesOf(latin1: string): Buffer {
  return Buffer.from(latin1, "latin1");
}

/** A request with these lines after "Host: a". */
export function request(line: string, ...fields: string[]): string {
  return [line, "Host: a", ...fields, "\r\n"].join("\r\n");
}

/** A POST to "/" with these field lines after "Host: a". */
export function post(...fields: string[]): string {
  return request("POST / HTTP/1.1", ...fields);
}

/** A response with these field lines. */
export function response(line: string, ...fields: string[]): string {
  return [line, ...fields, "\r\n"].join("\r\n");
}

/** Parses a request that must be accepted whole. */
export function parseRequest(raw: string, limits: HeadLimits = HEAD_LIMITS): RequestHead {
  const head = new RequestHead(limits);
  const consumed = head.parse(bytesOf(raw), 0, raw.length);
  if (consumed !== raw.length) throw new Error(`consumed ${consumed} of ${raw.length}: ${head.error}`);
  return head;
}

/** The answer of `parse`, or the code with which it refused. */
export function outcome(raw: string, limits: HeadLimits = HEAD_LIMITS): number | string | undefined {
  const head = new RequestHead(limits);
  const consumed = head.parse(bytesOf(raw), 0, raw.length);
  return consumed < 0 ? head.error : consumed;
}

/** The same when the bytes arrive one by one. */
export function outcomeByteByByte(
  raw: string,
  limits: HeadLimits = HEAD_LIMITS,
): number | string | undefined {
  const head = new RequestHead(limits);
  const bytes = bytesOf(raw);
  let resume = 0;
  for (let end = 1; end <= bytes.length; end++) {
    const consumed = head.parse(bytes, 0, end, resume);
    if (consumed !== 0) return consumed < 0 ? head.error : consumed;
    resume = head.resume;
  }
  return 0;
}

/** Parses a response that must be accepted whole. */
export function parseResponse(raw: string, method: MethodCode = METHOD.get): ResponseHead {
  const head = new ResponseHead();
  const consumed = head.parse(bytesOf(raw), 0, raw.length, method);
  if (consumed !== raw.length) throw new Error(`consumed ${consumed} of ${raw.length}: ${head.error}`);
  return head;
}

/** The answer of `parse` to a response, or the code with which it refused. */
export function responseOutcome(raw: string, method: MethodCode = METHOD.get): number | string | undefined {
  const head = new ResponseHead();
  const consumed = head.parse(bytesOf(raw), 0, raw.length, method);
  return consumed < 0 ? head.error : consumed;
}

/** A context that adds nothing: no Forwarded, no Via, no request id. */
export function requestContext(changes: Partial<RequestContext> = {}): RequestContext {
  return {
    trusted: false,
    upgrade: false,
    forwarded: buildForwardedBlock({ clientIp: "192.0.2.7", proto: "http", fields: "off", name: "" }),
    requestId: bytesOf(""),
    hostOverride: undefined,
    fallbackHost: bytesOf("fallback:9000"),
    ...changes,
  };
}

/** A context that adds nothing. */
export function responseContext(changes: Partial<ResponseContext> = {}): ResponseContext {
  return {
    close: false,
    keepAlive: false,
    upgrade: false,
    dechunk: false,
    requestId: bytesOf(""),
    dateLine: bytesOf(""),
    edgeLine: bytesOf(""),
    extra: bytesOf(""),
    hidesInternal: false,
    replacesCacheControl: false,
    ...changes,
  };
}

/** The request as the target gets it. */
export function forward(raw: string, changes: Partial<RequestContext> = {}): string {
  const out = Buffer.alloc(65536);
  const end = writeForwardedRequest(parseRequest(raw), bytesOf(raw), out, 0, requestContext(changes));
  return out.toString("latin1", 0, end);
}

/** The response as the client gets it. */
export function forwardResponse(
  raw: string,
  changes: Partial<ResponseContext> = {},
  method: MethodCode = METHOD.get,
): string {
  const out = Buffer.alloc(65536);
  const head = parseResponse(raw, method);
  const end = writeForwardedResponse(head, bytesOf(raw), out, 0, responseContext(changes));
  return out.toString("latin1", 0, end);
}
