import { afterEach, describe, expect, test } from "bun:test";
import { REASONS } from "../errors.ts";
import { NO_GROUP, WORKER_COUNTER } from "../scoreboard.ts";
import { eventually, gatewayTo, get, ok, post, request, stopAll, Target, track } from "../testing/index.ts";

afterEach(stopAll);

describe("a body that is too large", () => {
  test("is refused by its Content-Length, before a target sees it", async () => {
    const target = track(await Target.start());
    const gateway = await gatewayTo([target], { rule: { bodyMax: "10B" } });
    const client = await gateway.connect();
    expect((await client.ask(post("/", "0123456789"))).status).toBe(200);
    client.send(post("/", "").replace("Content-Length: 0", "Content-Length: 11"));
    const answer = await client.answer();
    expect(answer.status).toBe(413);
    expect(answer.field("x-error-code")).toBe("body-too-large");
    expect(target.arrivals.length).toBe(1);
    await client.closes();
  });

  test("is refused by its count when it is chunked, framing not counted", async () => {
    const target = track(await Target.start(() => undefined));
    const gateway = await gatewayTo([target], { gateway: { limits: { bodyMax: "10B" } } });
    const client = await gateway.connect();
    client.send(`${request("POST", "/", ["Transfer-Encoding: chunked"])}5\r\n01234\r\n5\r\n56789\r\n`);
    await target.arrived(1);
    client.send("1\r\nx\r\n");
    expect((await client.answer()).status).toBe(413);
    await eventually("the target's connection closes", () => target.open === 0);
    await gateway.idle();
  });

  test("the page reaches a client that goes on sending", async () => {
    const gateway = await gatewayTo([track(await Target.start())], { rule: { bodyMax: "10B" } });
    const client = await gateway.connect();
    client.send(post("/", "").replace("Content-Length: 0", "Content-Length: 1000000"));
    client.send(Buffer.alloc(1_000_000));
    expect((await client.answer()).status).toBe(413);
    await client.closes();
  });
});

describe("a head beyond its limits", () => {
  test.each([
    [414, "request-line-too-long", get(`/${"x".repeat(9000)}`)],
    [431, "too-many-fields", get("/", ...Array.from({ length: 101 }, (_, i) => `X-${i}: y`))],
    [431, "head-too-large", get("/", ...Array.from({ length: 50 }, (_, i) => `X-${i}: ${"y".repeat(1000)}`))],
    [400, "host-missing", "GET / HTTP/1.1\r\n\r\n"],
  ])("%d %s", async (status, code, bytes) => {
    const gateway = await gatewayTo([]);
    const client = await gateway.connect();
    const answer = await client.ask(bytes);
    expect(answer.status).toBe(status);
    expect(answer.field("x-error-code")).toBe(code);
    await client.closes();
    expect(gateway.scoreboard.groupReason(NO_GROUP, REASONS.indexOf("bad-request"))).toBe(1);
  });

  test("a head without an end is refused as soon as it is too large", async () => {
    const gateway = await gatewayTo([]);
    const client = await gateway.connect();
    client.send("GET / HTTP/1.1\r\n");
    client.send("X: y\r\n".repeat(6000));
    expect((await client.answer()).status).toBe(431);
  });
});

describe("connections", () => {
  test("beyond the limit are turned away and counted, and others go on", async () => {
    const gateway = await gatewayTo([], { gateway: { limits: { connectionsMax: 2 } } });
    const kept = [await gateway.connect(), await gateway.connect()];
    await eventually("both are there", () => gateway.worker.connections === 2);
    // The reset may come before the client has noticed that it is connected.
    await gateway.connect().then(
      (shed) => shed.closes(),
      () => undefined,
    );
    expect(gateway.scoreboard.workerCounter(WORKER_COUNTER.shed)).toBe(1);
    for (const client of kept) expect((await client.ask(get("/"))).status).toBe(204);
  });
});

