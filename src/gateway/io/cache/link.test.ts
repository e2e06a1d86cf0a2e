/** What one worker fetches for clients of another: the same bytes as they come, whatever becomes of either. */
import { afterEach, describe, expect, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { UserCache } from "../../../config/index.ts";
import { countsOf, formatStore, Store, sizesFor } from "../../../edge/index.ts";
import { openStore } from "../../../edge/io/index.ts";
import {
  Client,
  eventually,
  get,
  ok,
  proxyTo,
  settle,
  stopAll,
  Target,
  TestGateway,
  track,
} from "../../testing/index.ts";
import type { WorkerProcess } from "./testing/worker.ts";
import { FRESH, said } from "./testing.ts";

afterEach(stopAll);

const STORE_BYTES = 64 << 20;

const HALF = `HTTP/1.1 200 OK\r\n${FRESH}\r\nContent-Length: 10\r\n\r\n01234`;
const CHUNKED = `HTTP/1.1 200 OK\r\n${FRESH}\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n01234\r\n`;

interface Workers {
  readonly target: Target;
  /** Two workers with one store. */
  readonly one: TestGateway;
  readonly other: TestGateway;
}

function folder(): string {
  const path = mkdtempSync(join(tmpdir(), "tenfold-link-"));
  track({ stop: () => rmSync(path, { recursive: true }) });
  return path;
}

/** Two workers of one gateway before a target that sends `start` to whoever asks. */
async function workers(start: string | undefined, cache: UserCache = {}): Promise<Workers> {
  const target = track(await Target.start(() => start));
  const bytes = new Uint8Array(STORE_BYTES);
  formatStore(bytes, sizesFor({ bytes: STORE_BYTES, workers: 2 }), 7);
  const prefix = join(folder(), "edge");
  const config = proxyTo([target.address], { rule: { cache }, gateway: { cache: { memory: "64MiB" } } });
  const worker = async (index: number): Promise<TestGateway> =>
    track(
      await TestGateway.start(config, {
        index,
        store: new Store(bytes, { worker: index, pid: process.pid, isAlive: () => true }),
        linkPath: (peer) => `${prefix}-${peer}.sock`,
      }),
    );
  return { target, one: await worker(0), other: await worker(1) };
}

/** A client of this worker whose request has brought the first half. */
async function halfServed(gateway: TestGateway): Promise<Client> {
  const client = await gateway.connect();
  client.send(get("/"));
  await client.sees("01234");
  return client;
}

describe.each([
  ["with a length", HALF, "56789"],
  ["in chunks", CHUNKED, "5\r\n56789\r\n0\r\n\r\n"],
])("a body that comes %s", (_, start, rest) => {
  test("reaches clients of the other worker half by half, and is fetched once", async () => {
    const { target, one, other } = await workers(start);
    const clients = [await halfServed(one), await halfServed(other), await halfServed(other)];
    target.last.send(rest);
    const answers = await Promise.all(clients.map((client) => client.answer()));
    expect(answers.map(({ body }) => body)).toEqual(["0123456789", "0123456789", "0123456789"]);
    expect(answers.slice(1).map(said)).toEqual([
      expect.stringMatching(/collapsed/),
      expect.stringMatching(/collapsed/),
    ]);
    expect(target.arrivals.length).toBe(1);
  });

  test("is cut for clients of both when the target breaks off in the middle", async () => {
    const { target, one, other } = await workers(start);
    const clients = [await halfServed(one), await halfServed(other)];
    target.last.socket.resetAndDestroy();
    await eventually("both are cut", () => clients.every(({ isClosed }) => isClosed));
    for (const { received } of clients) expect(received.endsWith("0\r\n\r\n")).toBe(false);
    target.script = () => ok("whole", FRESH);
    expect((await (await other.connect()).ask(get("/"))).body).toBe("whole");
  });

  test("reaches a client of the other worker though the first client has left", async () => {
    const { target, one, other } = await workers(start);
    const [leader, follower] = [await halfServed(one), await halfServed(other)];
    leader.reset();
    await settle();
    target.last.send(rest);
    expect((await follower.answer()).body).toBe("0123456789");
    expect(target.arrivals.length).toBe(1);
  });
});

test("clients of the other worker ask for themselves when the response turns out to be for one alone", async () => {
  const { target, one, other } = await workers(undefined);
  const [leader, follower] = [await one.connect(), await other.connect()];
  leader.send(get("/"));
  await target.arrived(1);
  follower.send(get("/"));
  await settle();
  const [first] = target.arrivals;
  target.script = () => ok("own", "Cache-Control: private");
  first?.connection.send(ok("first", "Cache-Control: private"));
  expect([(await leader.answer()).body, (await follower.answer()).body]).toEqual(["first", "own"]);
});

test("a body that grows too large to be kept is whole in the other worker, and the target waits for its slow client", async () => {
  const size = 24_000_000;
  const piece = "x".repeat(60_000);
  const { target, one, other } = await workers(CHUNKED, { objectMax: "100KB" });
  const [leader, slow] = [await halfServed(one), await halfServed(other)];
  leader.keeps = false;
  slow.socket.pause();
  const sends = Array.from(
    { length: size / piece.length },
    () => `${piece.length.toString(16)}\r\n${piece}\r\n`,
  );
  target.last.send(`${sends.join("")}0\r\n\r\n`);
  await eventually("the fetch is under way", () => leader.bytesReceived > 500_000);
  await held(leader);
  expect(leader.bytesReceived).toBeLessThan(size / 2);
  slow.socket.resume();
  const { body } = await slow.answer();
  expect([body.length, body.slice(5) === "x".repeat(size), target.arrivals.length]).toEqual([
    size + 5,
    true,
    1,
  ]);
});

/** Waits until a client is sent nothing any more. */
async function held(client: Client): Promise<void> {
  for (let before = -1; before !== client.bytesReceived; ) {
    before = client.bytesReceived;
    await Bun.sleep(100);
  }
}

test("a slow client of the other worker holds up nobody while the body is being kept", async () => {
  const size = 400_000;
  const { target, one, other } = await workers(HALF.replace("10", String(size)));
  const [leader, slow, fast] = [await halfServed(one), await halfServed(other), await halfServed(other)];
  slow.socket.pause();
  target.last.send("y".repeat(size - 5));
  expect((await leader.answer()).body.length).toBe(size);
  expect((await fast.answer()).body.length).toBe(size);
  slow.socket.resume();
  expect((await slow.answer()).body).toBe(`01234${"y".repeat(size - 5)}`);
});

test("beyond the bound a request goes to the target by itself, in its own worker and in another, and is counted so", async () => {
  const { target, one, other } = await workers(HALF, { waitersMax: 2 });
  const waiting = [await halfServed(one)];
  for (const gateway of [one, one, other, other]) waiting.push(await halfServed(gateway));
  expect(target.arrivals.length).toBe(1);
  target.script = () => ok("by itself", FRESH);
  // The leader's worker counts the other worker as one of those who wait.
  const answers = [await (await one.connect()).ask(get("/")), await (await other.connect()).ask(get("/"))];
  expect(answers.map(said)).toEqual([
    "fwd=uri-miss; detail=too-many-waiters",
    "fwd=uri-miss; detail=too-many-waiters",
  ]);
  target.arrivals[0]?.connection.send("56789");
  for (const client of waiting) expect((await client.answer()).body).toBe("0123456789");
  const { requests } = countsOf(one.store!.stats());
  expect(requests).toContainEqual({ result: "miss", reason: "too-many-waiters", count: 2 });
});

test("with no waiters allowed each request goes by itself", async () => {
  const { target, one } = await workers(undefined, { waitersMax: 0 });
  const clients = await Promise.all([one.connect(), one.connect(), one.connect()]);
  for (const client of clients) client.send(get("/"));
  await target.arrived(3);
  for (const { connection } of target.arrivals) connection.send(ok("each", FRESH));
  for (const client of clients) expect((await client.answer()).body).toBe("each");
});

/** A worker in a process of its own, which can be killed, beside one in this process. */
async function killable(): Promise<{
  target: Target;
  port: number;
  kill: () => Promise<void>;
  here: TestGateway;
}> {
  const target = track(await Target.start(() => HALF));
  const path = folder();
  const [file, prefix] = [join(path, "store"), join(path, "edge")];
  const store = openStore({ path: file, bytes: STORE_BYTES, workers: 2, worker: 1 });
  const script = join(import.meta.dir, "testing/worker.ts");
  const told: WorkerProcess = { index: 0, store: file, linkPrefix: prefix, target: target.address };
  const child = Bun.spawn([process.execPath, script, JSON.stringify(told)], { stdout: "pipe" });
  track({ stop: () => child.kill("SIGKILL") });
  const { value } = await child.stdout.getReader().read();
  const kill = async (): Promise<void> => {
    child.kill("SIGKILL");
    await child.exited;
  };
  const here = track(
    await TestGateway.start(proxyTo([target.address], { rule: { cache: {} } }), {
      index: 1,
      store,
      linkPath: (worker) => `${prefix}-${worker}.sock`,
    }),
  );
  return { target, port: Number(Buffer.from(value ?? []).toString()), kill, here };
}

test("a worker that is killed in the middle of a fetch has its followers cut, and the next client asks anew", async () => {
  const { target, port, kill, here } = await killable();
  const leader = await Client.connect(port);
  leader.send(get("/"));
  await leader.sees("01234");
  const follower = await halfServed(here);
  await kill();
  await eventually("the follower is cut", () => follower.isClosed);
  target.script = () => ok("whole", FRESH);
  const answer = await (await here.connect()).ask(get("/"));
  expect([answer.body, said(answer)]).toEqual(["whole", "fwd=uri-miss; stored"]);
}, 15_000);

test("a worker that is killed before the answer comes leaves its followers to ask for themselves, once", async () => {
  const { target, port, kill, here } = await killable();
  target.script = () => undefined;
  (await Client.connect(port)).send(get("/"));
  await target.arrived(1);
  const followers = await Promise.all([here.connect(), here.connect()]);
  for (const follower of followers) follower.send(get("/"));
  await settle();
  target.script = () => ok("whole", FRESH);
  await kill();
  const answers = await Promise.all(followers.map((follower) => follower.answer()));
  expect(answers.map((answer) => answer.body)).toEqual(["whole", "whole"]);
  // The operating system tells of its death a little later than its sockets do.
  expect(target.arrivals.length).toBe(2);
}, 15_000);

test("a slice that one worker fetches is sent on by the other, each slice fetched once", async () => {
  const size = 300_000;
  const body = Buffer.alloc(size, "0123456789abcdef").toString("latin1");
  const { target, one, other } = await workers(undefined, { slice: "64KiB" });
  target.script = ({ head }) => {
    const [, from = "0", to = "0"] = /range: bytes=(\d+)-(\d+)/i.exec(head) ?? [];
    const part = body.slice(Number(from), Number(to) + 1);
    const range = `Content-Range: bytes ${from}-${Number(from) + part.length - 1}/${size}`;
    return [
      "HTTP/1.1 206 Partial Content",
      FRESH,
      'ETag: "1"',
      range,
      `Content-Length: ${part.length}`,
      "",
      part,
    ].join("\r\n");
  };
  const clients = await Promise.all([one, other, one, other, other].map((gateway) => gateway.connect()));
  for (const client of clients) client.send(get("/"));
  for (const client of clients) expect((await client.answer()).body === body).toBe(true);
  expect(target.arrivals.length).toBe(Math.ceil(size / 65_536));
});
