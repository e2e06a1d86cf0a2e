/** The bus against a server that the test plays: cut, hung, delayed, doubled and garbled. */
import { afterEach, describe, expect, test } from "bun:test";
import { createServer, type Socket } from "node:net";
import { systemScheduler } from "../../base/index.ts";
import type { Invalidation } from "../store/store.ts";
import { Bus } from "./bus.ts";

const open: (() => void)[] = [];
afterEach(() => {
  for (const close of open.splice(0)) close();
});

const bulk = (text: string): string => `$${text.length}\r\n${text}\r\n`;
const message = (body: string): string => `>3\r\n${bulk("message")}${bulk("bus")}${bulk(body)}`;
const invalidation = { kind: "key", key: "k", soft: false } as const;
const body = (from: string): string => JSON.stringify({ from, invalidation });

/** A server that subscribes everybody and answers PINGs while it is told to, and a bus on it. */
async function setUp() {
  const sockets = new Set<Socket>();
  const state = { answersPings: true, subscriptions: 0 };
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on("error", () => {});
    socket.on("close", () => sockets.delete(socket));
    socket.on("data", (bytes) => {
      const text = bytes.toString("latin1");
      if (text.includes("HELLO")) socket.write("%1\r\n+server\r\n+x\r\n");
      if (text.includes("CLIENT")) socket.write("+OK\r\n");
      if (text.includes("SUBSCRIBE")) {
        state.subscriptions++;
        socket.write(`>3\r\n${bulk("subscribe")}${bulk("bus")}:1\r\n`);
      }
      if (text.includes("PING") && state.answersPings) socket.write("+PONG\r\n");
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  const port = typeof address === "object" ? address?.port : 0;
  const heard: Invalidation[] = [];
  const interruptions: number[] = [];
  const bus = new Bus({
    client: { url: `redis://127.0.0.1:${port}` },
    channels: ["bus"],
    origin: "me",
    pingEveryMs: 200,
    scheduler: systemScheduler,
    listener: { invalidated: (each) => heard.push(each), interrupted: () => interruptions.push(1) },
  });
  open.push(() => {
    bus.close();
    server.close();
    for (const socket of sockets) socket.destroy();
  });
  await until(() => state.subscriptions === 1);
  return { sockets, state, heard, interruptions };
}

describe("the bus", () => {
  test("tells what others send, twice when it comes twice, and not what is its own", async () => {
    const { sockets, heard, interruptions } = await setUp();
    for (const socket of sockets)
      socket.write(message(body("other")) + message(body("me")) + message(body("other")));
    await until(() => heard.length === 2);
    expect(heard).toEqual([invalidation, invalidation]);
    expect(interruptions).toHaveLength(0);
  });

  test("a message that cannot be understood may have been anything", async () => {
    const { sockets, heard, interruptions } = await setUp();
    for (const socket of sockets)
      socket.write(message("{") + message("{}") + message('{"from":"x","invalidation":{}}'));
    await until(() => interruptions.length === 3);
    expect(heard).toEqual([]);
  });

  test("a connection that is cut is an interruption, and one more when it is back", async () => {
    const { sockets, state, interruptions } = await setUp();
    for (const socket of sockets) socket.destroy();
    await until(() => interruptions.length === 1);
    await until(() => state.subscriptions === 2 && interruptions.length === 2);
  });

  test("a connection that hangs is found out by an unanswered PING, and replaced", async () => {
    const { state, interruptions } = await setUp();
    state.answersPings = false;
    await until(() => interruptions.length > 0);
    state.answersPings = true;
    await until(() => state.subscriptions >= 2);
  });

  test("one that answers is left alone", async () => {
    const { state, interruptions } = await setUp();
    await Bun.sleep(900);
    expect([state.subscriptions, interruptions.length]).toEqual([1, 0]);
  });
});

async function until(holds: () => boolean, timeoutMs = 4000): Promise<void> {
  for (let waitedMs = 0; waitedMs < timeoutMs; waitedMs += 10) {
    if (holds()) return;
    await Bun.sleep(10);
  }
  throw new Error(`it did not come to that within ${timeoutMs} ms`);
}
