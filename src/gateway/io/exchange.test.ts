import { afterEach, describe, expect, test } from "bun:test";
import {
  eventually,
  gatewayTo,
  get,
  ok,
  post,
  request,
  settle,
  stopAll,
  Target,
  track,
} from "../testing/index.ts";

afterEach(stopAll);

/** A target that answers `body` once the request's own body ends with `end`. */
function answerAfter(end: string, body: string): Promise<Target> {
  return Target.start(({ connection }) => {
    const look = (): void => {
      if (connection.received.endsWith(end)) connection.send(ok(body));
    };
    connection.socket.on("data", look);
    look();
  });
}

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

  test("holds pipelined requests back while the first one runs, however many they are", async () => {
    const target = track(await Target.start(() => undefined));
    const gateway = await gatewayTo([target]);
    const client = await gateway.connect();
    const many = Array.from({ length: 2000 }, (_, i) => get(`/${i}`, `X-Pad: ${"x".repeat(100)}`));
    client.send(many.join(""));
    await target.arrived(1);
    target.script = () => ok("late");
    target.last.send(ok("first"));
    expect((await client.answer()).body).toBe("first");
    for (let i = 1; i < 2000; i++) expect((await client.answer()).body).toBe("late");
  });

  test("reads a request that arrives in small pieces", async () => {
    const target = track(await answerAfter("body", "got it"));
    const gateway = await gatewayTo([target]);
    const client = await gateway.connect();
    for (const piece of post("/slow", "body").match(/[^]{1,9}/g) ?? []) {
      client.send(piece);
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
    expect((await client.answer()).body).toBe("got it");
    expect(target.last.received).toContain("POST /slow HTTP/1.1\r\nHost: shop.example\r\n");
  });

  test("reads the requests that follow one that came in pieces", async () => {
    const target = track(await Target.start());
    const gateway = await gatewayTo([target]);
    const client = await gateway.connect();
    client.send("GET /a HTTP/1.1\r\nHos");
    await settle();
    client.send(`t: a\r\n\r\n${get("/b")}${get("/c")}GET /d HTT`);
    for (const path of ["a", "b", "c"]) expect((await client.answer()).body).toBe(`GET /${path} HTTP/1.1`);
    client.send("P/1.1\r\nHost: a\r\n\r\n");
    expect((await client.answer()).body).toBe("GET /d HTTP/1.1");
  });

  test("streams a body that is larger than any buffer, byte for byte", async () => {
    const body = Buffer.alloc(3_000_000, "0123456789");
    const target = track(
      await Target.start(({ connection }) => {
        connection.socket.on("data", () => {
          if (connection.received.length > body.length)
            connection.send(ok(connection.received.slice(-body.length)));
        });
      }),
    );
    const gateway = await gatewayTo([target]);
    const client = await gateway.connect();
    client.send(post("/", "", "X: y").replace("Content-Length: 0", `Content-Length: ${body.length}`));
    client.send(body);
    expect((await client.answer()).body).toBe(body.toString("latin1"));
  });

  test("reads the request behind a body in the same bytes", async () => {
    const target = track(await Target.start());
    const gateway = await gatewayTo([target]);
    const client = await gateway.connect();
    client.send(post("/a", "12345") + get("/b"));
    expect((await client.answer()).body).toBe("POST /a HTTP/1.1");
    expect((await client.answer()).body).toBe("GET /b HTTP/1.1");
    expect(target.arrivals.map(({ body }) => body)).toEqual(["12345", ""]);
  });
});

describe("answers without a body", () => {
  test("a HEAD has none, whatever its length says", async () => {
    const target = track(await Target.start(() => "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n"));
    const gateway = await gatewayTo([target]);
    const client = await gateway.connect();
    for (let i = 0; i < 2; i++) {
      expect((await client.ask(request("HEAD", "/"))).field("content-length")).toBe("100");
    }
    expect(target.connections.length).toBe(1);
  });

  test("204 and 304 end at their head", async () => {
    const answers = [
      "HTTP/1.1 204 No Content\r\n\r\n",
      "HTTP/1.1 304 Not Modified\r\nContent-Length: 9\r\n\r\n",
    ];
    const target = track(await Target.start((_, count) => answers[count % 2]));
    const gateway = await gatewayTo([target]);
    const client = await gateway.connect();
    for (const status of [304, 204, 304]) expect((await client.ask(get("/"))).status).toBe(status);
    expect(target.connections.length).toBe(1);
  });
});

