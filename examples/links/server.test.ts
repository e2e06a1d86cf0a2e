import { afterAll, afterEach, describe, expect, test } from "bun:test";
import { connect } from "node:net";
import { Copies, type Copy, Visitor } from "./testing.ts";

const copies = new Copies();
afterEach(() => copies.kill());
afterAll(() => copies.remove());

const start = (): Promise<Copy> => copies.start({ TENFOLD_STORE_SHARED_URL: "" });

/** Opens the live feed; `next` gives its messages in order. */
async function listen(task: Copy) {
  const socket = new WebSocket(`ws://127.0.0.1:${task.port}/live`);
  const messages: unknown[] = [];
  const wanted: ((message: unknown) => void)[] = [];
  socket.addEventListener("message", ({ data }) => {
    const message = JSON.parse(String(data));
    const take = wanted.shift();
    if (take) take(message);
    else messages.push(message);
  });
  await new Promise((opened) => socket.addEventListener("open", opened));
  const next = () =>
    new Promise((take) => (messages.length > 0 ? take(messages.shift()) : wanted.push(take)));
  const closed = new Promise<number>((take) => socket.addEventListener("close", ({ code }) => take(code)));
  return { next, closed };
}

/** Sends raw bytes on a new connection; resolves with all that came back when the server closed it. */
function exchange(task: Copy, text: string | Uint8Array[]): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    const socket = connect(task.port, "127.0.0.1");
    for (const part of typeof text === "string" ? [text] : text) socket.write(part);
    socket.on("data", (chunk: Buffer) => chunks.push(chunk)).on("error", reject);
    socket.on("close", () => resolve(Buffer.concat(chunks)));
  });
}

/** Resolves when the copy no longer accepts connections. */
async function untilRefused(task: Copy): Promise<void> {
  const accepts = () =>
    fetch(`${task.url}/healthz`).then(
      () => true,
      () => false,
    );
  while (await accepts());
}

const UPGRADE =
  "GET /live HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n" +
  "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n";

describe("a copy alone, without a store", () => {
  test("says that its links are in memory, follows them, counts clicks and tells them live", async () => {
    const task = await start();
    const feed = await listen(task);
    const visitor = new Visitor();
    const link = await visitor.make(task.url, "https://example.com/long");
    const { status, headers } = await visitor.ask(`${task.url}/${link.code}`);
    expect([status, headers.get("location")]).toEqual([302, "https://example.com/long"]);
    expect([await feed.next(), await feed.next()]).toEqual([link, { ...link, clicks: 1 }]);
    expect(await visitor.read<unknown>(`${task.url}/api/links`)).toEqual([{ ...link, clicks: 1 }]);
    expect(await visitor.mine(task.url)).toEqual([link.code]);
    expect(await new Visitor().mine(task.url)).toEqual([]);
    expect(task.said).toContain("in memory");
  });

  test("bad input is answered with what is wrong", async () => {
    const [task, visitor] = [await start(), new Visitor()];
    const post = (body: string) => visitor.ask(`${task.url}/api/links`, { method: "POST", body });
    const answers = [
      await visitor.shorten(task.url, "javascript:alert(1)"),
      await visitor.shorten(task.url, null),
      await post("{"),
      await post("x".repeat(20_000)),
      await visitor.ask(`${task.url}/nothing`),
      await visitor.ask(`${task.url}/api/links/nothing`),
    ];
    expect(answers.map(({ status }) => status)).toEqual([422, 422, 400, 413, 404, 404]);
    for (const answer of answers) expect(await answer.json()).toEqual({ error: expect.any(String) });
  });

  test("the page and the health check are there", async () => {
    const task = await start();
    expect(await (await fetch(task.url)).text()).toContain("<title>Links</title>");
    expect(await (await fetch(`${task.url}/healthz`)).json()).toMatchObject({ status: "ready" });
  });
});

describe("on SIGTERM", () => {
  test("a request that has begun is finished, then the process ends with 0", async () => {
    const task = await start();
    const body = JSON.stringify({ url: "https://example.com/" });
    const answered = new Promise<string>((resolve) => {
      const socket = connect(task.port, "127.0.0.1");
      const head = `POST /api/links HTTP/1.1\r\nHost: localhost\r\nExpect: 100-continue\r\nContent-Length: ${body.length}\r\n\r\n`;
      let text = "";
      socket.write(head);
      socket.on("data", (chunk) => {
        text += chunk;
        if (text === "HTTP/1.1 100 Continue\r\n\r\n") {
          task.process.kill("SIGTERM"); // the server has the head and waits for the body
          void untilRefused(task).then(() => socket.write(body));
        }
      });
      socket.on("close", () => resolve(text));
    });
    expect(await answered).toContain("201 Created");
    expect(await task.process.exited).toBe(0);
  });

  test("WebSockets are told to go elsewhere", async () => {
    const task = await start();
    const feed = await listen(task);
    task.process.kill("SIGTERM");
    expect([await feed.closed, await task.process.exited]).toEqual([1001, 0]);
  });
});

describe("WebSocket", () => {
  test("the handshake answers the key of RFC 6455 with its value", async () => {
    const close = Uint8Array.of(0x88, 0x80, 0, 0, 0, 0);
    const text = (await exchange(await start(), [Buffer.from(UPGRADE), close])).toString("latin1");
    expect(text).toStartWith("HTTP/1.1 101 ");
    expect(text).toContain("Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n");
  });

  test("a ping is answered with its payload, split at every byte", async () => {
    const frames = [0x89, 0x82, 1, 2, 3, 4, 0x68 ^ 1, 0x69 ^ 2, 0x88, 0x80, 0, 0, 0, 0].map((byte) =>
      Uint8Array.of(byte),
    );
    const answer = await exchange(await start(), [Buffer.from(UPGRADE), ...frames]);
    expect(answer.subarray(answer.indexOf("\r\n\r\n") + 4)).toEqual(
      Buffer.from([0x8a, 2, 0x68, 0x69, 0x88, 2, 0x03, 0xe8]),
    );
  });

  test("a frame that is too long closes with 1009", async () => {
    const answer = await exchange(await start(), [Buffer.from(UPGRADE), Uint8Array.of(0x82, 0xff, 0, 0)]);
    expect(answer.subarray(-4)).toEqual(Buffer.from([0x88, 2, 0x03, 0xf1]));
  });

  test("another version is refused and told which one is spoken", async () => {
    const text = (await exchange(await start(), UPGRADE.replace("Version: 13", "Version: 8"))).toString();
    expect(text).toStartWith("HTTP/1.1 426 ");
  });
});
