import { afterEach, describe, expect, test } from "bun:test";
import { REASONS } from "../errors.ts";
import { eventually, gatewayTo, get, ok, post, settle, stopAll, Target, track } from "../testing/index.ts";

afterEach(stopAll);

/** More than the kernel holds for one connection on both of its ends, many times over. */
const LARGE = 48 * 1024 * 1024;

/** What the gateway may hold of it; kernel buffers are not ours, but what they take is counted too. */
const HELD_MAX = 20 * 1024 * 1024;

/** Sends `LARGE` bytes as fast as the other end takes them; tells how many have gone. */
function flood(socket: import("node:net").Socket): { sent: number } {
  const progress = { sent: 0 };
  const chunk = Buffer.alloc(256 * 1024, "x");
  const pump = (): void => {
    while (progress.sent < LARGE && !socket.destroyed) {
      progress.sent += chunk.length;
      if (!socket.write(chunk)) {
        socket.once("drain", pump);
        return;
      }
    }
  };
  pump();
  return progress;
}

/** Waits until a count no longer grows. */
async function standsStill(read: () => number): Promise<number> {
  for (let last = -1; ; ) {
    const now = read();
    if (now === last) return now;
    last = now;
    await new Promise((resolve) => setTimeout(resolve, 60));
  }
}

describe("a slow client", () => {
  test("makes a fast target wait, and gets every byte in the end", async () => {
    const flow = { sent: 0 };
    const target = track(
      await Target.start(({ connection }) => {
        connection.send(`HTTP/1.1 200 OK\r\nContent-Length: ${LARGE}\r\n\r\n`);
        Object.defineProperty(flow, "sent", {
          get: (
            (progress) => () =>
              progress.sent
          )(flood(connection.socket)),
        });
      }),
    );
    const gateway = await gatewayTo([target]);
    const client = await gateway.connect();
    client.keeps = false;
    client.socket.pause();
    client.send(get("/"));
    await target.arrived(1);
    expect(await standsStill(() => flow.sent)).toBeLessThan(HELD_MAX);
    client.socket.resume();
    await eventually("every byte", () => client.bytesReceived > LARGE, 8000);
    await gateway.idle();
    expect(client.isClosed).toBe(false);
  });

  test("that stops reading is cut after the idle timeout", async () => {
    const target = track(
      await Target.start(({ connection }) => {
        connection.send(`HTTP/1.1 200 OK\r\nContent-Length: ${LARGE}\r\n\r\n`);
        flood(connection.socket);
      }),
    );
    const gateway = await gatewayTo([target], { gateway: { timeouts: { idle: "150ms" } } });
    const client = await gateway.connect();
    client.socket.pause();
    client.send(get("/"));
    await target.arrived(1);
    await gateway.idle();
    expect(gateway.scoreboard.groupReason(0, REASONS.indexOf("client-stalled"))).toBe(1);
    await eventually("the target's connection closes", () => target.open === 0);
  });

  test("that reads slowly is not taken for one that stopped", async () => {
    const target = track(
      await Target.start(({ connection }) => {
        connection.send(`HTTP/1.1 200 OK\r\nContent-Length: ${LARGE}\r\n\r\n`);
        flood(connection.socket);
      }),
    );
    const gateway = await gatewayTo([target], { gateway: { timeouts: { idle: "700ms" } } });
    const client = await gateway.connect();
    client.keeps = false;
    client.send(get("/"));
    for (let turn = 0; turn < 5; turn++) {
      client.socket.pause();
      await new Promise((resolve) => setTimeout(resolve, 160));
      client.socket.resume();
      await eventually("some more", () => client.bytesReceived > 1_000_000 * turn);
    }
    await eventually("every byte", () => client.bytesReceived > LARGE, 8000);
  });

  test("that asks and asks without reading gets no further answers made for it", async () => {
    const target = track(await Target.start(() => ok("x".repeat(100_000))));
    target.keeps = true;
    const gateway = await gatewayTo([target]);
    const client = await gateway.connect();
    client.socket.pause();
    client.send(get("/").repeat(1000));
    const made = await standsStill(() => target.arrivals.length);
    expect(made).toBeLessThan(200);
    client.keeps = false;
    client.socket.resume();
    await eventually("every answer", () => client.bytesReceived > 100_000_000, 8000);
  });
});

describe("a slow target", () => {
  test("makes a fast client wait, and gets every byte in the end", async () => {
    const target = track(await Target.start());
    target.stalls = true;
    target.keeps = false;
    const gateway = await gatewayTo([target]);
    const client = await gateway.connect();
    client.send(post("/", "").replace("Content-Length: 0", `Content-Length: ${LARGE}`));
    const flow = flood(client.socket);
    expect(await standsStill(() => flow.sent - client.socket.writableLength)).toBeLessThan(HELD_MAX);
    target.last.socket.resume();
    await eventually("every byte", () => target.last.bytesReceived > LARGE, 8000);
    target.last.send(ok("whole"));
    expect((await client.answer()).body).toBe("whole");
  });

  test("that stops reading ends as upstream-stalled, not as the client's fault", async () => {
    const target = track(await Target.start());
    target.stalls = true;
    const gateway = await gatewayTo([target], { gateway: { timeouts: { idle: "150ms" } } });
    const client = await gateway.connect();
    client.send(post("/", "").replace("Content-Length: 0", `Content-Length: ${LARGE}`));
    flood(client.socket);
    const answer = await client.answer();
    expect(answer.status).toBe(504);
    expect(answer.field("x-error-code")).toBe("upstream-stalled");
  });
});

describe("a client that goes away", () => {
  test("in the middle of its upload takes its target connection with it", async () => {
    const target = track(await Target.start(() => undefined));
    const gateway = await gatewayTo([target]);
    const client = await gateway.connect();
    client.send(post("/", "").replace("Content-Length: 0", "Content-Length: 100") + "half");
    await target.arrived(1);
    expect(gateway.inFlight).toBe(1);
    client.reset();
    await gateway.idle();
    await eventually("the target's connection closes", () => target.open === 0);
    expect(gateway.scoreboard.groupReason(0, REASONS.indexOf("client-closed"))).toBe(1);
  });

  test("in order, but with half a body, is not answered", async () => {
    const target = track(await Target.start(() => undefined));
    const gateway = await gatewayTo([target]);
    const client = await gateway.connect();
    client.send(post("/", "").replace("Content-Length: 0", "Content-Length: 100") + "half");
    await target.arrived(1);
    client.end();
    await client.closes();
    expect(client.bytesReceived).toBe(0);
    await gateway.idle();
  });

  test("in the middle of its download takes its target connection with it", async () => {
    const target = track(
      await Target.start(({ connection }) => {
        connection.send(`HTTP/1.1 200 OK\r\nContent-Length: ${LARGE}\r\n\r\n`);
        flood(connection.socket);
      }),
    );
    const gateway = await gatewayTo([target]);
    const client = await gateway.connect();
    client.send(get("/"));
    await client.sees("xxxx");
    client.reset();
    await gateway.idle();
    await eventually("the target's connection closes", () => target.open === 0);
  });

  test("while its target is still being connected leaves nothing behind", async () => {
    const target = track(await Target.start(() => undefined));
    const gateway = await gatewayTo([target]);
    for (let i = 0; i < 20; i++) {
      const client = await gateway.connect();
      client.send(get("/"));
      client.reset();
    }
    await gateway.idle();
    await eventually("no connection", () => gateway.worker.connections === 0);
    await settle();
    await eventually("no target connection", () => target.open === 0);
  });
});
