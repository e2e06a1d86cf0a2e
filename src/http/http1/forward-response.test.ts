import { describe, expect, test } from "bun:test";
import { METHOD } from "../methods.ts";
import { writeForwardedResponse } from "./forward-response.ts";
import { bytesOf, forwardResponse, parseResponse, response, responseContext } from "./testing.ts";
import { reasonPhrase, writeResponse } from "./write-response.ts";

const ok = (...fields: string[]): string => response("HTTP/1.1 200 OK", ...fields);

describe("a forwarded response", () => {
  test("keeps end-to-end fields unchanged and in order", () => {
    const raw = ok(
      "Content-Type: text/html",
      "Set-Cookie: a=b",
      "Content-Length: 5",
      "set-cookie: c=d",
      "X_Y: z",
    );
    expect(forwardResponse(raw)).toBe(raw);
  });

  test.each([
    "Connection: keep-alive",
    "Keep-Alive: timeout=5",
    "Proxy-Connection: keep-alive",
    "Proxy-Authenticate: Basic",
    "Trailer: X",
    "TE: trailers",
    "Upgrade: h2c",
  ])("loses what ends at the gateway: %s", (field) => {
    expect(forwardResponse(ok("A: b", field, "Content-Length: 1"))).toBe(ok("A: b", "Content-Length: 1"));
  });

  test("loses what Connection names, but never what is meant for the client", () => {
    const raw = ok(
      "X-Hop: 1",
      "Connection: x-hop, set-cookie, content-length",
      "Set-Cookie: a=b",
      "Content-Length: 1",
    );
    expect(forwardResponse(raw)).toBe(ok("Set-Cookie: a=b", "Content-Length: 1"));
  });

  test.each([
    ["HTTP/1.0 200 OK", "HTTP/1.1 200 OK"],
    ["HTTP/1.1 200", "HTTP/1.1 200 "],
    ["HTTP/1.0 404", "HTTP/1.1 404 "],
    ["HTTP/1.1 299 ", "HTTP/1.1 299 "],
  ])("with the line %p says %p", (line, sent) => {
    expect(forwardResponse(response(line, "Content-Length: 1"))).toBe(response(sent, "Content-Length: 1"));
  });

  test("has its framing in one spelling", () => {
    expect(forwardResponse(ok("content-length:007"))).toBe(ok("Content-Length: 7"));
    expect(forwardResponse(ok("Transfer-Encoding:  CHUNKED"))).toBe(ok("Transfer-Encoding: chunked"));
  });

  test("has no Transfer-Encoding when its body is sent as data", () => {
    expect(forwardResponse(ok("Transfer-Encoding: chunked"), { dechunk: true, close: true })).toBe(
      ok("Connection: close"),
    );
  });

  test("has the length that HEAD and 304 announce, and none with 1xx and 204", () => {
    expect(forwardResponse(ok("Content-Length: 9"), {}, METHOD.head)).toBe(ok("Content-Length: 9"));
    const sent = (line: string): string => forwardResponse(response(line, "Content-Length: 9", "A: b"));
    expect(sent("HTTP/1.1 304 Not Modified")).toContain("Content-Length: 9");
    for (const status of [100, 103, 101, 204])
      expect(sent(`HTTP/1.1 ${status} x`)).not.toContain("Content-Length");
    expect(forwardResponse(ok("Transfer-Encoding: chunked"), {}, METHOD.head)).toBe(ok());
  });

  test("says what becomes of the connection", () => {
    const raw = ok("Content-Length: 1", "Connection: keep-alive");
    expect(forwardResponse(raw, { close: true })).toBe(ok("Content-Length: 1", "Connection: close"));
    expect(forwardResponse(raw, { keepAlive: true })).toBe(ok("Content-Length: 1", "Connection: keep-alive"));
    const switching = response(
      "HTTP/1.1 101 Switching Protocols",
      "Upgrade: websocket",
      "Connection: Upgrade",
    );
    expect(forwardResponse(switching, { upgrade: true })).toBe(switching);
  });

  test("gets a request id and a date when the target sent none", () => {
    const context = { requestId: bytesOf("ours"), dateLine: bytesOf("Date: now\r\n") };
    expect(forwardResponse(ok("Content-Length: 1"), context)).toBe(
      ok("Content-Length: 1", "Date: now", "X-Request-Id: ours"),
    );
    const own = ok("Date: then", "X-Request-Id: theirs", "Content-Length: 1");
    expect(forwardResponse(own, context)).toBe(own);
  });

  test("that is informational gets nothing of ours", () => {
    const hints = response("HTTP/1.1 103 Early Hints", "Link: </a.css>");
    const context = { requestId: bytesOf("ours"), dateLine: bytesOf("Date: now\r\n"), close: true };
    expect(forwardResponse(hints, context)).toBe(hints);
  });

  test("that might not fit is not written", () => {
    const raw = ok("Content-Length: 1");
    const out = Buffer.alloc(40, 0x7e);
    expect(writeForwardedResponse(parseResponse(raw), bytesOf(raw), out, 0, responseContext())).toBe(-1);
    expect(out.every((byte) => byte === 0x7e)).toBe(true);
  });
});

describe("a response of our own", () => {
  const write = (status: number, body: string, fields: [string, string][] = []): string => {
    const out = Buffer.alloc(512);
    return out.toString("latin1", 0, writeResponse(out, 0, status, fields, bytesOf(body)));
  };

  test("has its status line, fields, length and body", () => {
    expect(write(404, "gone", [["Content-Type", "text/plain"]])).toBe(
      "HTTP/1.1 404 Not Found\r\nContent-Type: text/plain\r\nContent-Length: 4\r\n\r\ngone",
    );
    expect(write(200, "x".repeat(100))).toContain("Content-Length: 100\r\n\r\nx");
    expect(write(777, "")).toBe("HTTP/1.1 777 \r\nContent-Length: 0\r\n\r\n");
  });

  test("has no length with 1xx, 204 and 304", () => {
    expect(write(204, "")).toBe("HTTP/1.1 204 No Content\r\n\r\n");
    expect(write(100, "")).toBe("HTTP/1.1 100 Continue\r\n\r\n");
    expect(write(304, "", [["ETag", '"a"']])).toBe('HTTP/1.1 304 Not Modified\r\nETag: "a"\r\n\r\n');
  });

  test("that does not fit is not written", () => {
    expect(writeResponse(Buffer.alloc(60), 0, 200, [], bytesOf("x".repeat(50)))).toBe(-1);
  });

  test("cannot be split by a field", () => {
    expect(() => write(302, "", [["Location", "/\r\nSet-Cookie: a=b"]])).toThrow("line end");
  });

  test("knows the phrases of the statuses that the gateway answers with", () => {
    expect([400, 414, 417, 431, 501, 502, 503, 504, 505].map(reasonPhrase).includes("")).toBe(false);
  });
});
