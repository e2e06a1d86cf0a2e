/** Large stored bodies on their way to clients that are slow, that leave, and that want none of them. */
import { afterEach, describe, expect, test } from "bun:test";
import { eventually, get, ok, proxyTo, request, stopAll, Target } from "../../testing/index.ts";
import { before, type Cached, FRESH, said } from "./testing.ts";

afterEach(stopAll);

/** More than the sockets of both ends take at once. */
const BODY = Buffer.alloc(8_000_000, "0123456789").toString("latin1");

/** More large bodies than can be held for slow clients at once. */
const MANY = 140;

/** A gateway that has a large body stored. */
async function large(): Promise<Cached> {
  const target = await Target.start(() => ok(BODY, FRESH, 'ETag: "1"'));
  const cached = await before({}, target, { gateway: { cache: { memory: "1GiB" } } });
  const client = await cached.gateway.connect();
  client.keeps = false;
  client.send(get("/"));
  await eventually("it is stored", () => client.bytesReceived > BODY.length);
  client.socket.destroy();
  return cached;
}

/** Nothing more is asked of the target, however large. */
async function isStillHit({ ask, target }: Cached): Promise<void> {
  expect([(await ask()).body === BODY, target.arrivals.length]).toEqual([true, 1]);
}

describe("a large hit", () => {
  test.each([
    ['If-None-Match: "1"', "GET", 304],
    ["Range: bytes=9000000-", "GET", 416],
    ["X: y", "HEAD", 200],
  ])("of which nothing is wanted (%s %s) is held by nobody", async (field, method, status) => {
    const cached = await large();
    const client = await cached.gateway.connect();
    for (let i = 0; i < MANY; i++)
      expect((await client.ask(request(method, "/", [field]))).status).toBe(status);
    await isStillHit(cached);
  });

  test("is let go when its client leaves in the middle", async () => {
    const cached = await large();
    for (let i = 0; i < MANY; i++) {
      const client = await cached.gateway.connect();
      client.keeps = false;
      client.send(get("/"));
      await eventually("some has come", () => client.bytesReceived > 0);
      client.reset();
    }
    await eventually("all are gone", () => cached.gateway.worker.connections === 0);
    await isStillHit(cached);
  });

  test("is cut for a client that takes nothing for too long, and is there for the next", async () => {
    const cached = await large();
    const { gateway, target } = cached;
    const timeouts = { idle: "300ms" } as const;
    gateway.apply(proxyTo([target.address], { gateway: { timeouts }, rule: { cache: {} } })(gateway.port));
    const stalled = await gateway.connect();
    stalled.socket.pause();
    stalled.send(get("/"));
    await eventually("it is served", () => gateway.worker.connections === 1);
    await eventually("it is cut", () => gateway.worker.connections === 0);
    expect(said(await (await gateway.connect()).ask(request("HEAD", "/")))).toMatch(/^hit/);
  });

  test("comes in its place in a row of pipelined requests", async () => {
    const cached = await large();
    cached.target.script = () => ok("small", FRESH);
    const client = await cached.gateway.connect();
    client.socket.pause();
    client.send(get("/small") + get("/") + get("/small") + get("/", "Range: bytes=10-6999999") + get("/new"));
    await cached.ask("/other");
    client.socket.resume();
    const bodies: string[] = [];
    for (let i = 0; i < 5; i++) bodies.push((await client.answer()).body);
    const part = BODY.slice(10, 7_000_000);
    expect([bodies[0], bodies[1] === BODY, bodies[2], bodies[3] === part, bodies[4]]).toEqual([
      "small",
      true,
      "small",
      true,
      "small",
    ]);
  });

  test("is stale for a slow client while a refresh replaces it", async () => {
    const cached = await large();
    cached.later(100);
    cached.target.script = () => "HTTP/1.1 503 No\r\nContent-Length: 0\r\n\r\n";
    const slow = await cached.gateway.connect();
    slow.socket.pause();
    slow.send(get("/"));
    await cached.target.arrived(2);
    cached.target.script = () => ok("new", FRESH);
    expect((await cached.ask()).body).toBe("new");
    slow.socket.resume();
    expect((await slow.answer()).body === BODY).toBe(true);
  });
});
