import { describe, expect, test } from "bun:test";
import { buildForwardedBlock, type ForwardedSource } from "../forwarded.ts";
import { writeForwardedRequest } from "./forward-request.ts";
import { bytesOf, forward, parseRequest, post, request, requestContext } from "./testing.ts";

const get = (...fields: string[]): string => request("GET / HTTP/1.1", ...fields);

const source = (changes: Partial<ForwardedSource> = {}): ForwardedSource => ({
  clientIp: "192.0.2.7",
  proto: "http",
  fields: "both",
  name: "tenfold",
  ...changes,
});

/** The field lines that the context adds behind "Host: a". */
function added(raw: string, changes: Partial<ForwardedSource> = {}, trusted = false): string[] {
  const lines = forward(raw, { trusted, forwarded: buildForwardedBlock(source(changes)) }).split("\r\n");
  return lines.slice(2, -2);
}

describe("the request line", () => {
  test.each([
    ["GET /a?b HTTP/1.1", "GET /a?b HTTP/1.1"],
    ["GET /a?b HTTP/1.0", "GET /a?b HTTP/1.1"],
    ["GET http://a/b?c HTTP/1.1", "GET /b?c HTTP/1.1"],
    ["GET http://a HTTP/1.1", "GET / HTTP/1.1"],
    ["GET http://a?b HTTP/1.1", "GET /?b HTTP/1.1"],
    ["OPTIONS http://a HTTP/1.1", "OPTIONS * HTTP/1.1"],
    ["OPTIONS http://a/ HTTP/1.1", "OPTIONS / HTTP/1.1"],
    ["OPTIONS http://a?b HTTP/1.1", "OPTIONS /?b HTTP/1.1"],
    ["OPTIONS * HTTP/1.1", "OPTIONS * HTTP/1.1"],
  ])("%p is sent as %p", (line, sent) => {
    expect(forward(request(line))).toBe(request(sent));
  });

  test("loses the empty line before it", () => {
    expect(forward(`\r\n${get()}`)).toBe(get());
  });
});

describe("fields", () => {
  test("that end at the target pass unchanged and in order", () => {
    const raw = get(
      "X-A:  b ",
      "Cookie: c=d",
      "Accept: */*",
      "X-A: \xe9",
      "Authorization: Bearer z",
      "Via: 1.0 p",
    );
    expect(forward(raw)).toBe(raw);
  });

  test.each([
    "Connection: keep-alive",
    "Keep-Alive: timeout=5",
    "Proxy-Connection: keep-alive",
    "Proxy-Authorization: Basic eA==",
    "Proxy-Authenticate: Basic",
    "TE: trailers",
    "Trailer: X",
    "Upgrade: websocket",
    "HTTP2-Settings: AAAA",
    "X_Forwarded_For: 10.0.0.1",
    "content_length: 10",
    "Expect: 100-continue",
  ])("that end at the gateway are dropped: %s", (field) => {
    expect(forward(get("A: b", field, "C: d"))).toBe(get("A: b", "C: d"));
    expect(forward(get(field))).toBe(get());
  });

  test("that Connection names are dropped", () => {
    const raw = get("X-Hop: 1", "A: b", "Connection: close, x-hop , c", "X-HOP: 2", "C: d", "X-Hop2: 3");
    expect(forward(raw)).toBe(get("A: b", "X-Hop2: 3"));
  });

  test("meant for the target stay even when Connection names them", () => {
    const named = "Connection: host, content-length, cookie, authorization, cache-control, x-request-id, via";
    const raw = post(
      "Content-Length: 5",
      named,
      "Cookie: a=b",
      "Authorization: c",
      "Cache-Control: no-store",
    );
    expect(forward(raw)).toBe(raw.replace(`${named}\r\n`, ""));
  });

  test("of framing are sent in one spelling", () => {
    expect(forward(post("content-length:\t0005 "))).toBe(post("Content-Length: 5"));
    expect(forward(post("Content-Length: 000"))).toBe(post("Content-Length: 0"));
    expect(forward(post("Transfer-Encoding: Chunked", "X: y"))).toBe(
      post("Transfer-Encoding: chunked", "X: y"),
    );
    expect(forward(post("transfer-encoding:chunked"))).toBe(post("Transfer-Encoding: chunked"));
    expect(forward(post("content-length: 5"))).toBe(post("content-length: 5"));
  });

  test("keep Expect when a body is to come", () => {
    const raw = post("Content-Length: 5", "Expect: 100-continue");
    expect(forward(raw)).toBe(raw);
  });
});

