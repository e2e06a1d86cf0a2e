import { afterEach, expect, test } from "bun:test";
import { createServer, type Server, type Socket } from "node:net";
import type { HealthConfig } from "../../config/index.ts";
import type { CheckResult } from "../target-state.ts";
import { probe } from "./probe.ts";

const POLICY: HealthConfig = {
  kind: "http",
  path: "/healthz",
  statuses: [[200, 399]],
  intervalMs: 1000,
  timeoutMs: 100,
  rise: 1,
  fall: 1,
  jitter: 0,
};

const servers: Server[] = [];
afterEach(() => {
  for (const server of servers.splice(0)) server.close();
});

/** A server that does this with each connection; its port. */
function serve(handle: (socket: Socket) => void): Promise<number> {
  const server = createServer((socket) => {
    socket.on("error", () => {});
    handle(socket);
  });
  servers.push(server);
  return new Promise((resolve) => {
    server.listen(0, "127.0.0.1", () => resolve((server.address() as { port: number }).port));
  });
}

/** What a check finds at a server that says this once it is asked. */
async function checkOf(answer: string, policy: Partial<HealthConfig> = {}): Promise<CheckResult> {
  const port = await serve((socket) => socket.on("data", () => socket.write(answer)));
  return probe({ host: "127.0.0.1", port }, { ...POLICY, ...policy });
}

test("a status in range passes, whatever follows it", async () => {
  expect(await checkOf("HTTP/1.1 204 No Content\r\n\r\n")).toEqual({ kind: "pass" });
  expect(await checkOf("HTTP/1.0 200\r\nX: y")).toEqual({ kind: "pass" });
});

test("another status fails, and is told", async () => {
  expect(await checkOf("HTTP/1.1 503 Unavailable\r\n\r\n")).toEqual({
    kind: "fail",
    reason: "status",
    status: 503,
  });
  expect(await checkOf("HTTP/1.1 503 Unavailable\r\n\r\n", { statuses: [[503, 503]] })).toEqual({
    kind: "pass",
  });
});

test("interim responses are passed over, in pieces too", async () => {
  const port = await serve((socket) => {
    socket.on("data", () => {
      socket.write("HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n");
      setTimeout(() => socket.write("\r\nHTTP/1.1 200 OK\r\n\r\n"), 5);
    });
  });
  expect(await probe({ host: "127.0.0.1", port }, POLICY)).toEqual({ kind: "pass" });
});

test("what is no HTTP is malformed", async () => {
  expect(await checkOf("SSH-2.0-OpenSSH\r\n")).toEqual({ kind: "fail", reason: "malformed" });
  expect(await checkOf("x".repeat(10_000))).toEqual({ kind: "fail", reason: "malformed" });
});

test("a connection that ends without an answer is closed or reset", async () => {
  const closing = await serve((socket) => socket.on("data", () => socket.end()));
  expect(await probe({ host: "127.0.0.1", port: closing }, POLICY)).toEqual({
    kind: "fail",
    reason: "closed",
  });
  const resetting = await serve((socket) => socket.on("data", () => socket.resetAndDestroy()));
  expect(await probe({ host: "127.0.0.1", port: resetting }, POLICY)).toEqual({
    kind: "fail",
    reason: "reset",
  });
});

test("silence ends at the timeout", async () => {
  const port = await serve(() => {});
  expect(await probe({ host: "127.0.0.1", port }, POLICY)).toEqual({ kind: "fail", reason: "timeout" });
});

test("nobody there: connect-refused", async () => {
  const port = await serve(() => {});
  for (const server of servers.splice(0)) server.close();
  expect(await probe({ host: "127.0.0.1", port }, POLICY)).toEqual({
    kind: "fail",
    reason: "connect-refused",
  });
});

test("a TCP check passes once the connection stands, and leaves in order", async () => {
  const ends: string[] = [];
  const port = await serve((socket) => {
    socket.on("end", () => ends.push("end")).on("error", () => ends.push("error"));
    socket.resume();
  });
  expect(await probe({ host: "127.0.0.1", port }, { ...POLICY, kind: "tcp" })).toEqual({ kind: "pass" });
  while (ends.length === 0) await new Promise((resolve) => setTimeout(resolve, 1));
  expect(ends).toEqual(["end"]);
});

test("asks its own port with its own Host when the policy names them", async () => {
  let asked = "";
  const port = await serve((socket) =>
    socket.on("data", (bytes) => {
      asked = String(bytes);
      socket.write("HTTP/1.1 200 OK\r\n\r\n");
    }),
  );
  await probe({ host: "127.0.0.1", port: 1 }, { ...POLICY, port, host: "app.internal" });
  expect(asked).toStartWith("GET /healthz HTTP/1.1\r\nHost: app.internal\r\n");
});
