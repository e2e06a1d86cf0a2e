/**
 * Sessions for fetch-style servers, `Request -> Response`: Bun.serve, Deno, workers, Next.js route handlers; and Hono.
 */
import { copyResponse } from "../../base/index.ts";
import { SessionError } from "../errors.ts";
import type { Fields, RequestFacts, Session, SessionSource } from "../session.ts";
import { requireUser } from "./failure.ts";

/** How the client's address is found: a fetch request does not have it. */
export interface FetchOptions {
  readonly address?: (request: Request) => string | undefined;
}

/**
 * Wraps a handler. The response is made when the session is saved; what a streaming body changes later needs
 * `session.save()`. A `SessionError` that the handler throws is answered with its status.
 *
 *     Bun.serve({ fetch: fetchSessions(sessions, (request, session) => new Response(…)) });
 */
export function fetchSessions<T extends Fields, Rest extends unknown[]>(
  source: SessionSource<T>,
  handler: (request: Request, session: Session<T>, ...rest: Rest) => Response | Promise<Response>,
  { address }: FetchOptions = {},
): (request: Request, ...rest: Rest) => Promise<Response> {
  return async (request, ...rest) => {
    try {
      const open = await source.open(fetchFacts(request, address?.(request)));
      const response = await handler(request, open.session, ...rest);
      return withCookies(response, await open.commit());
    } catch (error) {
      return failureResponse(error);
    }
  };
}

/** What is used of Hono's context. */
export interface HonoContext {
  readonly req: { readonly raw: Request };
  res: Response | undefined;
  get(name: "session"): unknown;
  set(name: "session", value: unknown): void;
}

/**
 * Middleware for Hono; the session is `context.get("session")`.
 *
 *     app.use(honoSessions(sessions));
 */
export function honoSessions<T extends Fields>(
  source: SessionSource<T>,
  { address }: FetchOptions = {},
): (context: HonoContext, next: () => Promise<void>) => Promise<void> {
  return async (context, next) => {
    const open = await source.open(fetchFacts(context.req.raw, address?.(context.req.raw)));
    context.set("session", open.session);
    await next();
    const answer = context.res;
    const changed = await open
      .commit()
      .then((cookies) => answer && withCookies(answer, cookies), failureResponse);
    if (changed === answer) return;
    context.res = undefined; // otherwise Hono would add the headers of the answer that it had
    context.res = changed;
  };
}

/** Middleware for Hono that passes requests of signed-in users; others get 401, or 503 while the store is away. */
export function honoRequireUser(): (
  context: HonoContext,
  next: () => Promise<void>,
) => Promise<Response | undefined> {
  return async (context, next) => {
    try {
      requireUser(context.get("session") as Session<never>);
    } catch (error) {
      return failureResponse(error);
    }
    await next();
    return undefined;
  };
}

function fetchFacts({ headers }: Request, address: string | undefined): RequestFacts {
  return {
    cookie: headers.get("cookie") ?? undefined,
    host: headers.get("host") ?? undefined,
    userAgent: headers.get("user-agent") ?? undefined,
    address,
  };
}

function withCookies(response: Response, cookies: readonly string[]): Response {
  if (cookies.length === 0) return response;
  const changed = copyResponse(response);
  for (const cookie of cookies) changed.headers.append("set-cookie", cookie);
  return changed;
}

function failureResponse(error: unknown): Response {
  if (error instanceof SessionError) return error.getResponse();
  throw error;
}
