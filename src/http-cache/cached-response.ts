/**
 * Answers with the fields that browsers and caches need: ETag, Last-Modified, Cache-Control, Vary; and 304 or 412 where
 * the request's conditions ask for it. Fetch-style, and for node:http and Express.
 */
import { copyResponse } from "../base/index.ts";
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

/** Fields that describe the content, which a 304 (RFC 9110 §15.4.5) and a 412 do not have. Others are about the exchange. */
const CONTENT_FIELDS: readonly string[] = [
  "content-digest",
  "content-disposition",
  "content-encoding",
  "content-language",
  "content-length",
  "content-range",
  "content-type",
  "repr-digest",
  "transfer-encoding",
];

/** Fields about caching, which a 412 has no use for: it is about the request, and must not be stored for others. */
const CACHING_FIELDS: readonly string[] = ["cache-control", "etag", "expires", "last-modified", "vary"];

/**
 * A fetch-style response with its caching fields, or 304 or 412 in its place. Without `etag` and `lastModifiedMs` a
 * strong tag is made of the body, which is read whole for it. Other statuses than 200 get no tag and no 304.
 */
export async function cachedResponse(
  request: Request,
  response: Response,
  options: CacheOptions,
): Promise<Response> {
  const isTagged = options.etag !== undefined || options.lastModifiedMs !== undefined;
  const changed = response.status === 200 && !isTagged ? await tagged(response) : copyResponse(response);
  const { headers } = changed;
  headers.set("cache-control", cacheControl(options.cache));
  if (options.vary) headers.set("vary", addVary(headers.get("vary"), ...options.vary));
  if (response.status !== 200) return changed;
  const etag = headers.get("etag") ?? undefined;
  const current: Validators = isTagged || etag === undefined ? options : { etag };
  setValidators(current, (name, value) => headers.set(name, value));
  const outcome = evaluatePreconditions(
    { method: request.method, field: (name) => request.headers.get(name) ?? undefined },
    current,
  );
  if (outcome === "proceed") return changed;
  await changed.body?.cancel().catch(() => undefined);
  for (const name of dropped(outcome)) headers.delete(name);
  return new Response(null, { status: statusOf(outcome), headers });
}

/** The response with the strong tag of its body, which is read whole. */
async function tagged(response: Response): Promise<Response> {
  const headers = new Headers(response.headers);
  const blob = await response.blob();
  // Bun keeps the type of a text out of its headers.
  if (!headers.has("content-type") && blob.type !== "") headers.set("content-type", blob.type);
  const bytes = new Uint8Array(await blob.arrayBuffer());
  headers.set("etag", strongEtag(bytes));
  // For frameworks that answer HEAD by leaving out the body of what they would answer to GET.
  headers.set("content-length", String(bytes.length));
  return new Response(bytes, { status: response.status, statusText: response.statusText, headers });
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
  return nodeOutcome(request, response, options);
}

function nodeOutcome(
  request: CachedNodeRequest,
  response: CachedNodeResponse,
  options: CacheOptions,
): PreconditionOutcome {
  response.setHeader("Cache-Control", cacheControl(options.cache));
  if (options.vary) response.setHeader("Vary", addVary(textOf(response.getHeader("Vary")), ...options.vary));
  setValidators(options, (name, value) => response.setHeader(name, value));
  const outcome = evaluatePreconditions(
    { method: request.method ?? "GET", field: (name) => textOf(request.headers[name]) },
    options,
  );
  if (outcome === "proceed") return outcome;
  // Only what is there: node:http takes the removal of a framing field for the wish to have none.
  for (const name of dropped(outcome))
    if (response.getHeader(name) !== undefined) response.removeHeader(name);
  response.statusCode = statusOf(outcome);
  return outcome;
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

/** Fields that an answer in place of the content does not have. */
function dropped(outcome: Exclude<PreconditionOutcome, "proceed">): readonly string[] {
  return outcome === "not-modified" ? CONTENT_FIELDS : [...CONTENT_FIELDS, ...CACHING_FIELDS];
}

function textOf(value: number | string | readonly string[] | undefined): string | undefined {
  return value === undefined ? undefined : Array.isArray(value) ? value.join(", ") : String(value);
}
