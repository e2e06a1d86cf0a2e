/** What clients ask of the cache (conditions, ranges, methods, directives), and what it must not tell them. */
import { afterEach, describe, expect, test } from "bun:test";
import { get, ok, request, settle, stopAll, Target } from "../../testing/index.ts";
import { bare, before, cached, FRESH, inChunks, said } from "./testing.ts";

afterEach(stopAll);

const DATE = "Thu, 01 Jan 2026 00:00:00 GMT";
const EARLIER = "Wed, 31 Dec 2025 00:00:00 GMT";
const LATER = "Fri, 02 Jan 2026 00:00:00 GMT";
const VALIDATED = [
  FRESH,
  'ETag: "1"',
  `Last-Modified: ${DATE}`,
  `Date: ${new Date().toUTCString()}`,
] as const;

describe("a hit", () => {
  test("grows older, with its time left", async () => {
    const { ask, later } = await cached({}, FRESH);
    const miss = await ask();
    later(20.5);
    const hit = await ask();
    expect([miss.field("age"), hit.field("age"), said(hit)]).toEqual([undefined, "20", "hit; ttl=39"]);
  });

  test("counts the age that the response had when it came, which the miss tells as well", async () => {
    const { ask } = await cached({}, FRESH, "Age: 30");
    const [miss, hit] = [await ask(), await ask()];
    expect([miss.field("age"), hit.field("age"), hit.head.match(/^age:/gim)?.length]).toEqual([
      "30",
      "30",
      1,
    ]);
  });

  test("has a request id of its own, and so has each of those who ask for it", async () => {
    const { ask } = await cached({}, FRESH, "X-Request-Id: theirs");
    const heads = [await ask(), await ask(), await ask()].map(
      ({ head }) => head.match(/^x-request-id: .*$/gim) ?? [],
    );
    expect(heads.map((ids) => ids.length)).toEqual([1, 1, 1]);
    expect(new Set(heads.flat()).size).toBe(3);
  });

  test("has all lines of a field that came in several, in their order", async () => {
    const { ask } = await cached({}, FRESH, "Link: </a>", "X-Mid: 1", "Link: </b>");
    const links = [await ask(), await ask()].map(({ head }) => head.match(/^link: .*$/gim));
    expect(links).toEqual([
      ["Link: </a>", "Link: </b>"],
      ["Link: </a>", "Link: </b>"],
    ]);
  });

  test("goes by CDN-Cache-Control before Cache-Control, and by ours before both", async () => {
    const open = await cached({}, "Cache-Control: no-store", "CDN-Cache-Control: max-age=60");
    await open.ask();
    expect(await open.status()).toMatch(/^hit/);
    const closed = await cached({}, FRESH, "CDN-Cache-Control: no-store");
    expect(await closed.status()).toBe("fwd=uri-miss; detail=no-store");
    const ours = await cached(
      {},
      FRESH,
      "CDN-Cache-Control: max-age=60",
      "Tenfold-CDN-Cache-Control: no-store",
    );
    expect(await ours.status()).toBe("fwd=uri-miss; detail=no-store");
  });

  test("of a body beyond the scratch buffer is whole for a client that reads slowly, though it is purged meanwhile", async () => {
    const body = Buffer.alloc(4_000_000, "0123456789").toString("latin1");
    const memory = { gateway: { cache: { memory: "1GiB" } } } as const;
    const target = await Target.start(() => ok(body, FRESH));
    const { gateway, ask, status } = await before({}, target, memory);
    await ask();
    expect(await status()).toMatch(/^hit/);
    const client = await gateway.connect();
    client.socket.pause();
    client.send(get("/"));
    await settle();
    gateway.store?.purge({ kind: "all", hard: true });
    target.script = () => ok("z".repeat(4_000_000), FRESH);
    await ask();
    client.socket.resume();
    expect((await client.answer()).body === body).toBe(true);
  });

  test("has the target's reason, status and head, however long", async () => {
    const long = `X-Long: ${"x".repeat(30_000)}`;
    const { target, ask } = await before(
      {},
      await Target.start(() => ok("b", FRESH, long).replace("200 OK", "203 Thought So")),
    );
    for (const { head } of [await ask(), await ask()])
      expect([head.startsWith("HTTP/1.1 203 Thought So"), head.includes(long)]).toEqual([true, true]);
    expect(target.arrivals.length).toBe(1);
  });

  test("closes when its client asked for that, and keeps an HTTP/1.0 connection that asked for that", async () => {
    const { gateway, ask } = await cached({}, FRESH);
    await ask();
    const client = await gateway.connect();
    const old = "GET / HTTP/1.0\r\nHost: shop.example\r\nConnection: keep-alive\r\n\r\n";
    expect((await client.ask(old)).field("connection")).toBe("keep-alive");
    expect((await client.ask(get("/", "Connection: close"))).field("connection")).toBe("close");
    await client.closes();
  });

  test("in a row of hits, misses and hits keeps its place", async () => {
    const { gateway, ask } = await before(
      {},
      await Target.start(
        ({ head, connection }) =>
          void setTimeout(() => connection.send(ok(head.split(" ")[1] ?? "", FRESH)), 5),
      ),
    );
    await ask("/hit");
    const client = await gateway.connect();
    const paths = ["/hit", "/a", "/hit", "/b", "/a", "/hit"];
    client.send(paths.map((path) => get(path)).join(""));
    for (const path of paths) expect((await client.answer()).body).toBe(path);
  });
});

