/**
 * Sessions for Fastify 4 and 5, as hooks.
 */
import type { Fields, OpenSession, Session, SessionSource } from "../session.ts";
import { failureOf, requireUser } from "./failure.ts";
import { type NodeRequest, nodeFacts } from "./node.ts";

/** What is used of a Fastify instance. */
export interface FastifyApp {
  decorateRequest(name: string, value: null): unknown;
  addHook(name: "onRequest", hook: (request: never, reply: never) => Promise<void>): unknown;
  addHook(
    name: "onSend",
    hook: (request: never, reply: never, payload: unknown) => Promise<unknown>,
  ): unknown;
}

/** What is used of a Fastify request. */
export interface FastifyRequest extends NodeRequest {
  session?: unknown;
}

/** What is used of a Fastify reply. */
export interface FastifyReply {
  code(status: number): FastifyReply;
  header(name: string, value: unknown): FastifyReply;
  removeHeader(name: string): FastifyReply;
  getHeaders(): Readonly<Record<string, unknown>>;
}

/**
 * Adds sessions to an app: `request.session`, saved in `onSend`, before the reply is sent.
 *
 *     fastifySessions(app, sessions);
 */
export function fastifySessions<T extends Fields>(app: FastifyApp, source: SessionSource<T>): void {
  const opened = new WeakMap<object, OpenSession<T>>();
  app.decorateRequest("session", null);
  app.addHook("onRequest", async (request: FastifyRequest) => {
    const open = await source.open(nodeFacts(request));
    opened.set(request, open);
    request.session = open.session;
  });
  app.addHook("onSend", async (request: FastifyRequest, reply: FastifyReply, payload) => {
    const open = opened.get(request);
    if (open === undefined) return payload;
    try {
      // Fastify adds Set-Cookie fields to those that are there.
      for (const cookie of await open.commit()) reply.header("set-cookie", cookie);
      return payload;
    } catch (error) {
      const failure = failureOf(error);
      if (failure === undefined) throw error;
      opened.delete(request); // an error thrown from here would come by again
      for (const name of Object.keys(reply.getHeaders())) reply.removeHeader(name);
      reply.code(failure.status);
      for (const [name, value] of Object.entries(failure.headers)) reply.header(name, value);
      return failure.body;
    }
  });
}

/** A `preHandler` that passes requests of signed-in users; others get 401, or 503 while the store is away. */
export async function fastifyRequireUser(request: { session?: unknown }): Promise<void> {
  requireUser(request.session as Session<never>);
}
