/** The store at its sockets: what is malformed, too large, too slow or too many. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { connect, type Socket } from "node:net";
import { eventually } from "../../src/gateway/testing/index.ts";
import { textOf } from "../../src/resp/index.ts";
import { RespClient } from "../../src/resp/io/index.ts";
import { type StoreProcess, startStore } from "./store-process.ts";

const MIB = 1024 * 1024;
let store: StoreProcess;
let client: RespClient;
const sockets: Socket[] = [];

beforeAll(async () => {
  const settings = {
    argumentBytesMax: 8 * MIB,
    requestBytesMax: 16 * MIB,
    outputBytesMax: 64 * MIB,
    clientsMax: 12_000,
  };
  store = await startStore({ settings });
  client = new RespClient({ url: store.url, deadlineMs: 10_000 });
});
afterAll(async () => {
  for (const socket of sockets) socket.destroy();
  client.close();
  await store.stop();
});

interface Raw {
  readonly socket: Socket;
  readonly received: () => string;
  readonly isClosed: () => boolean;
}

function open(): Raw {
  const socket = connect(store.port, "127.0.0.1");
  sockets.push(socket);
  let received = "";
  let closed = false;
  socket.on("error", () => {});
  socket.on("close", () => {
    closed = true;
  });
  socket.on("data", (bytes) => {
    received += bytes.toString("latin1");
  });
  return { socket, received: () => received, isClosed: () => closed };
}

/** What comes back for `text`, once the store has closed the connection. */
async function untilClosed(text: string): Promise<string> {
  const { socket, received, isClosed } = open();
  socket.write(text, "latin1");
  await eventually("the end of the connection", isClosed);
  return received();
}

/** Resident memory in MiB. */
function residentMib(): number {
  return Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${store.pid}/status`, "utf8"))?.[1]) / 1024;
}

describe("a client", () => {
  test.each([
    ["*1\r\n:1\r\n", "-ERR Protocol error: expected '$', got ':'\r\n"],
    ["*x\r\n", "-ERR Protocol error: invalid multibulk length\r\n"],
    ["*1\r\n$99999999999\r\n", "-ERR Protocol error: invalid bulk length\r\n"],
    ['SET "a\r\n', "-ERR Protocol error: unbalanced quotes in request\r\n"],
    ["PING\r\nQUIT\r\nPING\r\n", "+PONG\r\n+OK\r\n"],
    [`*2\r\n$3\r\nGET\r\n$${9 * MIB}\r\n`, "-ERR Protocol error: invalid bulk length\r\n"],
  ])("that says %p is told %p and closed", async (text, told) => {
    expect(await untilClosed(text)).toBe(told);
  });

  test("that sends garbage of 64 KiB without a line is closed", async () => {
    expect(await untilClosed("x".repeat(70_000))).toBe("-ERR Protocol error: too big inline request\r\n");
  });

  test("whose request comes byte by byte gets its reply", async () => {
    const { socket, received } = open();
    socket.setNoDelay(true);
    for (const byte of "*2\r\n$4\r\nECHO\r\n$5\r\nhello\r\n") {
      socket.write(byte);
      await new Promise((resolve) => setImmediate(resolve));
    }
    await eventually("the reply", () => received() === "$5\r\nhello\r\n");
  });

  test("gets the replies of 10,000 pipelined requests in order", async () => {
    const replies = await client.pipeline(Array.from({ length: 10_000 }, (_, i) => ["ECHO", i]));
    expect(replies.map(textOf)).toEqual(Array.from({ length: 10_000 }, (_, i) => String(i)));
  });

  test("sets and gets a value of 8 MiB", async () => {
    const value = new Uint8Array(8 * MIB).fill(7);
    expect(await client.call(["SET", "large", value])).toBe("OK");
    expect(await client.call(["GET", "large"])).toEqual(value);
  });

  test("that asks for more and does not read is slowed down: memory stays, and others are served", async () => {
    await client.call(["SET", "large", new Uint8Array(MIB)]);
    const before = residentMib();
    const { socket, isClosed } = open();
    socket.pause();
    for (let i = 0; i < 2000; i++) socket.write("GET large\r\n");
    for (let i = 0; i < 20; i++) expect(await client.call(["PING"])).toBe("PONG");
    await Bun.sleep(200);
    expect(residentMib() - before).toBeLessThan(64);
    expect(isClosed()).toBe(false);
    socket.destroy();
  });

  test("that subscribes and does not read is cut when its bound is reached", async () => {
    await client.call(["CONFIG", "SET", "client-output-buffer-limit", "pubsub 4mb 0 0"]);
    const { socket, received, isClosed } = open();
    socket.write("SUBSCRIBE flood\r\n");
    await eventually("the subscription", () => received().includes("flood"));
    socket.pause();
    const message = "m".repeat(100_000);
    for (let i = 0; i < 300; i++) await client.call(["PUBLISH", "flood", message]);
    expect(await client.call(["PUBLISH", "flood", message])).toBe(0);
    socket.resume();
    await eventually("the end of the connection", isClosed);
  });

  test("that waits and goes away leaves nothing behind", async () => {
    const { socket } = open();
    socket.write("BLPOP waited 0\r\n");
    const blocked = async (): Promise<string> => textOf(await client.call(["INFO", "clients"])) ?? "";
    while (!(await blocked()).includes("blocked_clients:1")) await Bun.sleep(5);
    socket.destroy();
    while (!(await blocked()).includes("blocked_clients:0")) await Bun.sleep(5);
    await client.call(["RPUSH", "waited", "x"]);
    expect(await client.call(["LLEN", "waited"])).toBe(1);
  });

  test("that waits gets what it sent behind answered after, in order", async () => {
    const { socket, received } = open();
    socket.write("BLPOP ordered 0\r\nECHO after\r\n");
    await Bun.sleep(20);
    expect(received()).toBe("");
    await client.call(["RPUSH", "ordered", "x"]);
    await eventually("both replies", () => received().endsWith("after\r\n"));
    expect(received()).toBe("*2\r\n$7\r\nordered\r\n$1\r\nx\r\n$5\r\nafter\r\n");
  });
});

const descriptors = Number(
  /Max open files\s+(\d+)/.exec(readFileSync("/proc/self/limits", "utf8"))?.[1] ?? 0,
);

describe("many clients", () => {
  test.skipIf(descriptors < 12_000)(
    "10,000 idle ones take a bounded memory, and each is served (needs 12,000 descriptors)",
    async () => {
      const before = residentMib();
      const many: Raw[] = [];
      while (many.length < 10_000) {
        const batch = Array.from({ length: 500 }, open);
        many.push(...batch);
        for (const { socket } of batch) socket.write("PING\r\n");
        await eventually(
          "500 replies",
          () => batch.every(({ received }) => received() === "+PONG\r\n"),
          20_000,
        );
      }
      expect(residentMib() - before).toBeLessThan(150);
      for (const { socket } of many) socket.destroy();
    },
    60_000,
  );

  test("beyond the bound are told so", async () => {
    await client.call(["CONFIG", "SET", "maxclients", "1"]);
    const { received, isClosed } = open();
    await eventually("the end of the connection", isClosed);
    expect(["-ERR max number of clients reached\r\n", ""]).toContain(received());
    await client.call(["CONFIG", "SET", "maxclients", "12000"]);
  });
});
