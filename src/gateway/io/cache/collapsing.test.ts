/** Many clients behind one fetch: what each of them gets, whatever the others and the target do. */
import { afterEach, describe, expect, test } from "bun:test";
import { type Client, eventually, get, ok, request, settle, stopAll, Target } from "../../testing/index.ts";
import { bare, before, type Cached, FRESH, inChunks, said } from "./testing.ts";

afterEach(stopAll);

const DECLARED = `HTTP/1.1 200 OK\r\n${FRESH}\r\nContent-Length: 10\r\n\r\n01234`;
const CHUNKED = `HTTP/1.1 200 OK\r\n${FRESH}\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n01234\r\n`;
const CLOSING = `HTTP/1.1 200 OK\r\n${FRESH}\r\n\r\n01234`;

/** How a body is framed -> its first half with the head, and its second half. */
const FRAMINGS = [
  ["with a length", DECLARED, "56789"],
  ["in chunks", CHUNKED, "5\r\n56789\r\n0\r\n\r\n"],
  ["until the close", CLOSING, "56789"],
] as const;

/** A client whose request has brought the first half. */
async function halfServed({ gateway }: Cached, text = get("/")): Promise<Client> {
  const client = await gateway.connect();
  client.send(text);
  await client.sees("01234");
  return client;
}

async function streaming(start = DECLARED, cache = {}): Promise<Cached> {
  return before(cache, await Target.start(() => start));
}

function finish({ target }: Cached, rest: string): void {
  target.last.send(rest);
  if (!/content-length|transfer/i.test(String(target.script(target.arrivals[0]!, 1))))
    target.last.socket.end();
}

describe.each(FRAMINGS)("a body that comes %s", (_, start, rest) => {
  test("reaches leader, follower and who comes later as the same bytes, half by half", async () => {
    const cached = await streaming(start);
    const clients = [await halfServed(cached), await halfServed(cached)];
    finish(cached, rest);
    for (const client of clients) expect((await client.answer()).body).toBe("0123456789");
    const hit = await cached.ask("/");
    expect([hit.body, hit.field("content-length"), cached.target.arrivals.length]).toEqual([
      "0123456789",
      "10",
      1,
    ]);
  });

  test("reaches HTTP/1.0 clients without chunks, as leader, follower and hit", async () => {
    const cached = await streaming(start);
    const old = "GET / HTTP/1.0\r\nHost: shop.example\r\n\r\n";
    const clients = [await halfServed(cached, old), await halfServed(cached, old)];
    finish(cached, rest);
    clients.push(await cached.gateway.connect());
    await clients[0]!.sees("56789");
    clients[2]!.send(old);
    for (const client of clients) {
      const answer = await client.answer();
      expect([answer.body, answer.field("transfer-encoding")]).toEqual(["0123456789", undefined]);
      await client.closes();
    }
  });

  test("is cut for leader and follower when the target breaks off, and asked for anew", async () => {
    const cached = await streaming(start);
    const clients = [await halfServed(cached), await halfServed(cached)];
    cached.target.last.socket.resetAndDestroy();
    await eventually("both are cut", () => clients.every(({ isClosed }) => isClosed));
    for (const { received } of clients) expect(received.endsWith("0\r\n\r\n")).toBe(false);
    cached.target.script = () => ok("whole", FRESH);
    expect((await cached.ask("/")).body).toBe("whole");
  });

  test("is whole for follower and store when the first client leaves in the middle", async () => {
    const cached = await streaming(start);
    const [leader, follower] = [await halfServed(cached), await halfServed(cached)];
    leader.reset();
    await settle();
    finish(cached, rest);
    expect((await follower.answer()).body).toBe("0123456789");
    expect(await cached.status("/")).toMatch(/^hit/);
  });

  test("is stored when its only client leaves in the middle", async () => {
    const cached = await streaming(start);
    (await halfServed(cached)).reset();
    await settle();
    finish(cached, rest);
    await cached.gateway.idle();
    expect(await cached.status("/")).toMatch(/^hit/);
    expect(cached.target.arrivals.length).toBe(1);
  });
});

test("a target that sends more than it says is stored as long as it says", async () => {
  const { ask } = await before({}, await Target.start(() => `${ok("right", FRESH)}and more`));
  expect([(await ask()).body, (await ask()).body]).toEqual(["right", "right"]);
});

test("a target that sends less than it says, and ends in order, is stored by nobody", async () => {
  const cached = await streaming();
  const clients = [await halfServed(cached), await halfServed(cached)];
  cached.target.last.socket.end();
  await eventually("both are cut", () => clients.every(({ isClosed }) => isClosed));
  cached.target.script = () => ok("whole", FRESH);
  expect(await cached.status("/")).toBe("fwd=uri-miss; stored");
});

