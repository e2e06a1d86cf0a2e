import { afterEach, describe, expect, test } from "bun:test";
import { gatewayTo, get, ok, post, request, settle, stopAll, Target, track } from "../testing/index.ts";

afterEach(stopAll);

describe("an exchange", () => {
  test("brings a request to the target and its answer back", async () => {
    const target = track(await Target.start());
    const gateway = await gatewayTo([target]);
    const client = await gateway.connect();
    const answer = await client.ask(get("/hello?x=1"));
    expect(answer.status).toBe(200);
    expect(answer.body).toBe("GET /hello?x=1 HTTP/1.1");
    expect(gateway.inFlight).toBe(0);
  });

  test("uses one connection to the target for one request after the other", async () => {
    const target = track(await Target.start());
    const gateway = await gatewayTo([target]);
    const client = await gateway.connect();
    for (let i = 0; i < 5; i++) expect((await client.ask(get(`/${i}`))).status).toBe(200);
    expect(target.connections.length).toBe(1);
  });

  test("answers pipelined requests in order", async () => {
    const target = track(await Target.start());
    const gateway = await gatewayTo([target]);
    const client = await gateway.connect();
    client.send([1, 2, 3, 4].map((i) => get(`/${i}`)).join(""));
    for (let i = 1; i <= 4; i++) expect((await client.answer()).body).toBe(`GET /${i} HTTP/1.1`);
  });

  test("answers all pipelined requests of a client that has said its last word", async () => {
    const target = track(await Target.start());
    const gateway = await gatewayTo([target]);
    const client = await gateway.connect();
    client.send([1, 2, 3].map((i) => get(`/${i}`)).join(""));
    client.end();
    for (let i = 1; i <= 3; i++) expect((await client.answer()).body).toBe(`GET /${i} HTTP/1.1`);
    await client.closes();
    expect(client.wasReset).toBe(false);
  });

  test("reads a request that arrives byte by byte", async () => {
    const target = track(
      await Target.start(({ connection }) => {
        const { socket } = connection;
        socket.on("data", () => {
          if (connection.received.endsWith("body")) connection.send(ok("got it"));
        });
      }),
    );
    const gateway = await gatewayTo([target]);
    const client = await gateway.connect();
    for (const byte of post("/slow", "body")) {
      client.send(byte);
      await new Promise((resolve) => setImmediate(resolve));
    }
    expect((await client.answer()).body).toBe("got it");
  });

  test("reads the request that follows one that came in pieces", async () => {
    const target = track(await Target.start());
    const gateway = await gatewayTo([target]);
    const client = await gateway.connect();
    client.send("GET /a HTTP/1.1\r\nHos");
    await settle();
    client.send(`t: a\r\n\r\n${get("/b")}${get("/c")}`);
    for (const path of ["a", "b", "c"]) expect((await client.answer()).body).toBe(`GET /${path} HTTP/1.1`);
  });

  test("a HEAD has no body, whatever its length says", async () => {
    const target = track(await Target.start(() => "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n"));
    const gateway = await gatewayTo([target]);
    const client = await gateway.connect();
    for (let i = 0; i < 2; i++) {
      const answer = await client.ask(request("HEAD", "/"));
      expect(answer.field("content-length")).toBe("100");
    }
    expect(target.connections.length).toBe(1);
  });

  test("204 and 304 end at their head", async () => {
    const target = track(
      await Target.start((_, count) =>
        count % 2 === 1
          ? "HTTP/1.1 204 No Content\r\n\r\n"
          : "HTTP/1.1 304 Not Modified\r\nContent-Length: 9\r\n\r\n",
      ),
    );
    const gateway = await gatewayTo([target]);
    const client = await gateway.connect();
    for (const status of [204, 304, 204]) expect((await client.ask(get("/"))).status).toBe(status);
    expect(target.connections.length).toBe(1);
  });
});
