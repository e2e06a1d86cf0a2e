/**
 * Answers with the fields that browsers and caches need: ETag, Last-Modified, Cache-Control, Vary; and 304 or 412 where
 * the request's conditions ask for it. Fetch-style, and for node:http and Express.
 */
import { type CacheRules, cacheControl } from "./cache-control.ts";
import { strongEtag } from "./etag.ts";
import { formatHttpDate } from "./http-date.ts";
import { evaluatePreconditions, type PreconditionOutcome, type Validators } from "./preconditions.ts";
import { addVary } from "./vary.ts";

/** How a response may be cached. */
export interface CacheOptions extends Validators {
  readonly cache: CacheRules;
  /** Fields of the request that the response depends on. */
  readonly vary?: readonly string[];
}

/** Fields that a 304 keeps (RFC 9110 §15.4.5); those of the content it does not have. */
const KEPT_IN_304: ReadonlySet<string> = new Set([
  "cache-control",
  "content-location",
  "date",
  "etag",
  "expires",
  "last-modified",
  "set-cookie",
  "vary",
]);

/**
 * A fetch-style response with its caching fields, or 304 or 412 in its place. Without `etag` and `lastModifiedMs` a
 * strong tag is made of the body, which is read whole for it. Other statuses than 200 get no tag and no 304.
 */
export async function cachedResponse(
  request: Request,
  response: Response,
  options: CacheOptions,
): Promise<Response> {
  const headers = new Headers(response.headers);
  headers.set("cache-control", cacheControl(options.cache));
  if (options.vary) headers.set("vary", addVary(headers.get("vary"), ...options.vary));
  if (response.status !== 200) return new Response(response.body, { status: response.status, headers });
  const isTagged = options.etag !== undefined || options.lastModifiedMs !== undefined;
  const bytes = isTagged ? undefined : new Uint8Array(await response.arrayBuffer());
  const current: Validators = bytes === undefined ? options : { etag: strongEtag(bytes) };
  setValidators(current, (name, value) => headers.set(name, value));
  const outcome = evaluatePreconditions(
    { method: request.method, field: (name) => request.headers.get(name) ?? undefined },
    current,
  );
  if (outcome === "proceed") return new Response(bytes ?? response.body, { status: 200, headers });
  await response.body?.cancel().catch(() => undefined);
  for (const name of Array.from(headers.keys())) if (!isKept(outcome, name)) headers.delete(name);
  return new Response(null, { status: statusOf(outcome), headers });
}

/** What is used of a request of node:http or Express. */
export interface CachedNodeRequest {
  readonly method?: string | undefined;
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>;
}

/** What is used of a response of node:http or Express. */
export interface CachedNodeResponse {
  statusCode: number;
  getHeader(name: string): number | string | readonly string[] | undefined;
  getHeaderNames(): string[];
  setHeader(name: string, value: string | number): unknown;
  removeHeader(name: string): void;
  end(body?: string | Uint8Array): unknown;
}

/**
 * Sends a body with its caching fields on node:http or Express, or 304 or 412 in its place. The status must be 200, and
 * the fields of the content set before.
 */
export function sendCached(
  request: CachedNodeRequest,
  response: CachedNodeResponse,
  body: string | Uint8Array,
  options: CacheOptions,
): void {
  const outcome = nodeOutcome(request, response, {
    ...options,
    etag: options.etag ?? (options.lastModifiedMs === undefined ? strongEtag(body) : undefined),
  });
  if (outcome !== "proceed") {
    for (const name of response.getHeaderNames()) if (!isKept(outcome, name)) response.removeHeader(name);
    response.statusCode = statusOf(outcome);
    response.end();
    return;
  }
  if (request.method === "HEAD") response.setHeader("Content-Length", Buffer.byteLength(body));
  response.end(request.method === "HEAD" ? undefined : body);
}

/**
 * Sets the caching fields on node:http or Express and says what the request's conditions ask for: for work that is only
 * worth doing when it is "proceed". Then the app answers; otherwise it ends the response, whose status is set.
 */
export function checkCached(
  request: CachedNodeRequest,
  response: CachedNodeResponse,
  options: CacheOptions,
): PreconditionOutcome {
  const outcome = nodeOutcome(request, response, options);
  if (outcome !== "proceed") response.statusCode = statusOf(outcome);
  return outcome;
}

function nodeOutcome(
  request: CachedNodeRequest,
  response: CachedNodeResponse,
  options: CacheOptions,
): PreconditionOutcome {
  response.setHeader("Cache-Control", cacheControl(options.cache));
  if (options.vary) response.setHeader("Vary", addVary(textOf(response.getHeader("Vary")), ...options.vary));
  setValidators(options, (name, value) => response.setHeader(name, value));
  return evaluatePreconditions(
    { method: request.method ?? "GET", field: (name) => textOf(request.headers[name]) },
    options,
  );
}

function setValidators(
  { etag, lastModifiedMs }: Validators,
  set: (name: string, value: string) => void,
): void {
  if (etag !== undefined) set("etag", etag);
  if (lastModifiedMs !== undefined) set("last-modified", formatHttpDate(lastModifiedMs));
}

function statusOf(outcome: Exclude<PreconditionOutcome, "proceed">): number {
  return outcome === "not-modified" ? 304 : 412;
}

/** A 412 says nothing about caching: it is about the request. */
function isKept(outcome: PreconditionOutcome, name: string): boolean {
  return outcome === "not-modified" && KEPT_IN_304.has(name.toLowerCase());
}

function textOf(value: number | string | readonly string[] | undefined): string | undefined {
  return value === undefined ? undefined : Array.isArray(value) ? value.join(", ") : String(value);
}