test("chunks that break the grammar are cut for everybody and stored by nobody", async () => {
  const cached = await streaming(CHUNKED);
  const clients = [await halfServed(cached), await halfServed(cached)];
  cached.target.last.send("zz\r\n");
  await eventually("both are cut", () => clients.every(({ isClosed }) => isClosed));
  cached.target.script = () => ok("whole", FRESH);
  expect((await cached.ask("/")).body).toBe("whole");
});

test("a follower that does not read holds up neither the leader nor the others", async () => {
  const size = 1_000_000;
  const cached = await streaming(DECLARED.replace("10", String(size)));
  const [leader, stalled, follower] = [
    await halfServed(cached),
    await halfServed(cached),
    await halfServed(cached),
  ];
  stalled.socket.pause();
  cached.target.last.send("y".repeat(size - 5));
  expect((await leader.answer()).body.length).toBe(size);
  expect((await follower.answer()).body.length).toBe(size);
  stalled.socket.resume();
  expect((await stalled.answer()).body).toBe(`01234${"y".repeat(size - 5)}`);
});

test("a follower that leaves takes nothing from the others", async () => {
  const cached = await streaming();
  const [leader, leaving, follower] = [
    await halfServed(cached),
    await halfServed(cached),
    await halfServed(cached),
  ];
  leaving.reset();
  await settle();
  cached.target.last.send("56789");
  expect((await leader.answer()).body).toBe("0123456789");
  expect((await follower.answer()).body).toBe("0123456789");
});

test("a body that grows too large to be kept is whole for leader and followers", async () => {
  const cached = await streaming(CHUNKED, { objectMax: "8B" });
  const clients = [await halfServed(cached), await halfServed(cached)];
  cached.target.last.send("5\r\n56789\r\n0\r\n\r\n");
  for (const client of clients) expect((await client.answer()).body).toBe("0123456789");
  cached.target.script = () => inChunks(["0123456789"], FRESH);
  expect((await cached.ask("/")).body).toBe("0123456789");
  expect(cached.target.arrivals.length).toBe(2);
});

test("a follower has all of a body that grew too large, though its first client has left", async () => {
  const cached = await streaming(CHUNKED, { objectMax: "8B" });
  const [leader, follower] = [await halfServed(cached), await halfServed(cached)];
  cached.target.last.send("5\r\n56789\r\n");
  await follower.sees("56789");
  leader.reset();
  await settle();
  cached.target.last.send("0\r\n\r\n");
  expect((await follower.answer()).body).toBe("0123456789");
});

test("a body that is many times the socket's buffers is the same for a slow follower and a fast leader", async () => {
  const body = Buffer.alloc(6_000_000, "0123456789").toString("latin1");
  const large = DECLARED.replace("10", String(body.length));
  const cached = await before({}, await Target.start(() => large), {
    gateway: { cache: { memory: "1GiB" } },
  });
  const [leader, slow] = [await halfServed(cached), await halfServed(cached)];
  slow.socket.pause();
  cached.target.last.send(body.slice(5));
  expect((await leader.answer()).body === body).toBe(true);
  slow.socket.resume();
  expect((await slow.answer()).body === body).toBe(true);
  expect(await cached.status()).toMatch(/^hit/);
});

test("an answer without a body is told to all who wait", async () => {
  const cached = await before({}, await Target.start(() => undefined));
  const answers = Promise.all([cached.ask("/"), cached.ask("/"), cached.ask("/")]);
  await cached.target.arrived(1);
  await settle();
  cached.target.last.send(`HTTP/1.1 204 No Content\r\n${FRESH}\r\n\r\n`);
  expect((await answers).map(({ status }) => status)).toEqual([204, 204, 204]);
  expect([(await cached.ask("/")).status, cached.target.arrivals.length]).toEqual([204, 1]);
});

test("who leaves before the target answers leaves the fetch to those who wait", async () => {
  const cached = await before({}, await Target.start(() => undefined));
  const leader = await cached.gateway.connect();
  leader.send(get("/"));
  await cached.target.arrived(1);
  const follower = cached.ask("/");
  await settle();
  leader.reset();
  await settle();
  cached.target.last.send(ok("for all", FRESH));
  expect((await follower).body).toBe("for all");
  expect(cached.target.arrivals.length).toBe(1);
});

test("a target that is not there is told to all who waited for it", async () => {
  const cached = await before({}, await Target.start(() => undefined), { rule: { retry: 0 } });
  const answers = Promise.all([cached.ask("/"), cached.ask("/"), cached.ask("/")]);
  await cached.target.arrived(1);
  await settle();
  cached.target.last.socket.destroy();
  expect((await answers).map(({ status }) => status)).toEqual([502, 502, 502]);
});