test("Max-Forwards counts down for OPTIONS and TRACE, and means nothing to other methods", () => {
  const sent = (method: string, hops: string): string =>
    forward(request(`${method} / HTTP/1.1`, `Max-Forwards: ${hops}`));
  expect(sent("OPTIONS", "7")).toBe(request("OPTIONS / HTTP/1.1", "Max-Forwards: 6"));
  expect(sent("TRACE", "10")).toBe(request("TRACE / HTTP/1.1", "Max-Forwards: 9"));
  expect(sent("GET", "7")).toBe(request("GET / HTTP/1.1", "Max-Forwards: 7"));
  expect(sent("OPTIONS", "x")).toBe(request("OPTIONS / HTTP/1.1", "Max-Forwards: x"));
  expect(parseRequest(request("OPTIONS / HTTP/1.1", "Max-Forwards: 0")).maxForwards).toBe(0);
  expect(parseRequest(request("OPTIONS / HTTP/1.1")).maxForwards).toBe(-1);
});

describe("the host", () => {
  test("is replaced in its place by an override", () => {
    const sent = forward("GET / HTTP/1.1\r\nA: b\r\nHost: a\r\nC: d\r\n\r\n", {
      hostOverride: bytesOf("t:9"),
    });
    expect(sent).toBe("GET / HTTP/1.1\r\nA: b\r\nHost: t:9\r\nC: d\r\n\r\n");
  });

  test("is added for HTTP/1.0: from the URL, else the fallback", () => {
    expect(forward("GET http://b:81/ HTTP/1.0\r\n\r\n")).toBe("GET / HTTP/1.1\r\nHost: b:81\r\n\r\n");
    expect(forward("GET / HTTP/1.0\r\n\r\n")).toBe("GET / HTTP/1.1\r\nHost: fallback:9000\r\n\r\n");
    expect(forward("GET / HTTP/1.0\r\n\r\n", { hostOverride: bytesOf("t") })).toContain("\r\nHost: t\r\n");
  });
});

describe("an upgrade", () => {
  const raw = get("Connection: keep-alive, Upgrade", "Upgrade: websocket", "Sec-WebSocket-Version: 13");

  test("that is wanted passes, and Connection names nothing else", () => {
    expect(forward(raw, { upgrade: true })).toBe(
      get("Upgrade: websocket", "Sec-WebSocket-Version: 13", "Connection: Upgrade"),
    );
  });

  test("that is not wanted disappears", () => {
    expect(forward(raw)).toBe(get("Sec-WebSocket-Version: 13"));
  });
});