describe("a target's connections", () => {
  const ONE = { connections: { perTargetMax: 1, queueTimeout: "2s" } } as const;

  test("beyond the limit requests wait their turn, first come first served", async () => {
    const target = track(await Target.start(() => undefined));
    const gateway = await gatewayTo([target], { group: ONE });
    const clients = [await gateway.connect(), await gateway.connect(), await gateway.connect()];
    for (const [i, client] of clients.entries()) {
      client.send(get(`/${i}`));
      await (i === 0 ? target.arrived(1) : new Promise((resolve) => setTimeout(resolve, 5)));
    }
    for (const [i, client] of clients.entries()) {
      await target.arrived(i + 1);
      expect(target.arrivals[i]?.head).toStartWith(`GET /${i} `);
      target.last.send(ok(`${i}`));
      expect((await client.answer()).body).toBe(`${i}`);
    }
    expect(target.connections.length).toBe(1);
  });

  test("a place is given to who waits, not to the next request of the one that had it", async () => {
    const target = track(await Target.start(() => undefined));
    const gateway = await gatewayTo([target], { group: ONE });
    const greedy = await gateway.connect();
    const other = await gateway.connect();
    greedy.send(get("/1") + get("/3"));
    await target.arrived(1);
    other.send(get("/2"));
    await new Promise((resolve) => setTimeout(resolve, 5));
    for (const expected of ["/1", "/2", "/3"]) {
      await target.arrived(Number(expected.slice(1)));
      expect(target.arrivals.at(-1)?.head).toStartWith(`GET ${expected} `);
      target.last.send(ok(""));
    }
  });

  test("a request goes to a target with a free place rather than wait for a full one", async () => {
    const targets = [track(await Target.start(() => undefined)), track(await Target.start(() => undefined))];
    const gateway = await gatewayTo(targets, { group: { ...ONE, algorithm: "hash", on: "path" } });
    for (let i = 0; i < 2; i++) (await gateway.connect()).send(get("/same"));
    await eventually("one each", () => targets.every(({ arrivals }) => arrivals.length === 1));
  });

  test("who waits too long: 503 queue-timeout", async () => {
    const target = track(await Target.start(() => undefined));
    const connections = { perTargetMax: 1, queueTimeout: "80ms" } as const;
    const gateway = await gatewayTo([target], { group: { connections } });
    (await gateway.connect()).send(get("/"));
    await target.arrived(1);
    const answer = await (await gateway.connect()).ask(get("/"));
    expect(answer.status).toBe(503);
    expect(answer.field("x-error-code")).toBe("queue-timeout");
    expect(answer.field("retry-after")).toBe("1");
  });

  test("more waiting requests than the queue holds: 503 queue-full", async () => {
    const target = track(await Target.start(() => undefined));
    const gateway = await gatewayTo([target], { group: ONE, gateway: { limits: { queueMax: 1 } } });
    for (let i = 0; i < 2; i++) (await gateway.connect()).send(get("/"));
    await target.arrived(1);
    const answer = await (await gateway.connect()).ask(get("/"));
    expect(answer.field("x-error-code")).toBe("queue-full");
  });

  test("who leaves while waiting is passed over, and leaves its place in the queue", async () => {
    const target = track(await Target.start(() => undefined));
    const gateway = await gatewayTo([target], { group: ONE, gateway: { limits: { queueMax: 1 } } });
    const first = await gateway.connect();
    first.send(get("/1"));
    await target.arrived(1);
    const leaver = await gateway.connect();
    leaver.send(get("/leaver"));
    await new Promise((resolve) => setTimeout(resolve, 5));
    leaver.reset();
    await eventually("it has left", () => gateway.worker.connections === 1);
    const last = await gateway.connect();
    last.send(get("/2"));
    target.last.send(ok("1"));
    await target.arrived(2);
    expect(target.arrivals[1]?.head).toStartWith("GET /2 ");
  });

  test("a waiting body is not read before its turn, and then whole", async () => {
    const target = track(await Target.start(() => undefined));
    const gateway = await gatewayTo([target], { group: ONE });
    const first = await gateway.connect();
    first.send(get("/1"));
    await target.arrived(1);
    const uploader = await gateway.connect();
    uploader.send(post("/2", "").replace("Content-Length: 0", "Content-Length: 200000"));
    uploader.send(Buffer.alloc(200_000, "x"));
    await new Promise((resolve) => setTimeout(resolve, 10));
    target.last.send(ok("1"));
    await eventually("the whole body", () => target.arrivals[1]?.body.length === 200_000);
    target.last.send(ok("2"));
    expect((await uploader.answer()).body).toBe("2");
  });

  test("a place whose request failed goes to who waits", async () => {
    const target = track(await Target.start(() => undefined));
    const gateway = await gatewayTo([target], { group: ONE });
    const first = await gateway.connect();
    first.send(post("/1", "x"));
    await target.arrived(1);
    const second = await gateway.connect();
    second.send(get("/2"));
    await new Promise((resolve) => setTimeout(resolve, 5));
    target.last.socket.destroy();
    expect((await first.answer()).status).toBe(502);
    await target.arrived(2);
    target.last.send(ok("2"));
    expect((await second.answer()).body).toBe("2");
  });
});