test("what cannot be kept makes nobody wait from the second time on", async () => {
  const cached = await before({}, await Target.start(() => ok("own", "Cache-Control: private")));
  await cached.ask("/");
  cached.target.script = () => undefined;
  const answers = Promise.all([cached.ask("/"), cached.ask("/"), cached.ask("/")]);
  await cached.target.arrived(4);
  for (const { connection } of cached.target.arrivals.slice(1))
    connection.send(ok("own", "Cache-Control: private"));
  expect((await answers).map(({ body }) => body)).toEqual(["own", "own", "own"]);
});

test("what has become fit to be kept is kept, though it was not before", async () => {
  const { target, status } = await before({}, await Target.start(() => ok("own", "Cache-Control: private")));
  await status("/");
  target.script = () => ok("all", FRESH);
  expect([await status("/"), await status("/")]).toEqual([
    "fwd=uri-miss; stored",
    expect.stringMatching(/^hit/),
  ]);
});

test("an interim response reaches all who wait", async () => {
  const cached = await before({}, await Target.start(() => undefined));
  const clients = [await cached.gateway.connect(), await cached.gateway.connect()];
  for (const client of clients) client.send(get("/"));
  await cached.target.arrived(1);
  await settle();
  cached.target.last.send(`HTTP/1.1 103 Early Hints\r\nLink: </a.css>\r\n\r\n${ok("late", FRESH)}`);
  for (const client of clients)
    expect([(await client.answer()).status, (await client.answer()).body]).toEqual([103, "late"]);
});

test("a follower with conditions of its own gets a 304 of what comes, and is logged with it", async () => {
  const cached = await before({}, await Target.start(() => undefined), { gateway: { accessLog: "json" } });
  const leader = cached.ask("/");
  await cached.target.arrived(1);
  const follower = cached.ask("/", 'If-None-Match: "1"');
  await settle();
  cached.target.last.send(ok("body", FRESH, 'ETag: "1"'));
  expect([(await leader).status, (await follower).status]).toEqual([200, 304]);
  await cached.gateway.idle();
  const logged = cached.gateway.accessLog.map((line) => (JSON.parse(line) as { status: number }).status);
  expect(new Set(logged)).toEqual(new Set([200, 304]));
});

test("HEAD that waits for a revalidation gets no body, and its next request is read", async () => {
  const cached = await before(
    {},
    await Target.start(() => ok("body", "Cache-Control: no-cache", 'ETag: "1"')),
  );
  await cached.ask("/");
  const client = await cached.gateway.connect();
  client.send(request("HEAD", "/") + get("/other"));
  const head = await client.answer(true);
  expect([head.status, head.field("content-length")]).toEqual([200, "4"]);
  expect((await client.answer()).body).toBe("body");
  expect(cached.target.arrivals[1]?.head).toStartWith("GET /");
});

test("an error that nobody may keep makes every waiter ask for himself once", async () => {
  const cached = await before({}, await Target.start(() => undefined));
  const answers = Promise.all([cached.ask("/"), cached.ask("/"), cached.ask("/")]);
  await cached.target.arrived(1);
  await settle();
  cached.target.script = () => ok("well again", FRESH);
  cached.target.last.send(bare("500 Broken"));
  expect((await answers).map(({ status }) => status)).toEqual([500, 200, 200]);
  expect((await answers).map(said).filter((words) => words.includes("hit"))).toEqual([]);
});

test.each([
  ["500", bare("500 Broken")],
  ["429", bare("429 Too Many Requests", FRESH.replace("60", "0"))],
])("a single %s does not keep later requests from waiting for each other", async (_, failure) => {
  const cached = await before({}, await Target.start(() => failure));
  await cached.ask("/");
  cached.later(3);
  cached.target.script = () => undefined;
  const answers = Promise.all([cached.ask("/"), cached.ask("/"), cached.ask("/")]);
  await cached.target.arrived(2);
  await settle();
  cached.target.last.send(ok("well again", FRESH));
  expect((await answers).map(({ body }) => body)).toEqual(["well again", "well again", "well again"]);
  expect(cached.target.arrivals.length).toBe(2);
});

test("a wall clock that is set forward makes no fetch late", async () => {
  const cached = await before(
    {},
    await Target.start(() => ok("old", "Cache-Control: max-age=0", 'ETag: "1"')),
  );
  await cached.ask("/");
  cached.target.script = () => undefined;
  const first = cached.ask("/");
  await cached.target.arrived(2);
  cached.later(5);
  const second = cached.ask("/");
  await settle();
  cached.target.last.send(ok("new", FRESH));
  expect([(await first).body, (await second).body]).toEqual(["new", "new"]);
});
