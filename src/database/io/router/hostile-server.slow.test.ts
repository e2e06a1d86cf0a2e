import { afterEach, describe, expect, setDefaultTimeout, test } from "bun:test";
import { createServer, type Server, type Socket } from "node:net";
import { seededRandom } from "../../../base/index.ts";
import { eventually } from "../../../base/testing.ts";
import type { RawClient } from "./testing.ts";
import { startRouter, type TestRouter } from "./testing.ts";

setDefaultTimeout(30_000);

/** A message of a server. */
const said = (type: string, body = ""): string => {
  const length = body.length + 4;
  return `${type}\0${String.fromCharCode((length >> 16) & 255, (length >> 8) & 255, length & 255)}${body}`;
};
const READY = said("Z", "I");
const WELCOME =
  said("R", "\0\0\0\0") + said("S", "server_version\x0018\0") + said("K", "\0\0\0\x01\0\0\0\x02") + READY;
const ROW =
  said("T", "\0\x01n\0\0\0\0\0\0\0\0\0\0\x17\0\x04\xff\xff\xff\xff\0\0") + said("D", "\0\x01\0\0\0\x011");
const GOOD = ROW + said("C", "SELECT 1\0") + READY;

/** A server that lets everybody in (or says `welcome`), and answers what it is told. */
class FakeServer {
  readonly #server: Server;
  readonly sockets: Socket[] = [];
  answers: string[] = [];
  welcome = WELCOME;
  constructor() {
    this.#server = createServer((socket) => {
      this.sockets.push(socket);
      socket.on("error", () => {});
      let isIn = false;
      socket.on("data", (bytes) => {
        if (bytes[0] === 0x58)
          socket.end(); // Terminate
        else socket.write(isIn ? (this.answers.shift() ?? GOOD) : this.welcome, "latin1");
        isIn = true;
      });
    });
  }
  async listen(): Promise<number> {
    await new Promise<void>((resolve) => void this.#server.listen(0, "127.0.0.1", resolve));
    return (this.#server.address() as { port: number }).port;
  }
  stop(): void {
    for (const socket of this.sockets) socket.destroy();
    this.#server.close();
  }
}

describe("a hostile server behind a router", () => {
  const server = new FakeServer();
  let router: TestRouter;
  const opened = server.listen();
  const open = async (): Promise<void> => {
    router = startRouter(await opened, { pool: { size: 1, loginRetryMinMs: 10 } });
  };
  afterEach(async () => {
    await router?.stop();
    server.welcome = WELCOME;
    server.answers = [];
  });

  async function ask(client: RawClient): Promise<string> {
    client.clear();
    client.add("Q", "SELECT 1\0").send();
    await eventually("an answer", () => client.isClosed || client.types.endsWith("Z"));
    return client.isClosed ? `${client.errors.join()} closed` : client.types;
  }
  /** Somebody else is served, on another server connection. */
  async function isWell(): Promise<void> {
    expect(await ask(await router.raw())).toBe("TDCZ");
    expect(router.worker.pools[0]?.servers).toBeLessThanOrEqual(1);
  }

  test.each([
    ["an unknown type", "!\0\0\0\x04", "08P01"],
    ["a length of 3", "C\0\0\0\x03", "08P01"],
    ["a negative length", "D\xff\xff\xff\xff", "08P01"],
    ["a length of 2^31 - 1", "D\x7f\xff\xff\xff", "08P01"],
    ["another log-in", said("R", "\0\0\0\x05abcd"), "08P01"],
    ["HTTP", "HTTP/1.1 400 Bad Request\r\n\r\n", "08P01"],
    ["a state of nine letters", said("Z", "IIIIIIIII"), "08P01"],
  ])("that answers %s costs one client its session", async (_, bytes, code) => {
    await open();
    const client = await router.raw();
    server.answers = [bytes];
    expect(await ask(client)).toBe(`${code} closed`);
    await isWell();
  });

  test("that closes in the middle of a row costs one client its session", async () => {
    await open();
    const client = await router.raw();
    server.answers = [ROW.slice(0, -3)];
    client.clear();
    client.add("Q", "SELECT 1\0").send();
    await eventually("it has begun", () => client.types === "T");
    server.sockets.at(-1)?.end();
    await eventually("it is closed", () => client.isClosed);
    expect(client.isClosed).toBe(true);
    await isWell();
  });

  test.each([
    ["a second answer", GOOD + GOOD],
    ["a second ReadyForQuery", GOOD + READY],
    ["rows behind the end", GOOD + ROW],
  ])("that sends %s at once is not used again", async (_, bytes) => {
    await open();
    const client = await router.raw();
    server.answers = [bytes];
    const connections = server.sockets.length;
    await ask(client);
    expect(await ask(await router.raw())).toBe("TDCZ");
    expect(server.sockets.length).toBe(connections + 1);
  });

  test("that says something later, to nobody, is not used again", async () => {
    await open();
    const client = await router.raw();
    expect(await ask(client)).toBe("TDCZ");
    const connections = server.sockets.length;
    server.sockets.at(-1)?.write(GOOD, "latin1");
    await eventually("it is gone", () => router.worker.pools[0]?.servers === 0);
    expect(await ask(client)).toBe("TDCZ");
    expect(server.sockets.length).toBe(connections + 1);
  });

  test.each([
    ["nothing but zeros", "\0".repeat(5000)],
    ["HTTP", "HTTP/1.1 400 Bad Request\r\n\r\n"],
    ["rows", ROW],
    [
      "settings without end",
      said("R", "\0\0\0\0") + Array.from({ length: 300 }, (__, n) => said("S", `s${n}\0\0`)).join(""),
    ],
    ["authentication of an unknown kind", said("R", "\0\0\0\x63")],
  ])("that lets nobody in, but answers %s, is told of in words", async (_, welcome) => {
    await open();
    server.welcome = welcome;
    const client = router.raw();
    await eventually("an attempt has failed", () => router.worker.counters.serverLoginsFailed > 0);
    server.welcome = WELCOME;
    const { errors, isClosed } = await client;
    // Refused for good, or let in at the next attempt.
    expect(isClosed ? errors : ["08000"]).toEqual(["08000"]);
    expect(await askAgain()).toBe("TDCZ");
  });

  /** Attempts come at distances: the first ones may still be refused. */
  async function askAgain(): Promise<string> {
    for (let attempt = 0; attempt < 50; attempt++) {
      // oxlint-disable-next-line no-await-in-loop -- one after the other
      const client = await router.raw();
      if (!client.isClosed) return ask(client); // oxlint-disable-line no-await-in-loop -- see above
    }
    return "refused";
  }

  test("whose answers are mutated 200 times leaves a router that works", async () => {
    await open();
    const random = seededRandom(17);
    for (let round = 0; round < 200; round++) {
      const bytes = Buffer.from(GOOD, "latin1");
      for (let i = 0; i < 1 + random() * 3; i++) bytes[Math.floor(random() * bytes.length)] = random() * 256;
      server.answers = [bytes.toString("latin1")];
      // oxlint-disable-next-line no-await-in-loop -- one after the other
      const client = await router.raw();
      client.clear();
      client.add("Q", "SELECT 1\0").send();
      // oxlint-disable-next-line no-await-in-loop -- see above
      await eventually("something", () => client.messages.length > 0 || client.isClosed, 200).catch(() => {});
      client.socket.destroy();
      // oxlint-disable-next-line no-await-in-loop -- see above
      await eventually("it is gone", () => router.worker.counters.clients === 0);
    }
    server.answers = [];
    await isWell();
  }, 120_000);
});
