import { afterAll, expect, test } from "bun:test";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { type AddressInfo, connect } from "node:net";
import { Readable } from "node:stream";
import type { Session } from "../session.ts";
import { createSessions } from "../sessions.ts";
import { memoryStore } from "../stores/memory.ts";
import type { AnyFields } from "../testing.ts";
import { nodeSessions } from "./node.ts";

type Listener = (request: IncomingMessage, response: ServerResponse, session: Session<AnyFields>) => unknown;

const stops: (() => void)[] = [];
afterAll(() => stops.forEach((stop) => stop()));

/** One server with one listener, and what it was asked to save. */
async function server(listener: Listener, saveDelayMs = 5) {
  const inner = memoryStore();
  const log: string[] = [];
  const store = {
    ...inner,
    create: async (...call: Parameters<typeof inner.create>) => {
      await Bun.sleep(saveDelayMs);
      log.push("created");
      return inner.create(...call);
    },
    patch: async (...call: Parameters<typeof inner.patch>) => {
      await Bun.sleep(saveDelayMs);
      log.push("patched");
      return inner.patch(...call);
    },
  };
  const sessions = createSessions<AnyFields>({ store });
  const http = createServer(nodeSessions(sessions, listener as never) as never);
  await new Promise<void>((resolve) => http.listen(0, "127.0.0.1", resolve));
  stops.push(() => http.close());
  return { origin: `http://127.0.0.1:${(http.address() as AddressInfo).port}`, log, inner };
}

test("what is written while the session is saved arrives whole and in order", async () => {
  const chunks = Array.from({ length: 200 }, (_, index) => `${index},`.repeat(100));
  const { origin } = await server((_request, response, session) => {
    session.set("a", 1);
    Readable.from(chunks).pipe(response);
  });
  const response = await fetch(origin);
  expect(response.headers.getSetCookie()).toHaveLength(1);
  expect(await response.text()).toBe(chunks.join(""));
});

test("to the app the head counts as sent from its first byte on", async () => {
  const seen: unknown[] = [];
  const { origin } = await server((_request, response, session) => {
    session.set("a", 1);
    seen.push(response.headersSent);
    response.writeHead(201, "Made", { "x-a": "1" });
    seen.push(response.headersSent);
    seen.push(response.write("b"));
    response.end("c", () => seen.push("ended", response.headersSent));
  });
  const response = await fetch(origin);
  expect([response.status, response.statusText, response.headers.get("x-a"), await response.text()]).toEqual([
    201,
    "Made",
    "1",
    "bc",
  ]);
  expect(seen).toEqual([false, true, false, "ended", true]);
});

for (const [form, headers] of Object.entries({
  object: { "Set-Cookie": "own=1" },
  "object of lists": { "set-cookie": ["own=1", "more=2"] },
  list: ["Set-Cookie", "own=1", "x-a", "1"],
})) {
  test(`writeHead with a Set-Cookie of the app's own, as ${form}, keeps the session's`, async () => {
    const { origin } = await server((_request, response, session) => {
      session.set("a", 1);
      response.writeHead(200, headers as never).end();
    });
    const cookies = (await fetch(origin)).headers.getSetCookie();
    expect(cookies.map((cookie) => cookie.split("=")[0])).toEqual(
      form === "object of lists" ? ["own", "more", "__Host-session"] : ["own", "__Host-session"],
    );
  });
}

test("flushHeaders sends the head when the session is saved, before the body", async () => {
  let finish = (): void => {};
  const { origin, log } = await server((_request, response, session) => {
    session.set("a", 1);
    response.flushHeaders();
    finish = () => response.end("late");
  });
  const response = await fetch(origin);
  expect([response.status, log]).toEqual([200, ["created"]]);
  finish();
  expect(await response.text()).toBe("late");
});

test("what changes after the head is saved before the end", async () => {
  const { origin, log } = await server((_request, response, session) => {
    session.set("a", 1);
    response.write("first");
    setTimeout(() => {
      session.set("b", 2);
      response.end();
    }, 20);
  });
  await (await fetch(origin)).text();
  expect(log).toEqual(["created", "patched"]);
});

test("what changes while the first save is under way is saved before the end too", async () => {
  const { origin, log } = await server((_request, response, session) => {
    session.set("a", 1);
    response.write("first");
    setTimeout(() => {
      session.set("b", 2);
      response.end();
    }, 5);
  }, 40);
  expect(await (await fetch(origin)).text()).toBe("first");
  expect(log).toEqual(["created", "patched"]);
});

test("a change after the head that cannot be saved cuts the response, which is not to look complete", async () => {
  const world = await server((_request, response, session) => {
    session.set("a", 1);
    response.write("first");
    setTimeout(() => {
      world.inner.patch = () => Promise.reject(new Error("away"));
      session.set("b", 2);
      response.end("last");
    }, 20);
  });
  expect(fetch(world.origin).then((response) => response.text())).rejects.toThrow();
});

test("a client that hangs up while the session is saved hurts nobody", async () => {
  let answered = 0;
  const { origin, log } = await server((_request, response, session) => {
    session.set("a", 1);
    response.end("x", () => answered++);
  }, 50);
  const socket = connect(Number(new URL(origin).port), "127.0.0.1");
  socket.write("GET / HTTP/1.1\r\nhost: x\r\n\r\n");
  await Bun.sleep(10);
  socket.destroy();
  await Bun.sleep(80);
  expect(log).toEqual(["created"]);
  expect((await fetch(origin)).status).toBe(200);
  expect(answered).toBeGreaterThanOrEqual(1);
});
