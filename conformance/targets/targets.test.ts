import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { launchListening, stopAll } from "../../bench/harness/process.ts";
import { type StartedProxy, startProxy } from "../../bench/harness/proxies.ts";
import { freePort } from "../../src/base/testing.ts";
import { statusOf, valuesOf } from "../http1/strict-reader.ts";
import { askOnce, RawClient } from "../raw-client.ts";

/** Targets that know nothing of us: four frameworks with the same routes. */
const APPS = {
  Fastify: ["node", "fastify.js"],
  Express: ["node", "express.js"],
  Hono: ["node", "hono.js"],
  "Python http.server": ["python3", "server.py"],
} as const;

const LARGE_BYTES = 8 * 2 ** 20;
const START_DEADLINE_MS = 30_000;
const TICKS = Array.from({ length: 10 }, (_, tick) => `tick ${tick}\n`).join("");

const folder = mkdtempSync(join(tmpdir(), "tenfold-targets-"));
let gateway: StartedProxy;

beforeAll(async () => {
  const ports = Object.values(APPS).map(() => freePort());
  const starts = Object.entries(APPS).map(async ([name, [program, file]], index) => {
    const argv = [program, join(import.meta.dirname, "apps", file)];
    const env = { PORT: String(ports[index]) };
    await launchListening({ name, argv, env, folder }, ports[index]!);
  });
  await Promise.all(starts);
  gateway = await startProxy(
    "tenfold",
    folder,
    ports.map((port) => [port]),
  );
}, START_DEADLINE_MS);

afterAll(async () => {
  await stopAll();
  rmSync(folder, { recursive: true });
});

const get = (path: string): string => `GET ${path} HTTP/1.1\r\nHost: shop.test\r\n\r\n`;
const post = (fields: string, body: string): string =>
  `POST /echo HTTP/1.1\r\nHost: shop.test\r\nContent-Type: text/plain\r\n${fields}\r\n\r\n${body}`;

for (const [index, name] of Object.keys(APPS).entries()) {
  const ask = (bytes: string) => askOnce(gateway.ports[index]!, bytes);

  describe(name, () => {
    test("answers GET", async () => {
      expect(await ask(get("/hello"))).toMatchObject({ body: "hello" });
    });

    test("answers HEAD without a body, and the connection goes on", async () => {
      const client = new RawClient(gateway.ports[index]!);
      expect(statusOf(await client.ask("HEAD /hello HTTP/1.1\r\nHost: shop.test\r\n\r\n"))).toBe(200);
      expect((await client.ask(get("/hello"))).body).toBe("hello");
      client.stop();
    });

    test("gets a body of known length", async () => {
      expect((await ask(post("Content-Length: 11", "hello world"))).body).toBe("hello world");
    });

    test("gets a chunked body", async () => {
      const body = "5\r\nhello\r\n6;a=b\r\n world\r\n0\r\n\r\n";
      expect((await ask(post("Transfer-Encoding: chunked", body))).body).toBe("hello world");
    });

    test("is asked to continue before a body that was announced", async () => {
      expect((await ask(post("Expect: 100-continue\r\nContent-Length: 5", "hello"))).body).toBe("hello");
    });

    test("has its 404 passed on", async () => {
      expect(statusOf(await ask(get("/missing")))).toBe(404);
    });

    test("streams", async () => {
      expect((await ask(get("/stream"))).body).toBe(TICKS);
    });

    test("sends 8 MiB", async () => {
      expect((await ask(get("/large"))).body.length).toBe(LARGE_BYTES);
    });

    test("learns the client's address", async () => {
      expect((await ask(get("/forwarded"))).body).toBe("127.0.0.1");
    });
  });
}

/** Targets that frame their answers; an HTTP/1.0 one ends them by closing. */
const FRAMED = Object.keys(APPS).filter((name) => name !== "Python http.server");

for (const [index, name] of FRAMED.entries()) {
  describe(`${name} on one connection`, () => {
    test("serves many requests of one connection in order", async () => {
      const client = new RawClient(gateway.ports[index]!);
      for (let round = 0; round < 10; round++) {
        expect((await client.ask(get("/hello"))).body).toBe("hello");
        expect((await client.ask(post("Content-Length: 1", String(round)))).body).toBe(String(round));
      }
      expect(client.closed).toBe(false);
      client.stop();
    });

    test("its hop-by-hop fields end at the gateway", async () => {
      const answer = await askOnce(gateway.ports[index]!, get("/hello"));
      expect(valuesOf(answer, "keep-alive")).toEqual([]);
      expect(valuesOf(answer, "connection")).toEqual([]);
    });
  });
}

test("an answer that ends with the target's connection ends the client's, and says so", async () => {
  const client = new RawClient(gateway.ports[Object.keys(APPS).indexOf("Python http.server")]!);
  const answer = await client.ask(get("/hello"));
  expect(answer.body).toBe("hello");
  const framed = valuesOf(answer, "content-length").length + valuesOf(answer, "transfer-encoding").length > 0;
  expect(valuesOf(answer, "connection")).toEqual(framed ? [] : ["close"]);
  client.stop();
});
