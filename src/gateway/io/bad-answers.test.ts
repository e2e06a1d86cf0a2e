import { afterEach, describe, expect, test } from "bun:test";
import { eventually, gatewayTo, get, ok, stopAll, Target, track } from "../testing/index.ts";

afterEach(stopAll);

/** The code of the page that a client gets when the target answers so. */
async function codeFor(answer: string): Promise<string | undefined> {
  const target = track(await Target.start(() => answer));
  const gateway = await gatewayTo([target]);
  const client = await gateway.connect();
  const page = await client.ask(get("/"));
  await eventually("the target's connection closes", () => target.open === 0);
  await gateway.idle();
  expect(page.status).toBe(502);
  return page.field("x-error-code");
}

describe("an answer that is no HTTP", () => {
  test.each([
    ["garbage", "SSH-2.0-OpenSSH_9.2\r\n\r\n"],
    ["an unknown version", "HTTP/2.0 200 OK\r\n\r\n"],
    ["two framings", "HTTP/1.1 200 OK\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"],
    ["two lengths", "HTTP/1.1 200 OK\r\nContent-Length: 4\r\nContent-Length: 5\r\n\r\nabcde"],
    ["a bare line feed", "HTTP/1.1 200 OK\nContent-Length: 0\n\n"],
    ["an unknown coding", "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\n"],
    ["a head beyond the limit", `HTTP/1.1 200 OK\r\nX: ${"x".repeat(40_000)}\r\n\r\n`],
  ])("%s: 502", async (_, answer) => {
    expect(await codeFor(answer)).toBe("upstream-invalid");
  });

  test("the log says what is wrong with it", async () => {
    const target = track(await Target.start(() => "SSH-2.0\r\n\r\n"));
    const gateway = await gatewayTo([target]);
    await (await gateway.connect()).ask(get("/"));
    expect(gateway.log.join()).toContain("upstream-status-line-malformed");
  });
});

describe("an answer of another length than it says", () => {
  test("what goes beyond it is dropped, and the connection not used again", async () => {
    const target = track(await Target.start(() => `${ok("four")}${ok("smuggled")}`));
    const gateway = await gatewayTo([target]);
    const client = await gateway.connect();
    for (let i = 0; i < 3; i++) expect((await client.ask(get("/"))).body).toBe("four");
    expect(target.connections.length).toBe(3);
  });

  test("what falls short of it cuts the client's connection", async () => {
    const target = track(
      await Target.start(({ connection }) => {
        connection.send("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf");
        connection.socket.end();
      }),
    );
    const gateway = await gatewayTo([target]);
    const client = await gateway.connect();
    client.send(get("/"));
    await eventually("a reset", () => client.wasReset);
    expect(client.received).toEndWith("\r\n\r\nhalf");
    expect(gateway.log.join()).toContain("upstream-cut");
    await gateway.idle();
  });

  test("a chunked one that breaks off cuts the client's connection", async () => {
    const target = track(
      await Target.start(({ connection }) => {
        connection.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhel");
        connection.socket.end();
      }),
    );
    const gateway = await gatewayTo([target]);
    const client = await gateway.connect();
    client.send(get("/"));
    await eventually("a reset", () => client.wasReset);
    expect(client.received).not.toContain("0\r\n\r\n");
  });

  test("a chunked one that breaks the grammar midway cuts the client's connection", async () => {
    const target = track(
      await Target.start(() => {
        return "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\nxyz\r\n";
      }),
    );
    const gateway = await gatewayTo([target]);
    const client = await gateway.connect();
    client.send(get("/"));
    await eventually("a reset", () => client.wasReset);
    expect(client.received).not.toContain("0\r\n\r\n");
  });
});

describe("an answer without a length", () => {
  test("ends with the connections of both sides", async () => {
    const target = track(
      await Target.start(({ connection }) => {
        connection.send("HTTP/1.1 200 OK\r\n\r\nuntil ");
        setImmediate(() => connection.socket.end("the end"));
      }),
    );
    const gateway = await gatewayTo([target]);
    const client = await gateway.connect();
    const answer = await client.ask(get("/"));
    expect(answer.field("connection")).toBe("close");
    expect(answer.body).toBe("until the end");
    expect(client.wasReset).toBe(false);
    await gateway.idle();
  });

  test("is whole at a slow client too, long after the target has gone", async () => {
    const size = 20_000_000;
    const target = track(
      await Target.start(({ connection }) => {
        connection.send("HTTP/1.1 200 OK\r\n\r\n");
        connection.socket.end("x".repeat(size));
      }),
    );
    const gateway = await gatewayTo([target]);
    const client = await gateway.connect();
    client.keeps = false;
    client.socket.pause();
    client.send(get("/"));
    await target.arrived(1);
    await new Promise((resolve) => setTimeout(resolve, 60));
    client.socket.resume();
    await client.closes();
    expect(client.bytesReceived).toBeGreaterThan(size);
    expect(client.wasReset).toBe(false);
  });

  test("is cut, not ended, when the target's connection is reset", async () => {
    const target = track(
      await Target.start(({ connection }) => {
        connection.send("HTTP/1.1 200 OK\r\n\r\nuntil ");
      }),
    );
    const gateway = await gatewayTo([target]);
    const client = await gateway.connect();
    client.send(get("/"));
    await client.sees("until ");
    target.last.socket.resetAndDestroy();
    await eventually("a reset", () => client.wasReset);
    await gateway.idle();
  });
});

describe("a target's own Connection field", () => {
  test("close: the connection is not used again, the client's stays", async () => {
    const target = track(await Target.start(() => ok("x", "Connection: close")));
    const gateway = await gatewayTo([target]);
    const client = await gateway.connect();
    for (let i = 0; i < 2; i++) expect((await client.ask(get("/"))).field("connection")).toBeUndefined();
    expect(target.connections.length).toBe(2);
  });
});
