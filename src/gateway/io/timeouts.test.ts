import { afterEach, describe, expect, test } from "bun:test";
import { eventually, gatewayTo, get, ok, post, request, stopAll, Target, track } from "../testing/index.ts";

afterEach(stopAll);

const HALF = "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf";

describe("timeouts towards the target", () => {
  test("no first byte: 504, with the target named, and its connection closed", async () => {
    const target = track(await Target.start(() => undefined));
    const gateway = await gatewayTo([target], { gateway: { timeouts: { firstByte: "80ms" } } });
    const client = await gateway.connect();
    const answer = await client.ask(get("/"));
    expect(answer.status).toBe(504);
    expect(JSON.parse(answer.body).error.tried).toEqual([`${target.address}: first-byte-timeout`]);
    await eventually("the target's connection closes", () => target.open === 0);
    await gateway.idle();
  });

  test("a head that trickles in does not renew the time until the first byte", async () => {
    const target = track(
      await Target.start(({ connection }) => {
        const timer = setInterval(() => connection.send("HTTP/1.1 200 OK\r\nX: y"), 30);
        connection.socket.on("close", () => clearInterval(timer));
      }),
    );
    const gateway = await gatewayTo([target], { gateway: { timeouts: { firstByte: "150ms" } } });
    const client = await gateway.connect();
    expect((await client.ask(get("/"))).status).toBeGreaterThanOrEqual(502);
  });

  test("silence in the middle of an answer cuts the client's connection: half is never taken for whole", async () => {
    const target = track(await Target.start(() => HALF));
    const gateway = await gatewayTo([target], { gateway: { timeouts: { idle: "80ms" } } });
    const client = await gateway.connect();
    client.send(get("/"));
    await client.sees("half");
    await eventually("a reset", () => client.wasReset);
    await gateway.idle();
    expect(gateway.log.join()).toContain("upstream-stalled");
  });

  test("a target that keeps sending has time", async () => {
    const target = track(
      await Target.start(({ connection }) => {
        let sent = 0;
        const timer = setInterval(() => {
          connection.send("ab");
          if (++sent === 5) clearInterval(timer);
        }, 50);
        return "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n";
      }),
    );
    const gateway = await gatewayTo([target], { gateway: { timeouts: { idle: "150ms" } } });
    const client = await gateway.connect();
    expect((await client.ask(get("/"))).body).toBe("ababababab");
  });

  test("the whole exchange has an end, whatever moves in it", async () => {
    const target = track(
      await Target.start(({ connection }) => {
        const timer = setInterval(() => connection.send("x"), 20);
        connection.socket.on("close", () => clearInterval(timer));
        return "HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n";
      }),
    );
    const gateway = await gatewayTo([target], { rule: { timeouts: { total: "150ms" } } });
    const client = await gateway.connect();
    client.send(get("/"));
    await eventually("a reset", () => client.wasReset);
    await gateway.idle();
  });

  test("a total timeout before the answer is a 504 of its own", async () => {
    const target = track(await Target.start(() => undefined));
    const gateway = await gatewayTo([target], { rule: { timeouts: { total: "80ms" } } });
    const client = await gateway.connect();
    expect((await client.ask(get("/"))).field("x-error-code")).toBe("total-timeout");
  });

  test("a rule's timeout counts before the gateway's", async () => {
    const target = track(await Target.start(() => undefined));
    const gateway = await gatewayTo([target], { rule: { timeouts: { firstByte: "80ms" } } });
    const client = await gateway.connect();
    expect((await client.ask(get("/"))).field("x-error-code")).toBe("first-byte-timeout");
  });
});

describe("timeouts towards the client", () => {
  test("half a head: 408", async () => {
    const gateway = await gatewayTo([], { gateway: { timeouts: { head: "80ms" } } });
    const client = await gateway.connect();
    client.send("GET / HTTP/1.1\r\nHost");
    const answer = await client.answer();
    expect(answer.status).toBe(408);
    expect(answer.field("x-error-code")).toBe("head-timeout");
    await client.closes();
  });

  test("a head that trickles in has no more time than any other", async () => {
    const gateway = await gatewayTo([], { gateway: { timeouts: { head: "120ms" } } });
    const client = await gateway.connect();
    const timer = setInterval(() => client.send("X-A: b\r\n"), 20);
    client.send("GET / HTTP/1.1\r\n");
    const answer = await client.answer();
    clearInterval(timer);
    expect(answer.status).toBe(408);
  });

  test("a connection that says nothing is closed", async () => {
    const gateway = await gatewayTo([], { gateway: { timeouts: { head: "80ms" } } });
    const client = await gateway.connect();
    await client.closes();
    expect(client.bytesReceived).toBe(0);
    expect(client.wasReset).toBe(false);
  });

  test("an idle connection between requests is closed in order", async () => {
    const target = track(await Target.start());
    const gateway = await gatewayTo([target], { gateway: { timeouts: { keepAlive: "80ms" } } });
    const client = await gateway.connect();
    await client.ask(get("/"));
    await client.closes();
    expect(client.wasReset).toBe(false);
    await eventually("no connection", () => gateway.worker.connections === 0);
  });

  test("a body that stops arriving: 408, and the target's connection closed", async () => {
    const target = track(await Target.start(() => undefined));
    const gateway = await gatewayTo([target], { gateway: { timeouts: { idle: "80ms" } } });
    const client = await gateway.connect();
    client.send(`${request("POST", "/", ["Content-Length: 10"])}half`);
    const answer = await client.answer();
    expect(answer.field("x-error-code")).toBe("body-timeout");
    expect(answer.status).toBe(408);
    await eventually("the target's connection closes", () => target.open === 0);
  });

  test("a slow body has time as long as it moves", async () => {
    const target = track(
      await Target.start(({ connection }) => {
        connection.socket.on("data", () => {
          if (connection.received.endsWith("0123456789")) connection.send(ok("whole"));
        });
      }),
    );
    const gateway = await gatewayTo([target], { gateway: { timeouts: { idle: "150ms" } } });
    const client = await gateway.connect();
    client.send(post("/", "").replace("Content-Length: 0", "Content-Length: 10"));
    for (const digit of "0123456789") {
      client.send(digit);
      await new Promise((resolve) => setTimeout(resolve, 18));
    }
    expect((await client.answer()).body).toBe("whole");
  });
});
