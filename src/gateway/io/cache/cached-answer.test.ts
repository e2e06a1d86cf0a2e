import { afterEach, describe, expect, test } from "bun:test";
import { eventually, get, ok, stopAll, Target } from "../../testing/index.ts";
import { before, cached } from "./testing.ts";

afterEach(stopAll);

const FRESH = "Cache-Control: max-age=60";

describe("a hit", () => {
  test("is answered without the target, with its age and what the cache did", async () => {
    const { target, ask } = await cached({}, FRESH, 'ETag: "1"');
    const [miss, hit] = [await ask(), await ask()];
    expect([miss.body, hit.body, target.arrivals.length]).toEqual(["1", "1", 1]);
    expect([miss.field("age"), hit.field("age")]).toEqual([undefined, "0"]);
    expect(miss.field("cache-status")).toBe("tenfold; fwd=uri-miss; stored");
    expect(hit.field("cache-status")).toMatch(/^tenfold; hit; ttl=(59|60)$/);
  });

  test("has a request id of its own, and nothing that belonged to the target's connection", async () => {
    const { ask } = await cached(
      {},
      FRESH,
      "X-Request-Id: theirs",
      "Connection: X-Mine",
      "X-Mine: 1",
      "Keep-Alive: timeout=9",
    );
    await ask();
    const hit = await ask();
    expect([hit.field("x-mine"), hit.field("keep-alive"), hit.field("connection")]).toEqual([
      undefined,
      undefined,
      undefined,
    ]);
    expect(hit.field("x-request-id")).not.toBe("theirs");
  });

  test("tells clients neither tags nor words between origin and cache, and neither does the miss before it", async () => {
    const { ask } = await cached(
      {},
      FRESH,
      "Cache-Tag: a",
      "Surrogate-Key: b",
      "Tenfold-CDN-Cache-Control: max-age=9",
    );
    const heads = [await ask(), await ask()].map(({ head }) => head);
    expect(heads.filter((head) => /cache-tag|surrogate|tenfold-cdn/i.test(head))).toEqual([]);
  });

  test("has the rule's own Cache-Control for browsers, as the miss has", async () => {
    const { ask } = await cached({ browser: "max-age=5" }, FRESH, "Expires: Thu, 01 Jan 2099 00:00:00 GMT");
    for (const { head } of [await ask(), await ask()])
      expect(head.match(/^(cache-control|expires):.*$/gim)).toEqual(["Cache-Control: max-age=5"]);
  });

  test("of HEAD is a stored GET without its body", async () => {
    const { gateway, ask, target } = await cached({}, FRESH);
    await ask();
    const client = await gateway.connect();
    client.send("HEAD / HTTP/1.1\r\nHost: shop.example\r\n\r\n");
    expect(await client.takeHead()).toContain("Content-Length: 1");
    expect(target.arrivals.length).toBe(1);
  });

  test("in a row of pipelined requests keeps its place", async () => {
    const { gateway, ask } = await cached({}, FRESH);
    await ask("/a");
    const client = await gateway.connect();
    client.send(get("/b") + get("/a") + get("/c"));
    const bodies = [await client.answer(), await client.answer(), await client.answer()].map(
      ({ body }) => body,
    );
    expect(bodies).toEqual(["2", "1", "3"]);
  });
});

describe("what is not kept", () => {
  test.each([
    [["Cache-Control: private"], "private"],
    [["Cache-Control: no-store"], "no-store"],
    [[FRESH, "Set-Cookie: a=1"], "set-cookie"],
    [[FRESH, "Vary: *"], "vary-star"],
    [[], "no-freshness"],
  ])("%j: %s", async (fields, reason) => {
    const { target, status } = await cached({}, ...fields);
    expect([await status(), await status()]).toEqual([
      `fwd=uri-miss; detail=${reason}`,
      `fwd=uri-miss; detail=${reason}`,
    ]);
    expect(target.arrivals.length).toBe(2);
  });

  test("an answer to somebody with credentials, unless it is for everybody", async () => {
    const own = await cached({}, FRESH);
    expect(await own.status("/", "Authorization: me")).toContain("authorization");
    const open = await cached({}, "Cache-Control: public, max-age=60");
    await open.ask("/", "Authorization: me");
    expect(await open.status()).toMatch(/^hit/);
  });

  test("what is larger than the rule allows, declared or not", async () => {
    const { status } = await cached({ objectMax: "1B" }, FRESH);
    expect(await status()).toBe("fwd=uri-miss; stored");
    const { status: large } = await before({ objectMax: "1B" }, await Target.start(() => ok("ab", FRESH)));
    expect([await large(), await large()].every((text) => text.includes("too-large"))).toBe(true);
  });

  test("what was asked for with a header that could change it and is not in the key", async () => {
    const { status } = await cached({}, FRESH);
    expect(await status("/", "X-Original-URL: /admin")).toBe("fwd=uri-miss; detail=unkeyed-header");
    expect(await status("/")).toBe("fwd=uri-miss; stored");
  });
});

