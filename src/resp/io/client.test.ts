import { afterEach, describe, expect, test } from "bun:test";
import { createServer, type Server, type Socket } from "node:net";
import { ReplyError } from "../reply.ts";
import { plain } from "../testing.ts";
import { RespClient, type RespClientOptions } from "./client.ts";
import { StoreError } from "./store-error.ts";

const HELLO = "%1\r\n+server\r\n+test\r\n";

/** Servers and clients of the present test. */
const open: (() => void)[] = [];
afterEach(() => {
  for (const close of open.splice(0)) close();
});

/** A server that runs `answer` for each piece that arrives, after having answered HELLO. Resolves to its port. */
async function serve(
  answer: (socket: Socket, text: string) => void,
  port = 0,
): Promise<{ port: number; server: Server }> {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on("error", () => {});
    socket.on("data", (bytes) => {
      const text = bytes.toString("latin1");
      if (text.includes("HELLO")) socket.write(HELLO);
      else answer(socket, text);
    });
  });
  await new Promise<void>((resolve) => server.listen(port, "127.0.0.1", resolve));
  open.push(() => {
    server.close();
    for (const socket of sockets) socket.destroy();
  });
  const address = server.address();
  return { server, port: typeof address === "object" && address !== null ? address.port : 0 };
}

function client(port: number, options: Partial<RespClientOptions> = {}): RespClient {
  const made = new RespClient({ url: `redis://127.0.0.1:${port}`, random: () => 0.5, ...options });
  open.push(() => made.close());
  return made;
}

const codeOf = (error: unknown): string => (error instanceof StoreError ? error.code : String(error));
const outcome = (call: Promise<unknown>): Promise<unknown> => call.catch(codeOf);

describe("a client", () => {
  test("sends the calls of one turn in one write, and gives each its reply", async () => {
    const writes: string[] = [];
    const { port } = await serve((socket, text) => {
      writes.push(text);
      socket.write("$1\r\na\r\n-ERR no\r\n:3\r\n".repeat(text.split("GET").length > 2 ? 1 : 0));
    });
    const store = client(port);
    const first = store.call(["GET", "a"]);
    const second = outcome(store.call(["GET", "b"]));
    const third = store.call(["GET", "c"]);
    expect([plain(await first), await second, await third]).toEqual(["$a", "ReplyError: ERR no", 3]);
    expect(writes).toHaveLength(1);
  });

  test("gives refusals of a pipeline as values, and of a call as rejection", async () => {
    const { port } = await serve((socket) => socket.write("+OK\r\n-WRONGTYPE x\r\n"));
    const replies = await client(port).pipeline([["SET"], ["GET"]]);
    expect(replies[1]).toBeInstanceOf(ReplyError);
    expect(replies[1]).toMatchObject({ code: "WRONGTYPE" });
  });

  test("tells pushes from replies", async () => {
    const pushes: unknown[] = [];
    const { port } = await serve((socket) => socket.write(">2\r\n+invalidate\r\n*1\r\n$1\r\nk\r\n+OK\r\n"));
    const store = client(port, { onPush: (push) => pushes.push(plain(push)) });
    expect(await store.call(["GET", "k"])).toBe("OK");
    expect(pushes).toEqual([["invalidate", ["$k"]]]);
  });

  test("never waits beyond the deadline for a server that hangs, and then connects anew", async () => {
    let connections = 0;
    const { port, server } = await serve(() => {});
    server.on("connection", () => connections++);
    const store = client(port, { deadlineMs: 40 });
    const startedMs = performance.now();
    expect(await outcome(store.call(["GET", "k"]))).toBe("deadline-exceeded");
    expect(performance.now() - startedMs).toBeLessThan(400);
    await until(() => store.state === "ready" && connections === 2);
  });

  test("does not give a late reply to the next call", async () => {
    const { port } = await serve((socket, text) => {
      // The push shows that the server lives, so the connection stays.
      socket.write(text.includes("slow") ? ">1\r\n+alive\r\n" : "+slow\r\n+fast\r\n");
    });
    const store = client(port);
    expect(await outcome(store.call(["GET", "slow"], 20))).toBe("deadline-exceeded");
    expect(await store.call(["GET", "fast"])).toBe("fast");
  });

  test("fails at once while the connection is known to be down, and heals", async () => {
    const first = await serve((socket) => socket.end());
    const states: string[] = [];
    const store = client(first.port, { onState: (state) => states.push(state) });
    expect(await outcome(store.call(["GET", "k"]))).toBe("connection-lost");
    expect(store.state).toBe("waiting");
    expect(await outcome(store.call(["GET", "k"]))).toBe("not-connected");
    first.server.close();
    await serve((socket) => socket.write("+OK\r\n"), first.port);
    await until(() => store.state === "ready");
    expect(await store.call(["GET", "k"])).toBe("OK");
  });

  test("holds no more calls than its bound", async () => {
    const { port } = await serve(() => {});
    const store = client(port, { pendingMax: 10, deadlineMs: 200 });
    const calls = Array.from({ length: 15 }, () => outcome(store.call(["GET", "k"])));
    const outcomes = await Promise.all(calls);
    expect(outcomes.filter((code) => code === "too-many-pending")).toHaveLength(5);
    expect(store.pending).toBeLessThanOrEqual(10);
  });

  test("gives up a server that answers garbage", async () => {
    const { port } = await serve((socket) => socket.write("HTTP/1.1 400 Bad Request\r\n\r\n"));
    expect(await outcome(client(port).call(["GET", "k"]))).toBe("garbled-reply");
  });

  test("tells a refused handshake from a lost connection", async () => {
    const server = createServer((socket) => socket.on("data", () => socket.write("-WRONGPASS invalid\r\n")));
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    open.push(() => server.close());
    const address = server.address();
    const store = client(typeof address === "object" ? (address?.port ?? 0) : 0);
    expect(await outcome(store.call(["PING"]))).toBe("handshake-refused");
  });

  test("rejects what waits when it is closed", async () => {
    const { port } = await serve(() => {});
    const store = client(port);
    const waiting = outcome(store.call(["GET", "k"]));
    store.close();
    expect(await waiting).toBe("closed");
    expect(await outcome(store.call(["GET", "k"]))).toBe("closed");
  });

  test("refuses what is no store URL", () => {
    expect(() => new RespClient({ url: "http://x" })).toThrow("is no store URL");
  });
});

async function until(holds: () => boolean): Promise<void> {
  const endMs = performance.now() + 4_000;
  while (!holds()) {
    if (performance.now() > endMs) throw new Error("did not happen within 4 s");
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
}
