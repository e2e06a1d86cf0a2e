import { afterAll, describe, expect, test } from "bun:test";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { serve } from "@hono/node-server";
import express from "express";
import fastify from "fastify";
import { Hono } from "hono";
import { type CacheRules, cacheControl } from "./cache-control.ts";
import { cachedResponse, checkCached, sendCached } from "./cached-response.ts";
import { parseEtags, strongEtag, weakEtag } from "./etag.ts";
import { formatHttpDate, parseHttpDate } from "./http-date.ts";
import { evaluatePreconditions } from "./preconditions.ts";
import { addVary } from "./vary.ts";

const stops: (() => unknown)[] = [];
afterAll(() => Promise.all(stops.map((stop) => stop())));

describe("Cache-Control", () => {
  const rows: [CacheRules, string][] = [
    [{ store: "no-store" }, "no-store"],
    [{ store: "private", noCache: true }, "private, no-cache"],
    [{ store: "public", maxAge: "1h", sMaxAge: "1d" }, "public, max-age=3600, s-maxage=86400"],
    [{ store: "public", maxAge: "365d", immutable: true }, "public, max-age=31536000, immutable"],
    [
      { store: "public", maxAge: "1m", staleWhileRevalidate: "30s", staleIfError: "1d" },
      "public, max-age=60, stale-while-revalidate=30, stale-if-error=86400",
    ],
    [
      { store: "private", maxAge: "0", mustRevalidate: true, noTransform: true },
      "private, max-age=0, must-revalidate, no-transform",
    ],
    [{ store: "no-store", mustUnderstand: true }, "no-store, must-understand"],
  ];
  for (const [rules, expected] of rows) test(expected, () => expect(cacheControl(rules)).toBe(expected));

  const refused: [CacheRules, string][] = [
    [{ store: "no-store", maxAge: "1m" }, "no-store"],
    [{ store: "private", sMaxAge: "1m" }, "shared caches"],
    [{ store: "private", maxAge: "1m", proxyRevalidate: true }, "shared caches"],
    [{ store: "public", maxAge: "1m", noCache: true, immutable: true }, "noCache"],
    [{ store: "public", maxAge: "1m", mustRevalidate: true, staleIfError: "1h" }, "mustRevalidate"],
    [{ store: "public", immutable: true }, "maxAge"],
    [{ store: "public", maxAge: "60" }, "no unit"],
    [{ store: "public", maxAge: "1500ms" }, "whole number of seconds"],
    [{ store: "public", maxAge: "400d" }, "more than a year"],
    [{ store: "public", mustUnderstand: true }, "mustUnderstand"],
  ];
  for (const [rules, word] of refused) {
    test(`refused: ${JSON.stringify(rules)}`, () => expect(() => cacheControl(rules)).toThrow(word));
  }
});

describe("entity tags", () => {
  test("are equal for equal bytes, and for equal versions", () => {
    expect(strongEtag("ä")).toBe(strongEtag(new TextEncoder().encode("ä")));
    expect(strongEtag("a")).not.toBe(strongEtag("b"));
    expect(strongEtag("a")).toMatch(/^"[\w-]{22}"$/);
    expect(weakEtag("a", 1)).toBe(weakEtag("a", 1));
    expect(weakEtag("a", "b")).not.toBe(weakEtag("a,b"));
    expect(weakEtag(1n)).toStartWith('W/"');
  });

  test("are read from lists, and a malformed list is none", () => {
    const texts = (field: string) => {
      const tags = parseEtags(field);
      return Array.isArray(tags) ? tags.map((tag) => (tag.isWeak ? `W/${tag.text}` : tag.text)) : tags;
    };
    expect(texts("*")).toBe("*");
    expect(texts('"a"')).toEqual(["a"]);
    expect(texts('"a", W/"b,c" ,, "",')).toEqual(["a", "W/b,c", ""]);
    for (const wrong of ["a", '"a', '"a" "b"', '"a""b"', 'w/"a"', '"a", b', '"a b"']) {
      expect([wrong, texts(wrong)]).toEqual([wrong, undefined]);
    }
  });
});

describe("dates", () => {
  test("all three forms of RFC 9110 §5.6.7 mean the same moment", () => {
    const forms = [
      "Sun, 06 Nov 1994 08:49:37 GMT",
      "Sunday, 06-Nov-94 08:49:37 GMT",
      "Sun Nov  6 08:49:37 1994",
    ];
    for (const form of forms) expect(parseHttpDate(form)).toBe(784_111_777_000);
    expect(formatHttpDate(784_111_777_999)).toBe("Sun, 06 Nov 1994 08:49:37 GMT");
  });

  test("what is no date is none", () => {
    const wrong = [
      "",
      "yesterday",
      "1994-11-06",
      "Sun, 31 Feb 1994 08:49:37 GMT",
      "Sun, 06 Foo 1994 08:49:37 GMT",
      "Sun, 06 Nov 1994 25:49:37 GMT",
    ];
    for (const text of wrong) expect(parseHttpDate(text)).toBeUndefined();
  });
});