describe("HTTP/1.0 clients", () => {
  const GET10 = "GET / HTTP/1.0\r\nHost: a\r\n\r\n";
  const KEEP10 = "GET / HTTP/1.0\r\nHost: a\r\nConnection: keep-alive\r\n\r\n";

  test("are closed after the answer unless they ask otherwise", async () => {
    const target = track(await Target.start());
    const gateway = await gatewayTo([target]);
    const client = await gateway.connect();
    const answer = await client.ask(GET10);
    expect(answer.field("connection")).toBe("close");
    expect(answer.body).toBe("GET / HTTP/1.1");
    await client.closes();
  });

  test("keep their connection when they ask to, and are told", async () => {
    const target = track(await Target.start());
    const gateway = await gatewayTo([target]);
    const client = await gateway.connect();
    for (let i = 0; i < 2; i++) expect((await client.ask(KEEP10)).field("connection")).toBe("keep-alive");
  });

  test("get a chunked answer as plain bytes that end with the connection", async () => {
    const chunked =
      "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nWiki\r\n5;x=1\r\npedia\r\n0\r\nT: 1\r\n\r\n";
    const target = track(await Target.start(() => chunked));
    const gateway = await gatewayTo([target]);
    const client = await gateway.connect();
    const answer = await client.ask(KEEP10);
    expect(answer.field("transfer-encoding")).toBeUndefined();
    expect(answer.field("connection")).toBe("close");
    expect(answer.body).toBe("Wikipedia");
  });

  test("are not told of interim responses", async () => {
    const target = track(
      await Target.start(() => `HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n${ok("done")}`),
    );
    const gateway = await gatewayTo([target]);
    const client = await gateway.connect();
    expect((await client.ask(GET10)).status).toBe(200);
  });
});

describe("interim responses", () => {
  test("go to the client in order, before the final one", async () => {
    const interim = "HTTP/1.1 103 Early Hints\r\nLink: </a.css>\r\n\r\n";
    const target = track(await Target.start(() => `HTTP/1.1 102 Processing\r\n\r\n${interim}${ok("done")}`));
    const gateway = await gatewayTo([target]);
    const client = await gateway.connect();
    client.send(get("/"));
    expect(await client.takeHead()).toStartWith("HTTP/1.1 102 ");
    expect(await client.takeHead()).toBe("HTTP/1.1 103 Early Hints\r\nLink: </a.css>");
    expect((await client.answer()).body).toBe("done");
  });

  test("100 (Continue) is relayed, and the body follows", async () => {
    const target = track(
      await Target.start(({ connection }) => {
        connection.socket.on("data", () => {
          if (connection.received.endsWith("body")) connection.send(ok("thanks"));
        });
        return "HTTP/1.1 100 Continue\r\n\r\n";
      }),
    );
    const gateway = await gatewayTo([target]);
    const client = await gateway.connect();
    client.send(post("/", "", "Expect: 100-continue").replace("Content-Length: 0", "Content-Length: 4"));
    expect(await client.takeHead()).toStartWith("HTTP/1.1 100");
    client.send("body");
    const answer = await client.answer();
    expect(answer.body).toBe("thanks");
    expect(answer.field("connection")).toBeUndefined();
  });

  test("a final answer before the body closes a connection whose client may or may not send it", async () => {
    const target = track(await Target.start(() => ok("no need")));
    const gateway = await gatewayTo([target]);
    const client = await gateway.connect();
    client.send(post("/", "", "Expect: 100-continue").replace("Content-Length: 0", "Content-Length: 4"));
    const answer = await client.answer();
    expect(answer.body).toBe("no need");
    expect(answer.field("connection")).toBe("close");
  });
});

describe("early answers", () => {
  test("leave the connection usable when the rest of the body comes in time", async () => {
    const target = track(await Target.start());
    const gateway = await gatewayTo([target]);
    const client = await gateway.connect();
    client.send(post("/a", "").replace("Content-Length: 0", "Content-Length: 8"));
    expect((await client.answer()).body).toBe("POST /a HTTP/1.1");
    client.send(`12345678${get("/b")}`);
    expect((await client.answer()).body).toBe("GET /b HTTP/1.1");
  });

  test("close the target's connection, which still waits for the rest of the body", async () => {
    const target = track(await Target.start());
    const gateway = await gatewayTo([target]);
    const client = await gateway.connect();
    client.send(post("/a", "").replace("Content-Length: 0", "Content-Length: 8"));
    await client.answer();
    await eventually("the target's connection closes", () => target.open === 0);
    await gateway.idle();
  });
});

