import { describe, expect, test } from "bun:test";
import { text } from "../bytes.ts";
import { FIELD } from "../field-names.ts";
import { METHOD } from "../methods.ts";
import { RequestHead } from "./request-head.ts";
import { bytesOf, outcome, outcomeByteByByte, parseRequest, post, request } from "./testing.ts";

const get = (...fields: string[]): string => request("GET / HTTP/1.1", ...fields);

/** The pieces of an accepted request as text. */
function pieces(
  raw: string,
): Record<"method" | "form" | "target" | "path" | "query" | "host" | "authority", string> {
  const head = parseRequest(raw);
  const bytes = bytesOf(raw);
  return {
    method: text(bytes, head.methodStart, head.methodEnd),
    form: head.form,
    target: head.target(bytes),
    path: text(bytes, head.pathStart, head.pathEnd),
    query: text(bytes, head.queryStart, head.queryEnd),
    host: text(bytes, head.hostStart, head.hostEnd),
    authority: text(bytes, head.hostStart, head.authorityEnd),
  };
}

describe("the request line", () => {
  test("gives method, path and query", () => {
    expect(pieces("PUT /a/b?c=d?e HTTP/1.1\r\nHost: x.y:80\r\n\r\n")).toEqual({
      method: "PUT",
      form: "origin",
      target: "/a/b?c=d?e",
      path: "/a/b",
      query: "c=d?e",
      host: "x.y",
      authority: "x.y:80",
    });
  });

  test("may hold any visible ASCII in its target, escaped or not", () => {
    const target = "/%2e%2e/%00%zz\\|\"<>^`{}//;@:!$&'()*+,=~[]?%";
    expect(pieces(request(`GET ${target} HTTP/1.1`)).target).toBe(target);
  });

  test.each([
    ["http://a", "", ""],
    ["http://a/", "/", ""],
    ["HTTP://A/b?c", "/b", "c"],
    ["https://a?b/c", "", "b/c"],
  ])("with the URL %s names path %p and query %p", (url, path, query) => {
    expect(pieces(request(`GET ${url} HTTP/1.1`))).toMatchObject({
      form: "absolute",
      path,
      query,
      host: "a",
    });
  });

  test("may ask for the server itself with OPTIONS *", () => {
    expect(pieces(request("OPTIONS * HTTP/1.1"))).toMatchObject({ form: "asterisk", path: "*", query: "" });
  });

  test("numbers the known methods and takes any other token of capitals", () => {
    for (const name of ["get", "head", "post", "put", "delete", "patch", "options", "trace"] as const) {
      expect(parseRequest(request(`${name.toUpperCase()} / HTTP/1.1`)).method).toBe(METHOD[name]);
    }
    for (const name of ["PROPFIND", "M-SEARCH", "G", "GETX", "PATCHY", "$"]) {
      expect(parseRequest(request(`${name} / HTTP/1.1`)).method).toBe(METHOD.other);
    }
  });

  test("may have one empty line before it", () => {
    expect(outcome(`\r\n${get()}`)).toBe(get().length + 2);
  });
});

describe("the host", () => {
  test.each(["a", "A-1.b_c~d.", "127.0.0.1", "[::1]", "[2001:db8::192.0.2.1]", "[1:2:3:4:5:6:7:8]"])(
    "may be %s",
    (host) => {
      const raw = `GET / HTTP/1.1\r\nHost: ${host}:8080\r\n\r\n`;
      expect(pieces(raw)).toMatchObject({ host, authority: `${host}:8080` });
      expect(pieces(raw.replace(":8080", ""))).toMatchObject({ host, authority: host });
    },
  );

  test("may end in a colon without port, and be 65535", () => {
    expect(pieces("GET / HTTP/1.1\r\nHost: a:\r\n\r\n").host).toBe("a");
    expect(pieces("GET / HTTP/1.1\r\nHost: a:65535\r\n\r\n").host).toBe("a");
  });

  test("may be missing in HTTP/1.0, where a URL can name it", () => {
    expect(pieces("GET / HTTP/1.0\r\n\r\n")).toMatchObject({ host: "", authority: "" });
    expect(pieces("GET http://b:81/x HTTP/1.0\r\n\r\n")).toMatchObject({
      host: "b",
      authority: "b:81",
      path: "/x",
    });
  });

  test("of a URL equals Host whatever the case of letters", () => {
    expect(pieces("GET http://ShOp.Example:80/ HTTP/1.1\r\nHost: shop.example:80\r\n\r\n").host).toBe(
      "shop.example",
    );
  });
});