describe("what a client says", () => {
  test("If-None-Match is answered with 304 from the store, and on a miss the target is asked for the whole", async () => {
    const { target, ask } = await cached({}, FRESH, 'ETag: "1"');
    const answers = [await ask("/", 'If-None-Match: "1"'), await ask("/", 'If-None-Match: W/"1"')];
    expect(answers.map(({ status, body }) => [status, body])).toEqual([
      [304, ""],
      [304, ""],
    ]);
    expect(target.arrivals[0]?.head).not.toMatch(/if-none-match/i);
    expect((await ask("/", 'If-None-Match: "2"')).body).toBe("1");
  });

  test("a range is cut out of what is stored", async () => {
    const { ask } = await before({}, await Target.start(() => ok("0123456789", FRESH)));
    await ask();
    const part = await ask("/", "Range: bytes=2-4");
    expect([part.status, part.body, part.field("content-range")]).toEqual([206, "234", "bytes 2-4/10"]);
    expect((await ask("/", "Range: bytes=-2")).body).toBe("89");
    expect((await ask("/", "Range: bytes=20-")).status).toBe(416);
  });

  test("only-if-cached never reaches the target", async () => {
    const { target, ask } = await cached({}, FRESH);
    expect((await ask("/", "Cache-Control: only-if-cached")).status).toBe(504);
    expect(target.arrivals.length).toBe(0);
  });

  test("a body goes around the cache, and so does what upgrades", async () => {
    const { status, target } = await cached({}, FRESH);
    expect(await status("/", "Content-Length: 0")).toBe("fwd=uri-miss; stored");
    const { gateway } = await cached({}, FRESH);
    const client = await gateway.connect();
    const answer = await client.ask("GET / HTTP/1.1\r\nHost: shop.example\r\nContent-Length: 2\r\n\r\nhi");
    expect(answer.field("cache-status")).toBe("tenfold; fwd=bypass; detail=request-body");
    expect(target.arrivals.length).toBe(1);
  });
});

describe("a change", () => {
  test("that succeeds makes what is stored of its URL invalid, and of its Location on this host", async () => {
    const script = ({ head }: { head: string }, count: number) =>
      head.startsWith("POST")
        ? "HTTP/1.1 201 Created\r\nLocation: /b\r\nContent-Length: 0\r\n\r\n"
        : ok(String(count), FRESH);
    const { gateway, status } = await before({}, await Target.start(script));
    for (const path of ["/a", "/b", "/c"]) await status(path);
    await (await gateway.connect()).ask(
      "POST /a HTTP/1.1\r\nHost: shop.example\r\nContent-Length: 0\r\n\r\n",
    );
    expect(await Promise.all(["/a", "/b", "/c"].map((path) => status(path)))).toEqual([
      "fwd=uri-miss; stored",
      "fwd=uri-miss; stored",
      expect.stringMatching(/^hit/),
    ]);
  });

  test("that fails leaves what is stored", async () => {
    const script = ({ head }: { head: string }) =>
      head.startsWith("PUT") ? "HTTP/1.1 409 Conflict\r\nContent-Length: 0\r\n\r\n" : ok("x", FRESH);
    const { gateway, status } = await before({}, await Target.start(script));
    await status();
    await (await gateway.connect()).ask("PUT / HTTP/1.1\r\nHost: shop.example\r\nContent-Length: 0\r\n\r\n");
    expect(await status()).toMatch(/^hit/);
  });
});