describe("preconditions, in the order of RFC 9110 §13.2.2", () => {
  const date = (ms: number) => formatHttpDate(ms);
  const MODIFIED_MS = 1_000_000_500;
  const rows: [string, string, Record<string, string>, string][] = [
    ["no condition", "GET", {}, "proceed"],
    ["the tag", "GET", { "if-none-match": '"v1"' }, "not-modified"],
    ["the tag, weak", "HEAD", { "if-none-match": '"x", W/"v1"' }, "not-modified"],
    ["another tag", "GET", { "if-none-match": '"v2"' }, "proceed"],
    ["any tag", "GET", { "if-none-match": "*" }, "not-modified"],
    ["any tag, to write only what is not there", "PUT", { "if-none-match": "*" }, "precondition-failed"],
    ["a malformed tag", "GET", { "if-none-match": "v1" }, "proceed"],
    ["a tag beats a date", "GET", { "if-none-match": '"v2"', "if-modified-since": date(2e12) }, "proceed"],
    ["not modified since", "GET", { "if-modified-since": date(MODIFIED_MS) }, "not-modified"],
    ["modified since", "GET", { "if-modified-since": date(MODIFIED_MS - 1000) }, "proceed"],
    ["a malformed date", "GET", { "if-modified-since": "soon" }, "proceed"],
    ["a date, of a write", "POST", { "if-modified-since": date(2e12) }, "proceed"],
    ["if-match with the tag", "PUT", { "if-match": '"v1"' }, "proceed"],
    ["if-match with another", "PUT", { "if-match": '"v2"' }, "precondition-failed"],
    ["if-match compares strongly", "PUT", { "if-match": 'W/"v1"' }, "precondition-failed"],
    ["if-match beats the date", "PUT", { "if-match": '"v1"', "if-unmodified-since": date(0) }, "proceed"],
    ["unmodified since", "PUT", { "if-unmodified-since": date(MODIFIED_MS) }, "proceed"],
    ["modified meanwhile", "PUT", { "if-unmodified-since": date(0) }, "precondition-failed"],
  ];
  for (const [name, method, fields, expected] of rows) {
    test(`${method} ${name}: ${expected}`, () => {
      const outcome = evaluatePreconditions(
        { method, field: (field) => fields[field] },
        { etag: '"v1"', lastModifiedMs: MODIFIED_MS },
      );
      expect(outcome).toBe(expected as never);
    });
  }
});

test("Vary grows, names each field once, and refuses what is no name", () => {
  expect(addVary(null, "Accept-Encoding")).toBe("Accept-Encoding");
  expect(addVary("Accept-Encoding, Cookie", "cookie", "Accept")).toBe("Accept-Encoding, Cookie, Accept");
  expect(addVary("*", "Accept")).toBe("*");
  expect(() => addVary(null, "a b")).toThrow("no name");
});

describe("a fetch-style answer", () => {
  const answer = (headers: Record<string, string> = {}, init: ResponseInit = {}, options = {}) =>
    cachedResponse(
      new Request("http://x/", { headers }),
      new Response("body", {
        ...init,
        headers: { "content-type": "text/plain", "set-cookie": "a=1", vary: "Accept" },
      }),
      { cache: { store: "private", noCache: true }, vary: ["Cookie"], ...options },
    );

  test("carries tag, rules and Vary; the second time it is 304 without content", async () => {
    const first = await answer();
    const etag = first.headers.get("etag") ?? "";
    expect([first.status, await first.text(), first.headers.get("vary")]).toEqual([
      200,
      "body",
      "Accept, Cookie",
    ]);
    const second = await answer({ "if-none-match": etag });
    expect([second.status, await second.text()]).toEqual([304, ""]);
    expect([...second.headers.keys()].toSorted()).toEqual(["cache-control", "etag", "set-cookie", "vary"]);
  });

  test("does not read a body that has a tag already", async () => {
    const response = await answer({}, {}, { etag: weakEtag("v7"), lastModifiedMs: 1000 });
    expect(response.headers.get("etag")).toBe(weakEtag("v7"));
    expect(response.headers.get("last-modified")).toBe("Thu, 01 Jan 1970 00:00:01 GMT");
    const again = await answer({ "if-none-match": weakEtag("v7") }, {}, { etag: weakEtag("v7") });
    expect(again.status).toBe(304);
  });

  test("a lost precondition is 412, without what would let a cache store it for others", async () => {
    const lost = await answer({ "if-match": '"other"' });
    expect([lost.status, await lost.text(), [...lost.headers.keys()]]).toEqual([412, "", ["set-cookie"]]);
  });

  test("says how long it is, for servers that answer HEAD by what GET would be", async () => {
    expect((await answer()).headers.get("content-length")).toBe("4");
  });

  test("of an error is neither tagged nor 304", async () => {
    const response = await answer({ "if-none-match": "*" }, { status: 404 });
    expect([response.status, response.headers.get("etag")]).toEqual([404, null]);
  });
});

