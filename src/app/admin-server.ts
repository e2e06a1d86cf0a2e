/**
 * The admin API's door: who may enter, and where each request goes. Paths and types are in api.ts.
 *
 * `/-/health` and `/metrics` are open while the address is on loopback; everything else, and everything elsewhere,
 * wants the token. A browser page cannot use the API: it has no token, and a foreign Host is refused (DNS rebinding).
 */
import { equalConstantTime, type Log, METRICS_CONTENT_TYPE } from "../base/index.ts";
import { type Address, formatAddress } from "../config/index.ts";
import { JournalFailure } from "../control/io/index.ts";
import type { ApiError } from "./api.ts";
import { StartFailure } from "./start-failure.ts";

/** Bodies of requests are small JSON objects; the largest names a hundred URLs of 8 KiB. */
const BODY_BYTES_MAX = 1024 * 1024;

/** What a handler gets. */
export interface AdminRequest {
  /** Path segments that the pattern names, decoded. */
  readonly names: Readonly<Record<string, string>>;
  readonly query: URLSearchParams;
  /** Parsed JSON body; an empty object when there was none. */
  readonly body: Readonly<Record<string, unknown>>;
}

/** What a handler answers: JSON, or an error. */
export type AdminAnswer =
  | { readonly kind: "ok"; readonly data: unknown }
  | {
      readonly kind: "error";
      readonly status: number;
      readonly code: string;
      readonly message: string;
      readonly mend: string;
      /** Each by itself, where there may be several. */
      readonly problems?: readonly string[];
    };

/** One row of the API. */
export interface AdminRoute {
  readonly method: "GET" | "POST";
  /** "/v1/services/:name/scale" */
  readonly path: string;
  readonly handle: (request: AdminRequest) => AdminAnswer | Promise<AdminAnswer>;
}

/** What the server is made of. */
export interface AdminOptions {
  readonly address: Address;
  readonly token: string;
  readonly routes: readonly AdminRoute[];
  /** The text of `/metrics`. */
  readonly metrics: () => string;
  /** The body of `/-/health`. */
  readonly health: () => unknown;
  readonly log: Log;
}

export class AdminServer {
  readonly address: Address;
  readonly #server: Bun.Server<undefined>;

  /** Opens the address. Throws a `StartFailure` when it cannot. */
  constructor(options: AdminOptions) {
    this.#server = serve(options);
    this.address = { host: options.address.host, port: this.#server.port ?? options.address.port };
  }

  async stop(): Promise<void> {
    await this.#server.stop(true);
  }
}

function serve(options: AdminOptions): Bun.Server<undefined> {
  const { address, log } = options;
  try {
    return Bun.serve({
      hostname: address.host,
      port: address.port,
      maxRequestBodySize: BODY_BYTES_MAX,
      fetch: (request) => answer(request, options),
      error: (problem) => {
        log.error("admin-request-failed", { problem });
        if (problem instanceof JournalFailure)
          return errorResponse(503, "state-unwritable", "nothing has changed", problem.message);
        return errorResponse(
          500,
          "internal",
          "the controller failed at this request",
          "its log has the stack",
        );
      },
    });
  } catch (problem) {
    const code = problem instanceof Error && "code" in problem ? String(problem.code) : String(problem);
    throw new StartFailure(
      `the admin address ${formatAddress(address)} cannot be opened (${code})`,
      "stop what uses it (another tenfold?), or set admin.address",
    );
  }
}

async function answer(request: Request, options: AdminOptions): Promise<Response> {
  const url = new URL(request.url);
  const refusal = refuse(request, url, options);
  if (refusal !== undefined) return refusal;
  if (url.pathname === "/-/health") return Response.json(options.health());
  if (url.pathname === "/metrics") {
    return new Response(options.metrics(), { headers: { "content-type": METRICS_CONTENT_TYPE } });
  }
  return route(request, url, options.routes);
}

function refuse(request: Request, url: URL, { address, token }: AdminOptions): Response | undefined {
  if (!isOwnName(url.hostname, address.host)) {
    return errorResponse(
      421,
      "foreign-host",
      `this is not ${url.hostname}`,
      `ask for http://${formatAddress(address)}`,
    );
  }
  const isOpen = isLoopback(address.host) && (url.pathname === "/-/health" || url.pathname === "/metrics");
  const given = request.headers.get("authorization")?.replace(/^Bearer /, "") ?? "";
  if (isOpen || equalConstantTime(token, given)) return undefined;
  return errorResponse(
    401,
    "unauthorized",
    "the token is missing or wrong",
    "send `Authorization: Bearer …` with admin.token of the state directory",
  );
}

async function route(request: Request, url: URL, routes: readonly AdminRoute[]): Promise<Response> {
  const matches = routes.map((candidate) => ({ candidate, names: matchPath(candidate.path, url.pathname) }));
  const known = matches.filter(({ names }) => names !== undefined);
  const found = known.find(({ candidate }) => candidate.method === request.method);
  if (found?.names === undefined)
    return notFound(
      request.method,
      url.pathname,
      known.map(({ candidate }) => candidate.method),
    );
  const body = await readBody(request);
  if (body === undefined)
    return errorResponse(400, "bad-json", "the body is not a JSON object", 'send {"key": value}');
  const result = await found.candidate.handle({ names: found.names, query: url.searchParams, body });
  if (result.kind === "ok") return Response.json(result.data);
  const { status, code, message, mend, problems } = result;
  return errorResponse(status, code, message, mend, problems);
}

function notFound(method: string, path: string, allowed: readonly string[]): Response {
  if (allowed.length === 0)
    return errorResponse(
      404,
      "not-found",
      `there is no ${path}`,
      "the paths are in docs/guide/operations.md",
    );
  return errorResponse(
    405,
    "method-not-allowed",
    `${path} does not take ${method}`,
    `use ${allowed.join(" or ")}`,
  );
}

/** The named segments when `path` fits `pattern`, else undefined. */
function matchPath(pattern: string, path: string): Record<string, string> | undefined {
  const wanted = pattern.split("/");
  const given = path.split("/");
  if (wanted.length !== given.length) return undefined;
  const names: Record<string, string> = {};
  for (const [i, segment] of wanted.entries()) {
    const value = given[i] ?? "";
    if (segment.startsWith(":")) names[segment.slice(1)] = decodeURIComponent(value);
    else if (segment !== value) return undefined;
  }
  return names;
}

async function readBody(request: Request): Promise<Record<string, unknown> | undefined> {
  const text = await request.text();
  if (text === "") return {};
  try {
    const parsed: unknown = JSON.parse(text);
    return typeof parsed === "object" && parsed !== null && !Array.isArray(parsed)
      ? { ...parsed }
      : undefined;
  } catch {
    return undefined; // answered with 400 by the caller
  }
}

function errorResponse(
  status: number,
  code: string,
  message: string,
  mend: string,
  problems?: readonly string[],
): Response {
  const error = { code, message, mend, ...(problems === undefined ? {} : { problems }) };
  return Response.json({ error } satisfies ApiError, { status });
}

function isLoopback(host: string): boolean {
  return host === "localhost" || host === "::1" || host.startsWith("127.");
}

/** Names under which the admin address may be asked for: its own, and the loopback ones when it is on loopback. */
function isOwnName(hostname: string, host: string): boolean {
  const name = hostname.replace(/^\[|\]$/g, "");
  if (name === host || host === "0.0.0.0" || host === "::") return true;
  return isLoopback(host) && isLoopback(name);
}
