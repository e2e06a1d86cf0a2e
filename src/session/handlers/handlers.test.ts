import { afterAll, describe, expect, test } from "bun:test";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { serve } from "@hono/node-server";
import express from "express";
import fastify from "fastify";
import { Hono } from "hono";
import type { Session } from "../session.ts";
import { createSessions, type Sessions } from "../sessions.ts";
import type { SessionStore } from "../store.ts";
import { memoryStore } from "../stores/memory.ts";
import { type AnyFields, CookieJar } from "../testing.ts";
import { requireUser } from "./failure.ts";
import { fastifyRequireUser, fastifySessions } from "./fastify.ts";
import { fetchSessions, honoRequireUser, honoSessions } from "./fetch.ts";
import { expressRequireUser, expressSessions, nodeSessions, sessionOf } from "./node.ts";

/** A store whose answers can be held back or refused. */
function switchedStore() {
  const inner = memoryStore();
  const state = { isAway: false, refusesWrites: false, delayMs: 0, saved: 0 };
  const gate = async <R>(isWrite: boolean, run: () => Promise<R>): Promise<R> => {
    if (state.isAway || (isWrite && state.refusesWrites)) throw new Error("away");
    if (isWrite && state.delayMs > 0) await Bun.sleep(state.delayMs);
    const result = await run();
    if (isWrite) state.saved++;
    return result;
  };
  const store: SessionStore = {
    load: (key) => gate(false, () => inner.load(key)),
    create: (key, fields, ttlMs) => gate(true, () => inner.create(key, fields, ttlMs)),
    patch: (key, patch) => gate(true, () => inner.patch(key, patch)),
    remove: (key) => gate(true, () => inner.remove(key)),
    link: (owner, key, ttlMs) => gate(true, () => inner.link(owner, key, ttlMs)),
    unlink: (owner, keys) => gate(true, () => inner.unlink(owner, keys)),
    linked: (owner) => gate(false, () => inner.linked(owner)),
    noteRevocation: (owner, name, ttlMs) => gate(true, () => inner.noteRevocation(owner, name, ttlMs)),
    revocation: (owner) => gate(false, () => inner.revocation(owner)),
  };
  return { store, state };
}

type Switched = ReturnType<typeof switchedStore>["state"];

/** What every server of this test answers: path -> what it does with the session, and the text it sends. */
const ROUTES: Record<string, (session: Session<AnyFields>) => unknown> = {
  "/": (session) => session.status,
  "/count": (session) => session.increment("n"),
  "/in": async (session) => {
    await session.signIn("ann");
    return "in";
  },
  "/out": async (session) => {
    await session.signOut();
    return "out";
  },
  "/secret": (session) => requireUser(session),
};

const stops: (() => unknown)[] = [];
afterAll(() => Promise.all(stops.map((stop) => stop())));

const listening = (server: ReturnType<typeof createServer>): Promise<string> =>
  new Promise((resolve) => {
    stops.push(() => server.close());
    server.listen(0, "127.0.0.1", () =>
      resolve(`http://127.0.0.1:${(server.address() as AddressInfo).port}`),
    );
  });

/** Server -> its start, with all routes above, and `/guarded` behind its own guard where it has one. */
const SERVERS: Record<string, (sessions: Sessions<AnyFields>) => Promise<string>> = {
  "node:http": (sessions) =>
    listening(
      createServer(
        nodeSessions(sessions, async (request, response, session) => {
          const path = (request as { url?: string }).url ?? "";
          response.setHeader("Set-Cookie", "own=1");
          const text = String(await (ROUTES[path] ?? ROUTES["/secret"])?.(session));
          response.writeHead(200, { "content-type": "text/plain" });
          response.write(text.slice(0, 1));
          response.end(text.slice(1));
        }) as never,
      ),
    ),
  express: (sessions) => {
    const app = express();
    app.use(expressSessions(sessions) as never);
    app.get("/guarded", expressRequireUser() as never, (_request, response) => void response.send("in"));
    // oxlint-disable-next-line no-async-endpoint-handlers -- Express 5 catches what is rejected
    app.use(async (request, response) => {
      response.cookie("own", "1");
      response.send(String(await ROUTES[request.path]?.(sessionOf(request))));
    });
    return listening(createServer(app));
  },
  fastify: async (sessions) => {
    const app = fastify();
    fastifySessions(app as never, sessions);
    app.get("/guarded", { preHandler: fastifyRequireUser as never }, async () => "in");
    app.get("*", async (request, reply) => {
      reply.header("set-cookie", "own=1");
      return String(
        await ROUTES[request.url]?.((request as unknown as { session: Session<AnyFields> }).session),
      );
    });
    stops.push(() => app.close());
    return app.listen({ port: 0, host: "127.0.0.1" });
  },
  hono: (sessions) => {
    const app = new Hono<{ Variables: { session: Session<AnyFields> } }>();
    app.use(honoSessions(sessions) as never);
    app.get("/guarded", honoRequireUser() as never, (context) => context.text("in"));
    app.get("*", async (context) => {
      context.header("set-cookie", "own=1");
      return context.text(String(await ROUTES[context.req.path]?.(context.get("session"))));
    });
    return new Promise((resolve) => {
      const server = serve(
        { fetch: app.fetch, port: 0, hostname: "127.0.0.1", overrideGlobalObjects: false },
        ({ port }) => resolve(`http://127.0.0.1:${port}`),
      );
      stops.push(() => server.close());
    });
  },
  fetch: async (sessions) => {
    const server = Bun.serve({
      port: 0,
      fetch: fetchSessions(sessions, async (request: Request, session) => {
        const path = new URL(request.url).pathname;
        const text = String(await (ROUTES[path] ?? ROUTES["/secret"])?.(session));
        return new Response(text, { headers: { "set-cookie": "own=1" } });
      }),
    });
    stops.push(() => server.stop(true));
    return `http://127.0.0.1:${server.port}`;
  },
};