/** Fetch-style servers: Hono on both, with middleware that copies each response, and Bun alone. */
const FETCH_SERVERS: Record<string, () => Promise<string>> = {
  "hono on node": () =>
    new Promise((resolve) => {
      const options = {
        fetch: honoApp().fetch,
        port: 0,
        hostname: "127.0.0.1",
        overrideGlobalObjects: false,
      };
      const server = serve(options, ({ port }) => resolve(`http://127.0.0.1:${port}`));
      stops.push(() => server.close());
    }),
  "hono on bun": async () => served(honoApp().fetch),
  bun: async () =>
    served((request) => cachedResponse(request, new Response("body"), { cache: { store: "no-store" } })),
};

function honoApp(): Hono {
  const app = new Hono();
  app.use(async (context, next) => {
    await next();
    context.header("set-cookie", "a=1", { append: true });
  });
  app.get("/", (context) =>
    cachedResponse(context.req.raw, context.text("body"), { cache: { store: "no-store" } }),
  );
  return app;
}

function served(fetch: (request: Request) => Response | Promise<Response>): string {
  const server = Bun.serve({ port: 0, fetch });
  stops.push(() => server.stop(true));
  return `http://127.0.0.1:${server.port}`;
}

for (const [name, start] of Object.entries(FETCH_SERVERS)) {
  test(`an answer of ${name}: a text stays a text; 304; HEAD says the length`, async () => {
    const origin = await start();
    const first = await fetch(origin);
    expect([first.status, await first.text()]).toEqual([200, "body"]);
    expect(first.headers.get("content-type")).toStartWith("text/plain");
    const again = await fetch(origin, { headers: { "if-none-match": first.headers.get("etag") ?? "" } });
    expect([again.status, await again.text()]).toEqual([304, ""]);
    const head = await fetch(origin, { method: "HEAD" });
    expect([head.status, head.headers.get("content-length")]).toEqual([200, "4"]);
  });
}

describe("an answer of Fastify", () => {
  test("hijacked, is tagged; checked, it is Fastify's own or 304", async () => {
    const app = fastify();
    const cache: CacheRules = { store: "public", maxAge: "1m" };
    app.get("/", (request, reply) => {
      reply.hijack();
      sendCached(request.raw, reply.raw, "body", { cache });
    });
    app.get("/checked", async (request, reply) => {
      if (checkCached(request.raw, reply.raw, { cache, etag: weakEtag("v1") }) === "proceed") return { a: 1 };
      reply.hijack();
      reply.raw.end();
      return reply;
    });
    stops.push(() => app.close());
    const origin = await app.listen({ port: 0, host: "127.0.0.1" });
    for (const path of ["/", "/checked"]) {
      const first = await fetch(origin + path);
      const etag = first.headers.get("etag") ?? "";
      expect([first.status, first.headers.get("cache-control")]).toEqual([200, "public, max-age=60"]);
      expect((await fetch(origin + path, { headers: { "if-none-match": etag } })).status).toBe(304);
    }
  });
});

describe("an answer of node:http and Express", () => {
  const handle = (request: IncomingMessage, response: ServerResponse): void => {
    response.setHeader("Content-Type", "text/plain");
    const cache: CacheRules = { store: "public", maxAge: "1m" };
    if (request.url === "/checked") {
      if (checkCached(request, response, { cache, etag: weakEtag("v1") }) !== "proceed") response.end();
      else response.end("costly");
    } else sendCached(request, response, "body", { cache, vary: ["Accept"] });
  };
  const app = express().disable("x-powered-by").use(handle);

  for (const [name, listener] of Object.entries({ "node:http": handle, express: app })) {
    test(`${name}: tag, then 304; HEAD has no body; a lost precondition is 412`, async () => {
      const server = createServer(listener);
      await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
      stops.push(() => server.close());
      const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
      const ask = (path: string, headers = {}, method = "GET") => fetch(origin + path, { headers, method });
      const first = await ask("/");
      const etag = first.headers.get("etag") ?? "";
      expect([first.status, await first.text(), first.headers.get("cache-control")]).toEqual([
        200,
        "body",
        "public, max-age=60",
      ]);
      const second = await ask("/", { "if-none-match": etag });
      expect([second.status, second.headers.get("content-type"), second.headers.get("vary")]).toEqual([
        304,
        null,
        "Accept",
      ]);
      const head = await ask("/", {}, "HEAD");
      expect([head.status, await head.text(), head.headers.get("content-length")]).toEqual([200, "", "4"]);
      for (const path of ["/", "/checked"]) {
        const lost = await ask(path, { "if-match": '"other"' });
        expect([lost.status, lost.headers.get("cache-control"), lost.headers.get("etag")]).toEqual([
          412,
          null,
          null,
        ]);
      }
      expect(await (await ask("/checked")).text()).toBe("costly");
      expect((await ask("/checked", { "if-none-match": weakEtag("v1") })).status).toBe(304);
    });
  }
});