describe("who the client is", () => {
  test("is said in both families of fields, with Via", () => {
    expect(added(get(), { port: 8080 })).toEqual([
      "Via: 1.1 tenfold",
      "X-Forwarded-For: 192.0.2.7",
      "X-Forwarded-Proto: http",
      "X-Forwarded-Port: 8080",
      "X-Forwarded-Host: a",
      'Forwarded: for=192.0.2.7;proto=http;host="a"',
    ]);
  });

  test("is said as configured", () => {
    const names = (fields: ForwardedSource["fields"]): string[] =>
      added(get(), { fields, name: "" }).map((line) => line.split(":")[0]!);
    expect(names("x-forwarded")).toEqual(["X-Forwarded-For", "X-Forwarded-Proto", "X-Forwarded-Host"]);
    expect(names("forwarded")).toEqual(["Forwarded"]);
    expect(names("off")).toEqual([]);
  });

  test("is quoted when it is IPv6, and plain IPv4 when it is mapped", () => {
    expect(added(get(), { clientIp: "2001:db8::7", proto: "https", name: "" })).toEqual([
      "X-Forwarded-For: 2001:db8::7",
      "X-Forwarded-Proto: https",
      "X-Forwarded-Host: a",
      'Forwarded: for="[2001:db8::7]";proto=https;host="a"',
    ]);
    expect(added(get(), { clientIp: "::ffff:192.0.2.9", fields: "forwarded", name: "" })[0]).toContain(
      "for=192.0.2.9;",
    );
  });

  const claims = [
    "X-Forwarded-For: 10.0.0.1",
    "X-Forwarded-Host: evil",
    "X-Forwarded-Proto: https",
    "X-Forwarded-Port: 443",
    "X-Real-IP: 10.0.0.1",
    "Forwarded: for=10.0.0.1",
    "X-Request-Id: theirs",
  ];

  test("is never what an untrusted client claims", () => {
    expect(added(get(...claims))).toEqual(added(get()));
    expect(forward(get(...claims))).toBe(get());
  });

  test("is appended to what a trusted client says", () => {
    expect(added(get(...claims, "X-Forwarded-For: 10.0.0.2"), {}, true)).toEqual([
      "X-Forwarded-Host: evil",
      "X-Forwarded-Proto: https",
      "X-Forwarded-Port: 443",
      "X-Real-IP: 10.0.0.1",
      "X-Request-Id: theirs",
      "Via: 1.1 tenfold",
      "X-Forwarded-For: 10.0.0.1, 10.0.0.2, 192.0.2.7",
      'Forwarded: for=10.0.0.1, for=192.0.2.7;proto=http;host="a"',
    ]);
  });

  test("is the same whether a trusted client says nothing or is not trusted", () => {
    expect(added(get(), { port: 80 }, true).toSorted()).toEqual(added(get(), { port: 80 }).toSorted());
  });

  test("comes with Via 1.0 when the request came as HTTP/1.0", () => {
    expect(added(request("GET / HTTP/1.0"))[0]).toBe("Via: 1.0 tenfold");
    expect(added(request("GET / HTTP/1.0"), {}, true)[0]).toBe("Via: 1.0 tenfold");
    expect(added(request("GET / HTTP/1.1"))[0]).toBe("Via: 1.1 tenfold");
  });

  test("names no host when the client named none", () => {
    const lines = added("GET / HTTP/1.0\r\n\r\n");
    expect(lines).toContain('Forwarded: for=192.0.2.7;proto=http;host=""');
    expect(lines.join()).not.toContain("X-Forwarded-Host");
  });
});

describe("the request id", () => {
  test("is ours, unless a trusted client sent one", () => {
    const requestId = bytesOf("ours");
    expect(forward(get("X-Request-Id: theirs"), { requestId })).toBe(get("X-Request-Id: ours"));
    expect(forward(get(), { requestId, trusted: true })).toBe(get("X-Request-Id: ours"));
    expect(forward(get("X-Request-Id: theirs"), { requestId, trusted: true })).toBe(
      get("X-Request-Id: theirs"),
    );
  });
});

test("a head that might not fit is not written, and one that fits writes nothing outside its place", () => {
  const raw = get("X: y", "Connection: x", "X-Forwarded-For: 1");
  const head = parseRequest(raw);
  const context = requestContext({
    forwarded: buildForwardedBlock(source()),
    requestId: bytesOf("id"),
    trusted: true,
  });
  for (let size = 0; size < 1200; size += 7) {
    const out = Buffer.alloc(size + 16, 0x7e);
    const end = writeForwardedRequest(head, bytesOf(raw), out.subarray(0, size), 3, context);
    expect(out.subarray(size).every((byte) => byte === 0x7e)).toBe(true);
    if (end < 0) expect(out.every((byte) => byte === 0x7e)).toBe(true);
    else expect(out.toString("latin1", 3, end)).toEndWith("X-Request-Id: id\r\n\r\n");
  }
});