describe("on Bun a text that gets a cookie stays a text, and a stream arrives whole:", () => {
  const sessions = createSessions<AnyFields>({ store: memoryStore() });
  const app = new Hono<{ Variables: { session: Session<AnyFields> } }>();
  app.use(honoSessions(sessions) as never);
  app.get("/:kind", (context) => {
    context.get("session").increment("n");
    return context.req.param("kind") === "text" ? context.text("text") : context.body(stream());
  });
  const stream = () => new Blob(["te", "xt"]).stream();
  const plain = fetchSessions(sessions, (request: Request, session) => {
    session.increment("n");
    return new Response(request.url.endsWith("text") ? "text" : stream());
  });
  for (const [name, handler] of Object.entries({ fetch: plain, hono: app.fetch })) {
    test(name, async () => {
      const server = Bun.serve({ port: 0, fetch: (request) => handler(request) });
      stops.push(() => server.stop(true));
      for (const path of ["/text", "/stream"]) {
        const response = await fetch(`http://127.0.0.1:${server.port}${path}`);
        expect([await response.text(), response.headers.getSetCookie().length]).toEqual(["text", 1]);
        if (path === "/text") expect(response.headers.get("content-type")).toStartWith("text/plain");
      }
    });
  }
});

/** Asks by a browser's jar. */
async function ask(origin: string, jar: CookieJar, path: string) {
  const response = await fetch(origin + path, {
    headers: jar.field === undefined ? {} : { cookie: jar.field },
  });
  const cookies = response.headers.getSetCookie();
  jar.take(cookies);
  const retryAfter = response.headers.get("retry-after");
  return { status: response.status, text: await response.text(), cookies, retryAfter };
}

for (const [name, start] of Object.entries(SERVERS)) {
  describe(name, () => {
    const opened = switchedStore();
    const { store } = opened;
    const state: Switched = opened.state;
    const sessions = createSessions<AnyFields>({ store });
    const origin = start(sessions);

    test("keeps a session over requests, beside the app's own cookie", async () => {
      const jar = new CookieJar();
      expect((await ask(await origin, jar, "/")).cookies).toHaveLength(1);
      expect((await ask(await origin, jar, "/count")).cookies).toHaveLength(2);
      expect((await ask(await origin, jar, "/count")).text).toBe("2");
      expect((await ask(await origin, jar, "/")).text).toBe("active");
    });

    test("signs in and out; what needs a user is 401 without one", async () => {
      const jar = new CookieJar();
      for (const path of ["/secret", "/guarded"])
        expect((await ask(await origin, jar, path)).status).toBe(401);
      await ask(await origin, jar, "/in");
      expect((await ask(await origin, jar, "/secret")).text).toBe("ann");
      expect((await ask(await origin, jar, "/guarded")).status).toBe(200);
      await ask(await origin, jar, "/out");
      expect([...jar.cookies.keys()]).toEqual(["own"]);
      expect((await ask(await origin, jar, "/guarded")).status).toBe(401);
    });

    test("sends nothing before the session is saved", async () => {
      state.delayMs = 50;
      const before = state.saved;
      const response = await fetch(`${await origin}/count`);
      expect(state.saved).toBe(before + 1);
      await response.text();
      state.delayMs = 0;
    });

    test("answers 503 instead of claiming a change that was not saved", async () => {
      const jar = new CookieJar();
      await ask(await origin, jar, "/count");
      state.refusesWrites = true;
      for (const browser of [jar, new CookieJar()]) {
        const { status, text, cookies } = await ask(await origin, browser, "/count");
        expect([status, JSON.parse(text), cookies]).toEqual([503, { error: "session-not-saved" }, []]);
      }
      state.refusesWrites = false;
      expect((await ask(await origin, jar, "/count")).text).toBe("2");
    });

    test("with the store away goes on without a session, and answers 503 where one is needed", async () => {
      const jar = new CookieJar();
      await ask(await origin, jar, "/in");
      state.isAway = true;
      expect((await ask(await origin, jar, "/")).text).toBe("unavailable");
      for (const path of ["/secret", "/guarded", "/count"]) {
        const { status, retryAfter } = await ask(await origin, jar, path);
        expect([path, status, retryAfter]).toEqual([path, 503, "1"]);
      }
      state.isAway = false;
      expect((await ask(await origin, jar, "/secret")).text).toBe("ann");
    });
  });
}