describe("what is kept from others", () => {
  test("fields that Connection names are not stored, with whatever case", async () => {
    const { ask } = await cached(
      {},
      FRESH,
      "Connection: X-Mine, keep-alive",
      "x-mine: 1",
      "Keep-Alive: timeout=9",
      "Proxy-Authenticate: Basic",
    );
    await ask();
    expect((await ask()).head).not.toMatch(/x-mine|keep-alive|proxy-auth/i);
  });

  test("fields that no-cache names are not stored, and the client who asked gets them", async () => {
    const { ask } = await cached({}, 'Cache-Control: max-age=60, no-cache="set-cookie"', "Set-Cookie: a=1");
    expect([(await ask()).field("set-cookie"), (await ask()).field("set-cookie")]).toEqual([
      "a=1",
      undefined,
    ]);
  });

  test("Set-Cookie is kept only by a rule that says so", async () => {
    const { ask, status } = await cached({ setCookie: true }, FRESH, "Set-Cookie: a=1");
    await ask();
    expect(await status()).toMatch(/^hit/);
  });

  test("a response to Authorization is not served to others, and theirs not to whoever has credentials", async () => {
    const { ask, target } = await cached({}, FRESH);
    const bodies = [
      await ask("/", "Authorization: a"),
      await ask("/"),
      await ask("/", "Authorization: b"),
      await ask("/"),
    ];
    expect(bodies.map(({ body }) => body)).toEqual(["1", "2", "3", "2"]);
    expect(target.arrivals.length).toBe(3);
  });

  test("two who ask with credentials at once each get their own", async () => {
    const { target, ask } = await before({}, await Target.start(() => undefined));
    const answers = Promise.all([ask("/", "Authorization: a"), ask("/", "Authorization: b"), ask("/")]);
    await target.arrived(1);
    await settle();
    const own = ({ head }: { readonly head: string }): string =>
      ok(/authorization: (.)/i.exec(head)?.[1] ?? "all", FRESH);
    target.script = own;
    target.last.send(own(target.arrivals[0]!));
    expect((await answers).map(({ body }) => body)).toEqual(["a", "b", "all"]);
  });

  test.each([
    ["206 Partial Content", [FRESH, "Content-Range: bytes 0-0/9"], "partial"],
    ["500 Broken", [], "no-freshness"],
    ["200 OK", [FRESH, "Content-Type: text/html"], "deception"],
  ])("%s with %j", async (status, fields, reason) => {
    const answer = ok("b", ...fields).replace("200 OK", status);
    const cachedRule = await before({}, await Target.start(() => answer));
    expect(await cachedRule.status("/a.css")).toBe(`fwd=uri-miss; detail=${reason}`);
    expect(await cachedRule.status("/a.css")).toBe(`fwd=uri-miss; detail=${reason}`);
  });

  test("an error is kept for as long as the rule says", async () => {
    const { ask, status } = await before(
      { negativeTtl: { 404: "10s" } },
      await Target.start(() => bare("404 Not Found")),
    );
    await ask();
    expect([(await ask()).status, await status()]).toEqual([404, expect.stringMatching(/^hit/)]);
  });

  test("a body in chunks that grows too large is not kept", async () => {
    const { ask, target } = await before(
      { objectMax: "5B" },
      await Target.start(() => inChunks(["012", "345"], FRESH)),
    );
    expect([(await ask()).body, (await ask()).body, target.arrivals.length]).toEqual(["012345", "012345", 2]);
  });
});