describe("fields", () => {
  test("have values without the blanks around them", () => {
    const raw = get("X-A: \t a \t b \t", "X-B:", "X-C:c", "X-D:\t ", "X-E: \xe9\xff");
    const values = ["x-a", "x-b", "x-c", "x-d", "x-e"].map((name) =>
      parseRequest(raw).value(bytesOf(raw), name),
    );
    expect(values).toEqual(["a \t b", "", "c", "", "\xe9\xff"]);
  });

  test("are found by name in any case, the first of several", () => {
    const raw = get("x-REQUEST-id: 1", "X-Request-Id: 2", "Unknown: 3", "UNKNOWN: 4");
    const head = parseRequest(raw);
    expect(head.value(bytesOf(raw), "x-request-id")).toBe("1");
    expect(head.value(bytesOf(raw), "unknown")).toBe("3");
    expect(head.value(bytesOf(raw), "absent")).toBeUndefined();
    expect([head.fields.first(FIELD.xRequestId), head.fields.last(FIELD.xRequestId)]).toEqual([1, 2]);
  });

  test("with an underscore for a dash are known as lookalikes, and answer to no name", () => {
    const raw = get("X_Forwarded_For: 1", "Content_Length: 5", "My_Own: 2");
    const head = parseRequest(raw);
    expect([...head.fields.code.subarray(0, 4)]).toEqual([
      FIELD.host,
      FIELD.lookalike,
      FIELD.lookalike,
      FIELD.other,
    ]);
    expect(head.value(bytesOf(raw), "x-forwarded-for")).toBeUndefined();
    expect(head.bodyKind).toBe("none");
  });

  test("of a previous head do not show in the next", () => {
    const head = new RequestHead();
    const first = post("Content-Length: 5", "Expect: 100-continue", "Connection: close, x", "X: y");
    head.parse(bytesOf(first), 0, first.length);
    head.parse(bytesOf(get()), 0, get().length);
    expect(head).toMatchObject({
      bodyKind: "none",
      contentLength: 0,
      keepAlive: true,
      expectContinue: false,
    });
    expect([head.nominates, head.fields.count, head.fields.has(FIELD.connection)]).toEqual([false, 1, false]);
  });
});

describe("framing", () => {
  test.each([
    [[], "none", 0],
    [["Content-Length: 0"], "none", 0],
    [["Content-Length: \t 5 "], "length", 5],
    [["Content-Length: 0005"], "length", 5],
    [["Content-Length: 9007199254740991"], "length", 9007199254740991],
    [["Transfer-Encoding: chunked"], "chunked", 0],
    [["transfer-encoding:\tCHUNKED "], "chunked", 0],
  ])("of %j is %s with %d bytes", (fields, bodyKind, contentLength) => {
    expect(parseRequest(post(...fields))).toMatchObject({ bodyKind, contentLength });
  });

  test("does not depend on the method", () => {
    expect(parseRequest(get("Content-Length: 5")).bodyKind).toBe("length");
    expect(parseRequest(request("HEAD / HTTP/1.1", "Transfer-Encoding: chunked")).bodyKind).toBe("chunked");
  });
});

describe("the connection", () => {
  test.each([
    ["1.1", [], true],
    ["1.1", ["Connection: close"], false],
    ["1.1", ["Connection: x, CLOSE ,y"], false],
    ["1.1", ["Connection: keep-alive", "Connection: close"], false],
    ["1.1", ["Connection: closed"], true],
    ["1.0", [], false],
    ["1.0", ["Connection: Keep-Alive"], true],
    ["1.0", ["Connection: keep-alive, close"], false],
  ])("of HTTP/%s with %j stays open: %p", (version, fields, keepAlive) => {
    expect(parseRequest(request(`GET / HTTP/${version}`, ...fields)).keepAlive).toBe(keepAlive);
  });

  test.each([
    [["Connection: Upgrade", "Upgrade: websocket"], true],
    [["Connection: keep-alive, upgrade", "Upgrade: websocket"], true],
    [["Upgrade: websocket"], false],
    [["Connection: Upgrade"], false],
    [["Connection: Upgrade", "Upgrade:"], false],
    [["Connection: Upgrade, HTTP2-Settings", "Upgrade: h2c", "HTTP2-Settings: AAAA"], false],
    [["Connection: Upgrade", "Upgrade: websocket, H2C"], false],
    [["Connection: Upgrade", "Upgrade: websocket", "Content-Length: 5"], false],
  ])("with %j changes protocol: %p", (fields, upgrade) => {
    expect(parseRequest(get(...fields)).upgrade).toBe(upgrade);
  });

  test("never changes protocol in HTTP/1.0", () => {
    expect(parseRequest(request("GET / HTTP/1.0", "Connection: Upgrade", "Upgrade: websocket")).upgrade).toBe(
      false,
    );
  });

  test("waits for 100 (Continue) only when a body is to come", () => {
    expect(parseRequest(post("Content-Length: 5", "Expect: 100-Continue")).expectContinue).toBe(true);
    expect(parseRequest(get("Expect: 100-continue")).expectContinue).toBe(false);
    const old = request("POST / HTTP/1.0", "Content-Length: 5", "Expect: 100-continue");
    expect(parseRequest(old).expectContinue).toBe(false);
  });
});

describe("parsing", () => {
  const valid = [
    get(),
    post("Content-Length: 5", "X: y"),
    request("OPTIONS * HTTP/1.1", "Cookie: a=b"),
    `\r\n${get("A: \t b \t")}`,
    "GET http://a:80/x?y HTTP/1.0\r\n\r\n",
  ];

  test("gives the same whether bytes come at once or one by one", () => {
    for (const raw of valid) expect(outcomeByteByByte(raw)).toBe(raw.length);
  });

  test("asks for more at every prefix of a valid head", () => {
    for (const raw of valid) {
      for (let end = 0; end < raw.length; end++) expect(outcome(raw.slice(0, end))).toBe(0);
    }
  });

  test("consumes one head and leaves what follows, at any offset", () => {
    const raw = `junk${get()}POST`;
    const head = new RequestHead();
    expect(head.parse(bytesOf(raw), 4, raw.length)).toBe(get().length);
    expect(text(bytesOf(raw), head.hostStart, head.hostEnd)).toBe("a");
  });

  test("looks at a head that arrives byte by byte once per line, not once per byte", () => {
    const raw = get(`X: ${"a".repeat(30000)}`);
    const started = performance.now();
    expect(outcomeByteByByte(raw)).toBe(raw.length);
    // Quadratic work would be 450 million steps, several seconds; linear work takes milliseconds.
    expect(performance.now() - started).toBeLessThan(1000);
  });
});
