import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Copy, codeOf, follow, listen, shorten, startCopy } from "./testing.ts";

let folder: string;
let tasks: Copy[];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "links-"));
  tasks = [];
});

afterEach(async () => {
  for (const task of tasks) task.process.kill("SIGKILL");
  await Promise.all(tasks.map((task) => task.process.exited));
  rmSync(folder, { recursive: true });
});

/** Starts one copy that keeps its links in the file. */
async function start(): Promise<Copy> {
  const task = await startCopy({ DATA_DIR: folder });
  tasks.push(task);
  return task;
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

describe("links", () => {
  test("a link made at one copy is followed at another, and the click is seen live at both", async () => {
    const [a, b] = [await start(), await start()];
    const feeds = [await listen(a), await listen(b)];
    const code = await codeOf(await shorten(a, "https://example.com/long"));
    const response = await follow(b, code);
    expect([response.status, response.headers.get("location")]).toEqual([302, "https://example.com/long"]);
    for (const feed of feeds) {
      expect(await feed.next()).toEqual({ code, url: "https://example.com/long", clicks: 0 });
      expect(await feed.next()).toEqual({ code, url: "https://example.com/long", clicks: 1 });
    }
  });

  test("links and clicks outlive the process", async () => {
    const first = await start();
    const code = await codeOf(await shorten(first, "http://example.com/"));
    await follow(first, code);
    first.process.kill("SIGTERM");
    expect(await first.process.exited).toBe(0);
    const listed = await (await fetch(`${(await start()).url}/api/links`)).json();
    expect(listed).toEqual([{ code, url: "http://example.com/", clicks: 1 }]);
  });

  test("a line that was cut short costs that line only", async () => {
    const lines = ['{"code":"a","url":"http://a.example/"}', '{"code":"b","ur', '{"code":"a","clicks":2}'];
    writeFileSync(join(folder, "links.ndjson"), `${lines.join("\n")}\n`);
    const listed = await (await fetch(`${(await start()).url}/api/links`)).json();
    expect(listed).toEqual([{ code: "a", url: "http://a.example/", clicks: 2 }]);
  });

  test("bad input is answered with what is wrong", async () => {
    const task = await start();
    const body = "x".repeat(20_000);
    const answers = [
      await shorten(task, "javascript:alert(1)"),
      await shorten(task, null),
      await fetch(`${task.url}/api/links`, { method: "POST", body: "{" }),
      await fetch(`${task.url}/api/links`, { method: "POST", body }),
      await follow(task, "nothing"),
      await fetch(`${task.url}/api/links/nothing`),
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
      const head = `POST /api/links HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: ${body.length}\r\n\r\n`;
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