describe("conditions of a client", () => {
  test.each([
    ['If-None-Match: "1"', 304],
    ['If-None-Match: "0", W/"1"', 304],
    ["If-None-Match: *", 304],
    ['If-None-Match: "2"', 200],
    [`If-Modified-Since: ${DATE}`, 304],
    [`If-Modified-Since: ${LATER}`, 304],
    [`If-Modified-Since: ${EARLIER}`, 200],
    ["If-Modified-Since: yesterday", 200],
  ])("%s: %i from the store, on a miss and after a check", async (condition, status) => {
    const { ask, target, later } = await cached({}, ...VALIDATED);
    const answers = [await ask("/", condition), await ask("/", condition)];
    later(100);
    target.script = () => ["HTTP/1.1 304 Not Modified", ...VALIDATED, "\r\n"].join("\r\n");
    answers.push(await ask("/", condition));
    for (const answer of answers)
      expect([answer.status, answer.body]).toEqual([status, status === 304 ? "" : "1"]);
    expect(target.arrivals.length).toBe(2);
  });

  test("a 304 has the validators and the life of what is stored, and no fields of its body", async () => {
    const { ask } = await cached(
      {},
      ...VALIDATED,
      "Content-Type: text/plain",
      "Vary: X-A",
      "Content-Location: /b",
    );
    for (const answer of [await ask("/", 'If-None-Match: "1"'), await ask("/", 'If-None-Match: "1"')]) {
      expect(["etag", "vary", "content-location"].map((name) => answer.field(name))).toEqual([
        '"1"',
        "X-A",
        "/b",
      ]);
      expect([
        answer.field("cache-control"),
        answer.field("content-type"),
        answer.field("content-length"),
      ]).toEqual(["max-age=60", undefined, undefined]);
    }
  });

  test.each(['If-Match: "1"', `If-Unmodified-Since: ${DATE}`])("%s is for the target", async (condition) => {
    const { status, target } = await cached({}, ...VALIDATED);
    await status();
    expect(await status("/", condition)).toBe("fwd=bypass; detail=precondition");
    expect(target.arrivals[1]?.head).toContain(condition);
  });

  test("on a page that is private reach the target once that is known", async () => {
    const script = ({ head }: { readonly head: string }): string =>
      /if-none-match/i.test(head)
        ? "HTTP/1.1 304 Not Modified\r\n\r\n"
        : ok("mine", "Cache-Control: private", 'ETag: "1"');
    const { ask } = await before({}, await Target.start(script));
    await ask();
    expect((await ask("/", 'If-None-Match: "1"')).status).toBe(304);
  });
});

