import { afterAll, beforeAll, expect, test } from "bun:test";
import { createServer, type Server, type Socket } from "node:net";
import { describeFailures, type LoadReport, OpenLoad } from "./open-load.ts";
import { freePort, until } from "./wait.ts";

/** Path -> what the server does with the request. */
const BEHAVIOUR: Readonly<Record<string, (socket: Socket) => unknown>> = {
  "/fine": (socket) => socket.write("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"),
  "/early-hints": (socket) =>
    socket.write("HTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"),
  "/reset": (socket) => socket.destroy(),
  "/short": (socket) => socket.end("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nok"),
  "/broken": (socket) => socket.write("HTTP/1.1 503 No\r\nContent-Length: 0\r\n\r\n"),
  "/missing": (socket) => socket.write("HTTP/1.1 404 No\r\nContent-Length: 0\r\n\r\n"),
  "/garbage": (socket) => socket.write("HTTP/1.1 200 OK\r\nContent-Length: +2\r\n\r\nok"),
  "/silence": () => {},
};

let server: Server;
let port: number;

beforeAll(async () => {
  server = createServer((socket) => {
    socket.on("error", () => {});
    socket.on("data", (bytes) => BEHAVIOUR[bytes.toString().split(" ")[1] ?? ""]?.(socket));
  });
  port = await listening(server);
});

afterAll(() => server.close());

/** The port that the kernel chose: one that was found free may be somebody else's by the time it is used. */
async function listening(on: Server): Promise<number> {
  await new Promise<void>((resolve) => on.listen(0, "127.0.0.1", resolve));
  const address = on.address();
  return typeof address === "object" && address !== null ? address.port : 0;
}

/** Sends requests for one path until `enough` have ended. */
async function load(path: string, enough: number, at: number = port): Promise<LoadReport> {
  const request = (): string => `GET ${path} HTTP/1.1\r\nHost: a\r\n\r\n`;
  // Only who waits for nothing gives up soon: an answer may take its time on a busy machine.
  const timeoutMs = path === "/silence" ? 50 : 5000;
  const running = new OpenLoad({ port: at, ratePerSecond: 1000, request, timeoutMs });
  await until("enough requests", 5000, () => running.answered() + running.failedTotal() >= enough);
  return running.stop();
}

test("every due request ends as answered", async () => {
  for (const path of ["/fine", "/early-hints"]) {
    const report = await load(path, 50);
    expect(report.failedTotal).toBe(0);
    expect(report.answered).toBe(report.due);
    expect(report.due).toBeGreaterThanOrEqual(50);
  }
});

test("each failure counts once, as its kind", async () => {
  const kinds = { "/reset": "reset", "/short": "short-body", "/broken": "5xx", "/missing": "4xx" } as const;
  const more = { "/garbage": "malformed", "/silence": "timeout" } as const;
  for (const [path, kind] of Object.entries({ ...kinds, ...more })) {
    const report = await load(path, 5);
    expect([path, report.failed[kind], report.answered]).toEqual([path, report.due, 0]);
  }
});

test("a port that nobody listens on counts as refused", async () => {
  const report = await load("/fine", 5, freePort());
  expect(report.failed.refused).toBe(report.due);
  expect(describeFailures(report)).toContain("refused");
});

test("a stall is paid for by every request that was due meanwhile", async () => {
  const stalled: Socket[] = [];
  let isStalled = true;
  const slow = createServer((socket) => {
    socket.on("error", () => {});
    socket.on("data", () => (isStalled ? stalled.push(socket) : BEHAVIOUR["/fine"]?.(socket)));
  });
  const slowPort = await listening(slow);
  const running = new OpenLoad({ port: slowPort, ratePerSecond: 500 });
  await until("fifty requests to wait", 5000, () => stalled.length >= 50);
  isStalled = false;
  for (const socket of stalled) BEHAVIOUR["/fine"]?.(socket);
  const report = await running.stop();
  slow.close();
  expect(report.failedTotal).toBe(0);
  expect(report.p50Ms).toBeGreaterThan(20);
});
