import { afterEach, expect, test } from "bun:test";
import { eventually, get, ok, settle, stopAll, Target } from "../../testing/index.ts";
import { before } from "./testing.ts";

afterEach(stopAll);

const HEAD = "HTTP/1.1 200 OK\r\nCache-Control: max-age=60\r\nContent-Length: 10\r\n\r\n";

/** A target that sends the head and the first half; the test sends the rest. */
async function halfway(head = HEAD, half = "01234"): Promise<Target> {
  return Target.start(() => `${head}${half}`);
}

test("many who miss the same ask once, and have what has come before the rest comes", async () => {
  const { target, gateway } = await before({}, await halfway());
  const clients = await Promise.all(Array.from({ length: 20 }, () => gateway.connect()));
  for (const client of clients) client.send(get("/"));
  await Promise.all(clients.map((client) => client.sees("01234")));
  expect(target.arrivals.length).toBe(1);
  target.last.send("56789");
  const bodies = await Promise.all(clients.map(async (client) => (await client.answer()).body));
  expect(new Set(bodies)).toEqual(new Set(["0123456789"]));
});

test("who comes late gets it from the beginning", async () => {
  const { target, gateway, ask } = await before({}, await halfway());
  const first = await gateway.connect();
  first.send(get("/"));
  await first.sees("01234");
  const late = ask("/");
  await settle();
  target.last.send("56789");
  const { body, head } = await late;
  expect(body).toBe("0123456789");
  expect(head).toContain("collapsed");
});

for (const [what, head, first, rest] of [
  [
    "chunked",
    "HTTP/1.1 200 OK\r\nCache-Control: max-age=60\r\nTransfer-Encoding: chunked\r\n\r\n",
    "5\r\n01234\r\n",
    "5\r\n56789\r\n0\r\n\r\n",
  ],
  ["with a length", HEAD, "01234", "56789"],
] as const) {
  test(`a body that comes ${what} is the same for all, and as a hit`, async () => {
    const { target, gateway, ask } = await before({}, await halfway(head, first));
    const leader = await gateway.connect();
    leader.send(get("/"));
    await leader.sees("01234");
    const follower = ask("/");
    await settle();
    target.last.send(rest);
    const bodies = [(await leader.answer()).body, (await follower).body, (await ask("/")).body];
    expect(bodies).toEqual(["0123456789", "0123456789", "0123456789"]);
    expect(target.arrivals.length).toBe(1);
  });
}

test("the first client leaves: the others get all of it, and it is stored", async () => {
  const { target, gateway, ask, status } = await before({}, await halfway());
  const leader = await gateway.connect();
  leader.send(get("/"));
  await leader.sees("01234");
  const follower = ask("/");
  await settle();
  leader.reset();
  await settle();
  target.last.send("56789");
  expect((await follower).body).toBe("0123456789");
  expect(await status("/")).toMatch(/^hit/);
});

test("the first client does not read: the others are not held up", async () => {
  const size = 1_000_000;
  const head = `HTTP/1.1 200 OK\r\nCache-Control: max-age=60\r\nContent-Length: ${size}\r\n\r\n`;
  const { target, gateway, ask } = await before({}, await Target.start(() => `${head}x`));
  const leader = await gateway.connect();
  leader.send(get("/"));
  await leader.sees("\r\n\r\nx");
  leader.socket.pause();
  const follower = ask("/");
  await settle();
  target.last.send("y".repeat(size - 1));
  expect((await follower).body.length).toBe(size);
});

test("a client that does not read a large hit costs no copy of it, holds up nobody, and is cut when it never does", async () => {
  const body = "z".repeat(1_000_000);
  const { gateway, ask } = await before({}, await Target.start(() => ok(body, "Cache-Control: max-age=60")));
  await ask("/");
  const slow = await gateway.connect();
  slow.socket.pause();
  slow.send(get("/"));
  await settle();
  expect((await ask("/")).body.length).toBe(body.length);
  slow.socket.resume();
  expect((await slow.answer()).body).toBe(body);
});

test("the target breaks off: nobody takes it for the whole, and nothing is stored", async () => {
  const { target, gateway, status } = await before({}, await halfway());
  const clients = await Promise.all([gateway.connect(), gateway.connect()]);
  for (const client of clients) client.send(get("/"));
  await Promise.all(clients.map((client) => client.sees("01234")));
  target.last.socket.destroy();
  await eventually("both are cut", () => clients.every(({ isClosed }) => isClosed));
  target.script = () => ok("whole", "Cache-Control: max-age=60");
  expect(await status("/")).toBe("fwd=uri-miss; stored");
});

test("what turns out to be private goes to him who asked; the others ask for themselves", async () => {
  let count = 0;
  const { target, gateway } = await before({}, await Target.start(() => undefined));
  const clients = await Promise.all(Array.from({ length: 5 }, () => gateway.connect()));
  for (const client of clients) client.send(get("/"));
  await target.arrived(1);
  await settle();
  expect(target.arrivals.length).toBe(1);
  target.script = () => ok(`own ${++count}`, "Cache-Control: private");
  target.last.send(ok("first", "Cache-Control: private"));
  const bodies = await Promise.all(clients.map(async (client) => (await client.answer()).body));
  expect(bodies.toSorted()).toEqual(["first", "own 1", "own 2", "own 3", "own 4"]);
});

test("who wants another variant gets his own", async () => {
  const script = ({ head }: { head: string }) =>
    ok(/x-kind: (\w)/i.exec(head)?.[1] ?? "", "Cache-Control: max-age=60", "Vary: X-Kind");
  const { target, ask } = await before({}, await Target.start(() => undefined));
  const answers = Promise.all([ask("/", "X-Kind: a"), ask("/", "X-Kind: b")]);
  await target.arrived(1);
  await settle();
  const waiting = target.arrivals[0];
  target.script = script;
  if (waiting !== undefined) target.last.send(script(waiting));
  expect((await answers).map(({ body }) => body)).toEqual(["a", "b"]);
});

test("who asks after a purge does not get what was asked for before it", async () => {
  const { target, gateway, ask } = await before({}, await Target.start(() => undefined));
  const early = ask("/");
  await target.arrived(1);
  const first = target.last;
  gateway.store?.purge({ kind: "all", hard: true });
  target.script = () => ok("new", "Cache-Control: max-age=60");
  expect((await ask("/")).body).toBe("new");
  first.send(ok("old", "Cache-Control: max-age=60"));
  expect((await early).body).toBe("old");
  expect((await ask("/")).body).toBe("new");
});
