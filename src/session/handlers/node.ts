/**
 * Sessions for node:http and for Express 4 and 5.
 */
import type { Fields, OpenSession, RequestFacts, Session, SessionSource } from "../session.ts";
import { failureOf, requireUser } from "./failure.ts";
import { holdResponse, type NodeResponse } from "./node-response.ts";

/** What is used of an `IncomingMessage`, of Express or not. */
export interface NodeRequest {
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>;
  readonly socket?: { readonly remoteAddress?: string | undefined } | null;
  /** Express: the client's address by its "trust proxy". */
  readonly ip?: string | undefined;
}

const sessions = new WeakMap<object, Session<never>>();

/** The session of a request that passed a handler. Throws when none did. Also there as `request.session`. */
export function sessionOf<T extends Fields = Readonly<Record<string, unknown>>>(request: object): Session<T> {
  const session = sessions.get(request);
  if (session === undefined) throw new Error("this request has no session: use the session handler before");
  return session;
}

/**
 * Middleware for Express 4 and 5. Opens the session before the next handler, and holds the response until it is saved.
 *
 *     app.use(expressSessions(sessions));
 */
export function expressSessions<T extends Fields>(
  source: SessionSource<T>,
): (request: NodeRequest, response: NodeResponse, next: (error?: unknown) => void) => void {
  return (request, response, next) => {
    openOn(source, request, response).then(() => next(), next);
  };
}

/** Middleware for Express that passes requests of signed-in users; others get 401, or 503 while the store is away. */
export function expressRequireUser(): (
  request: NodeRequest,
  response: NodeResponse,
  next: (error?: unknown) => void,
) => void {
  return (request, response, next) => {
    try {
      requireUser(sessionOf(request));
    } catch (error) {
      answerFailure(response, error, next);
      return;
    }
    next();
  };
}

/**
 * Wraps a listener of node:http. A `SessionError` that it throws, or rejects with, is answered with its status.
 *
 *     createServer(nodeSessions(sessions, (request, response, session) => …));
 */
export function nodeSessions<T extends Fields, Request extends NodeRequest, Response extends NodeResponse>(
  source: SessionSource<T>,
  listener: (request: Request, response: Response, session: Session<T>) => unknown,
): (request: Request, response: Response) => void {
  const run = async (request: Request, response: Response): Promise<void> => {
    const { session } = await openOn(source, request, response);
    await listener(request, response, session);
  };
  return (request, response) => {
    run(request, response).catch((error: unknown) =>
      answerFailure(response, error, () => {
        throw error;
      }),
    );
  };
}

async function openOn<T extends Fields>(
  source: SessionSource<T>,
  request: NodeRequest,
  response: NodeResponse,
): Promise<OpenSession<T>> {
  const open = await source.open(nodeFacts(request));
  sessions.set(request, open.session as Session<never>);
  Object.defineProperty(request, "session", { value: open.session, configurable: true, enumerable: true });
  holdResponse(response, open as OpenSession<never>);
  return open;
}

/** What a request of node:http says of itself. */
export function nodeFacts({ headers, socket, ip }: NodeRequest): RequestFacts {
  return {
    cookie: textOf(headers["cookie"]),
    host: textOf(headers["host"]),
    userAgent: textOf(headers["user-agent"]),
    address: ip ?? socket?.remoteAddress,
  };
}

function textOf(value: string | readonly string[] | undefined): string | undefined {
  return typeof value === "string" ? value : value?.join("; ");
}

function answerFailure(response: NodeResponse, error: unknown, otherwise: (error: unknown) => void): void {
  const failure = failureOf(error);
  if (failure === undefined || response.headersSent) {
    otherwise(error);
    return;
  }
  response.writeHead(failure.status, failure.headers);
  response.end(failure.body);
}