describe("an early refusal", () => {
  test("reaches a client that is still uploading, though its target has closed", async () => {
    const target = track(
      await Target.start(({ connection }) => {
        connection.send(
          "HTTP/1.1 413 Content Too Large\r\nContent-Length: 3\r\nConnection: close\r\n\r\nno!",
        );
        connection.socket.destroySoon();
      }),
    );
    const gateway = await gatewayTo([target]);
    for (let i = 0; i < 10; i++) {
      const client = await gateway.connect();
      client.send(post("/", "").replace("Content-Length: 0", "Content-Length: 20000000"));
      client.send(Buffer.alloc(3_000_000));
      const answer = await client.answer();
      expect([answer.status, answer.body]).toEqual([413, "no!"]);
      client.reset();
    }
    await gateway.idle();
  });
});

describe("a client's connection", () => {
  test("closes after the answer when the client asks so, and what it pipelined behind is not served", async () => {
    const target = track(await Target.start());
    const gateway = await gatewayTo([target]);
    const client = await gateway.connect();
    client.send(get("/1", "Connection: close") + get("/2"));
    const answer = await client.answer();
    expect([answer.body, answer.field("connection")]).toEqual(["GET /1 HTTP/1.1", "close"]);
    await client.closes();
    expect([target.arrivals.length, client.wasReset]).toEqual([1, false]);
  });

  test("stays after an error page, to a HEAD too", async () => {
    const target = track(await Target.start(() => "no HTTP\r\n\r\n"));
    const gateway = await gatewayTo([target]);
    const client = await gateway.connect();
    for (const method of ["HEAD", "GET", "HEAD"]) {
      const answer = await client.ask(request(method, "/"));
      expect(answer.status).toBe(502);
      expect(Number(answer.field("content-length"))).toBeGreaterThan(100);
    }
  });

  test("that has half closed gets an answer larger than any buffer, whole", async () => {
    const size = 20_000_000;
    const target = track(await Target.start(() => ok("x".repeat(size))));
    const gateway = await gatewayTo([target]);
    const client = await gateway.connect();
    client.keeps = false;
    client.socket.pause();
    client.send(get("/"));
    client.end();
    await target.arrived(1);
    await settle();
    client.socket.resume();
    await client.closes();
    expect(client.bytesReceived).toBeGreaterThan(size);
    expect(client.wasReset).toBe(false);
  });
});

describe("chunked bodies", () => {
  const CHUNKS = "4;ext=1\r\nWiki\r\n5\r\npedia\r\n0\r\nTrailer: x\r\n\r\n";
  const CLEAN = "4\r\nWiki\r\n5\r\npedia\r\n0\r\n\r\n";

  test("go to the target without extensions and trailers", async () => {
    const target = track(await answerAfter("0\r\n\r\n", "whole"));
    const gateway = await gatewayTo([target]);
    const client = await gateway.connect();
    client.send(request("POST", "/", ["Transfer-Encoding: chunked"]) + CHUNKS);
    expect((await client.answer()).body).toBe("whole");
    expect(target.last.received).toEndWith(`\r\n\r\n${CLEAN}`);
  });

  test("stay clean when they arrive in pieces", async () => {
    const target = track(await answerAfter("0\r\n\r\n", "whole"));
    const gateway = await gatewayTo([target]);
    const client = await gateway.connect();
    const bytes = request("POST", "/", ["Transfer-Encoding: chunked"]) + CHUNKS;
    for (let at = 0; at < bytes.length; at += 11) {
      client.send(bytes.slice(at, at + 11));
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
    expect((await client.answer()).body).toBe("whole");
    expect(target.last.received).toEndWith(`\r\n\r\n${CLEAN}`);
  });

  test("come from the target without extensions and trailers", async () => {
    const target = track(
      await Target.start(() => `HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n${CHUNKS}`),
    );
    const gateway = await gatewayTo([target]);
    const client = await gateway.connect();
    client.send(get("/"));
    await client.takeHead();
    await client.sees("0\r\n\r\n");
    expect(client.received).toBe(CLEAN);
    client.received = "";
    expect((await client.ask(get("/"))).body).toBe("Wikipedia");
    expect(target.connections.length).toBe(1);
  });

  test("that break the grammar end the request and the connection", async () => {
    const target = track(await Target.start(() => undefined));
    const gateway = await gatewayTo([target]);
    const client = await gateway.connect();
    client.send(`${request("POST", "/", ["Transfer-Encoding: chunked"])}4\r\nWiki\r\n`);
    await target.arrived(1);
    client.send("zz\r\n");
    const answer = await client.answer();
    expect(answer.status).toBe(400);
    expect(answer.body).toContain("chunk-size-malformed");
    await client.closes();
    await eventually("the target's connection closes", () => target.open === 0);
  });
});