describe("a range", () => {
  const TEN = ok("0123456789", ...VALIDATED);

  test.each([
    ["bytes=0-0", 206, "0", "bytes 0-0/10"],
    ["bytes=2-", 206, "23456789", "bytes 2-9/10"],
    ["bytes=-3", 206, "789", "bytes 7-9/10"],
    ["bytes=-30", 206, "0123456789", "bytes 0-9/10"],
    ["bytes=8-99", 206, "89", "bytes 8-9/10"],
    ["bytes=10-", 416, "", "bytes */10"],
    ["bytes=-0", 416, "", "bytes */10"],
    ["bytes=5-2", 200, "0123456789", undefined],
    ["bytes=0-1,3-4", 200, "0123456789", undefined],
    ["lines=0-1", 200, "0123456789", undefined],
  ])("%s of a stored response is %i", async (range, status, body, contentRange) => {
    const { ask } = await before({}, await Target.start(() => TEN));
    await ask();
    const answer = await ask("/", `Range: ${range}`);
    expect([answer.status, answer.body, answer.field("content-range")]).toEqual([status, body, contentRange]);
  });

  test.each([
    ['"1"', 206],
    ['"2"', 200],
    ['W/"1"', 200],
    [DATE, 206],
    [LATER, 200],
  ])("with If-Range: %s is %i", async (validator, status) => {
    const { ask } = await before({}, await Target.start(() => TEN));
    await ask();
    expect((await ask("/", "Range: bytes=0-1", `If-Range: ${validator}`)).status).toBe(status);
  });

  test("on a miss goes to the target as it is, and its part is not stored", async () => {
    const script = ({ head }: { readonly head: string }): string =>
      /^range:/im.test(head)
        ? ok("01", FRESH, "Content-Range: bytes 0-1/10").replace("200 OK", "206 Partial Content")
        : TEN;
    const { ask, status, target } = await before({}, await Target.start(script));
    expect((await ask("/", "Range: bytes=0-1")).body).toBe("01");
    expect(await status()).toBe("fwd=uri-miss; stored");
    expect((await ask("/", "Range: bytes=2-3")).body).toBe("23");
    expect(target.arrivals.length).toBe(2);
  });

  test("counts nothing for HEAD", async () => {
    const { gateway, ask } = await before({}, await Target.start(() => TEN));
    await ask();
    const answer = await (await gateway.connect()).ask(request("HEAD", "/", ["Range: bytes=0-1"]));
    expect([answer.status, answer.field("content-length")]).toEqual([200, "10"]);
  });

  test("of a stale response is cut from what the check brings", async () => {
    for (const checked of ["HTTP/1.1 304 Not Modified\r\n\r\n", ok("abcdefghij", FRESH)]) {
      const { ask, target, later } = await before({}, await Target.start(() => TEN));
      await ask();
      later(100);
      target.script = () => checked;
      const { status, body } = await ask("/", "Range: bytes=0-1");
      expect([
        [206, "01"],
        [206, "ab"],
        [200, "abcdefghij"],
      ]).toContainEqual([status, body]);
      expect(target.arrivals[1]?.head).not.toMatch(/^range:/im);
    }
  });
});

describe("HEAD", () => {
  test("on a miss goes to the target and stores nothing", async () => {
    const { gateway, status } = await before(
      {},
      await Target.start(({ head }) => (head.startsWith("HEAD") ? ok("", FRESH) : ok("body", FRESH))),
    );
    const answer = await (await gateway.connect()).ask(request("HEAD", "/"));
    expect(said(answer)).toBe("fwd=uri-miss; detail=head");
    expect(await status()).toBe("fwd=uri-miss; stored");
  });

  test("that tells of another body makes what is stored invalid", async () => {
    const { gateway, ask, target } = await cached({}, ...VALIDATED);
    await ask();
    target.script = ({ head }) =>
      head.startsWith("HEAD") ? bare("200 OK", 'ETag: "2"') : ok("new", ...VALIDATED);
    await (await gateway.connect()).ask(request("HEAD", "/", ["Cache-Control: no-store"]));
    expect((await ask()).body).toBe("new");
  });
});

describe("a client's Cache-Control", () => {
  test.each([
    ["no-cache", "fwd=request; fwd-status=200; stored; detail=request-no-cache"],
    ["max-age=0", "fwd=request; fwd-status=200; stored; detail=request-max-age"],
    ["no-store", "fwd=bypass; detail=request-no-store"],
    ["max-age=30", expect.stringMatching(/^hit/)],
    ["min-fresh=90", "fwd=request; fwd-status=200; stored; detail=request-min-fresh"],
    ["only-if-cached", expect.stringMatching(/^hit/)],
  ])("%s", async (directive, words) => {
    const { ask, status } = await cached({}, FRESH);
    await ask();
    expect(await status("/", `Cache-Control: ${directive}`)).toEqual(words);
  });

  test("Pragma: no-cache is no-cache where there is no Cache-Control", async () => {
    const { ask } = await cached({}, FRESH);
    expect([(await ask()).body, (await ask("/", "Pragma: no-cache")).body]).toEqual(["1", "2"]);
  });

  test("only-if-cached is 504 for what is stale and must be checked, and asks nobody", async () => {
    const { ask, target, later } = await cached({}, FRESH);
    await ask();
    later(100);
    expect((await ask("/", "Cache-Control: only-if-cached")).status).toBe(504);
    expect(target.arrivals.length).toBe(1);
  });

  test("max-stale is content with what is stale", async () => {
    const { ask, later } = await cached({}, FRESH);
    await ask();
    later(70);
    expect((await ask("/", "Cache-Control: max-stale=30")).body).toBe("1");
  });
});