describe("stale", () => {
  test("is served while one fetch refreshes it, when the response allows it", async () => {
    const { target, ask } = await cached({}, "Cache-Control: max-age=0, stale-while-revalidate=60");
    await ask();
    expect([(await ask()).body, (await ask()).body].every((body) => body === "1" || body === "2")).toBe(true);
    await eventually("the refresh", () => target.arrivals.length >= 2);
    await eventually("the new one", () => target.arrivals.length >= 2);
  });

  test("is served in place of an error, and says so", async () => {
    const answers = [
      ok("old", "Cache-Control: max-age=0", 'ETag: "1"'),
      "HTTP/1.1 503 No\r\nContent-Length: 0\r\n\r\n",
    ];
    const { ask } = await before(
      { staleIfError: "1m" },
      await Target.start((_, count) => answers[Math.min(count, 2) - 1]),
    );
    await ask();
    const { status, body, head } = await ask();
    expect([status, body]).toEqual([200, "old"]);
    expect(head).toContain("detail=stale-if-error");
  });

  test("is not served in place of an error where the response forbids it", async () => {
    const answers = [
      ok("old", "Cache-Control: max-age=0, must-revalidate", 'ETag: "1"'),
      "HTTP/1.1 503 No\r\nContent-Length: 0\r\n\r\n",
    ];
    const { ask } = await before(
      { staleIfError: "1m" },
      await Target.start((_, count) => answers[Math.min(count, 2) - 1]),
    );
    await ask();
    expect((await ask()).status).toBe(503);
  });

  test("is served after the soft timeout of a target that does not answer", async () => {
    const target = await Target.start((_, count) =>
      count === 1 ? ok("old", "Cache-Control: max-age=0", 'ETag: "1"') : undefined,
    );
    const { ask } = await before({ staleIfError: "1m", softTimeout: "50ms" }, target);
    await ask();
    expect((await ask()).body).toBe("old");
  });

  test("is right again after a 304, which renews its fields", async () => {
    const answers = [
      ok("body", "Cache-Control: max-age=0", 'ETag: "1"', "X-Note: old"),
      'HTTP/1.1 304 Not Modified\r\nETag: "1"\r\nX-Note: new\r\nCache-Control: max-age=60\r\n\r\n',
    ];
    const { ask, target, status } = await before({}, await Target.start((_, count) => answers[count - 1]));
    await ask();
    const renewed = await ask();
    expect([renewed.body, renewed.field("x-note")]).toEqual(["body", "new"]);
    expect(target.arrivals[1]?.head).toMatch(/if-none-match: "1"/i);
    expect(await status()).toMatch(/^hit/);
  });
});

test("two hosts, two queries and two variants never share a response", async () => {
  const { ask } = await before(
    {},
    await Target.start((_, count) => ok(String(count), FRESH, "Vary: X-Kind")),
  );
  const bodies = [
    await ask("/"),
    await ask("/", "X-Kind: a"),
    await ask("/?a=1"),
    await ask("/", "X-Kind: a"),
    await ask("/"),
  ].map(({ body }) => body);
  expect(bodies).toEqual(["1", "2", "3", "2", "1"]);
});

test("the key of a rule says what counts", async () => {
  const key = { query: { except: "utm_*" }, cookies: "plan", languages: ["de", "en"] };
  const { ask } = await cached({ key }, FRESH);
  const bodies = [
    await ask("/?a=1&utm_source=x", "Cookie: plan=1", "Accept-Language: de"),
    await ask("/?a=1", "Cookie: plan=1; other=2", "Accept-Language: de-AT"),
    await ask("/?a=1", "Cookie: plan=2", "Accept-Language: de"),
    await ask("/?a=1", "Cookie: plan=1", "Accept-Language: en"),
  ].map(({ body }) => body);
  expect(bodies).toEqual(["1", "1", "2", "3"]);
});

test("all lines of a header and of Cookie count in the key", async () => {
  const { ask } = await cached({ key: { cookies: "plan", headers: "x-kind" } }, FRESH);
  const bodies = [
    await ask("/", "Cookie: other=1", "Cookie: plan=1", "X-Kind: a"),
    await ask("/", "Cookie: other=1", "Cookie: plan=2", "X-Kind: a"),
    await ask("/", "Cookie: plan=1", "X-Kind: a", "X-Kind: b"),
    await ask("/", "Cookie: plan=1; other=2", "X-Kind: a"),
  ].map(({ body }) => body);
  expect(bodies).toEqual(["1", "2", "3", "1"]);
});

test("a body in a coding is not for him who does not take it, known or not", async () => {
  const { ask } = await before(
    {},
    await Target.start((_, count) => ok(String(count), FRESH, "Vary: Accept-Encoding")),
  );
  const bodies = [
    await ask("/", "Accept-Encoding: deflate"),
    await ask("/", "Accept-Encoding: identity"),
    await ask("/", "Accept-Encoding: deflate;q=0.5"),
    await ask("/", "Accept-Encoding: *"),
  ].map(({ body }) => body);
  expect(bodies).toEqual(["1", "2", "1", "3"]);
});
